internal import Errors
internal import KernelTypes
internal import OCISpec

/// The class of service of the container's caches and memory bandwidth. Specification: config-linux.md, "IntelRdt"; the
/// kernel's Documentation/filesystems/resctrl.rst.
package struct ResctrlPlan: Sendable, Equatable {
    /// A line for the file `schemata`, and the field that it comes from.
    package struct Line: Sendable, Equatable {
        package let field: String
        package let text: String
    }

    /// The group's directory.
    package let group: String
    /// Whether the configuration names the group; one that is named after the container is the runtime's to make and
    /// remove.
    package let isNamed: Bool
    /// In the order of writing.
    package let lines: [Line]
    /// The directory of the container's own monitoring group; nil without one.
    package let monitor: String?

    /// - Parameter root: where resctrl is mounted; nil where it is not.
    init?(_ rdt: IntelRdt?, id: String, root: String?, findings: inout Findings) {
        guard let rdt else { return nil }
        guard let root else {
            findings.refuse(
                "linux.intelRdt",
                "no resctrl file system is mounted on this host; mount one (mount -t resctrl resctrl /sys/fs/resctrl; the CPU must have "
                    + "RDT, see rdt_a in /proc/cpuinfo), or remove linux.intelRdt")
            return nil
        }
        let name = rdt.closID.flatMap { $0.isEmpty ? nil : $0 }
        isNamed = name != nil
        if let name, let reason = Self.refusal(of: name) { findings.refuse("linux.intelRdt.closID", reason) }
        if name == nil, Self.reserved.contains(id) {
            findings.refuse(
                "linux.intelRdt",
                "the container's name \"\(id)\" is reserved in resctrl; set closID, or name it otherwise")
        }
        group = name == "/" ? root : "\(root)/\(name ?? id)"
        lines = Self.lines(rdt)
        monitor = rdt.enableMonitoring == true ? "\(group)/mon_groups/\(id)" : nil
    }

    /// Directories of resctrl that are no groups.
    static let reserved = ["info", "mon_groups", "mon_data"]

    private static func refusal(of name: String) -> String? {
        if name == "/" { return nil }
        if name.containsByte("/") || name == "." || name == ".." || name.utf8.contains(where: { $0 < 0x20 }) {
            return "must be the name of a directory of resctrl, or \"/\" for its root, is \"\(name)\""
        }
        return reserved.contains(name) ? "\"\(name)\" is reserved in resctrl" : nil
    }

    private static func lines(_ rdt: IntelRdt) -> [Line] {
        var lines: [Line] = []
        func add(_ text: String?, _ key: String) {
            if let text, !text.isEmpty { lines.append(Line(field: "linux.intelRdt.\(key)", text: text)) }
        }
        add(rdt.l3CacheSchema, "l3CacheSchema")
        add(rdt.memBwSchema, "memBwSchema")
        for (index, text) in (rdt.schemata ?? []).enumerated() { add(text, "schemata[\(index)]") }
        return lines
    }
}

/// What the state knows of a container's resctrl group.
package struct ResctrlRecord: Sendable, Equatable {
    /// The group's directory.
    package var group: String
    /// Whether it goes with the container: only one that was made for it and bears its name does.
    package var isRemoved: Bool
    /// The monitoring group's directory, which always goes with the container; nil without one.
    package var monitor: String?

    package init(group: String, isRemoved: Bool, monitor: String? = nil) {
        self.group = group
        self.isRemoved = isRemoved
        self.monitor = monitor
    }
}
