internal import Kernel
internal import KernelTypes
internal import Planning

/// Making, entering, changing and removing a container's group in resctrl.
///
/// A group's directory comes to hold the kernel's files `schemata` and `tasks` when it is made, and goes with them when
/// it is removed; the processes in it fall back into the group above.
enum ResctrlGroup {
    /// What will have to be made, for the record to have before anything is made.
    struct Inspection: Sendable, Equatable {
        let record: ResctrlRecord
        let exists: Bool
    }

    /// Looks at what is there.
    static func inspect(_ plan: ResctrlPlan) throws(SystemError) -> Inspection {
        let exists = try isDirectory(plan.group)
        if !exists, plan.isNamed, plan.lines.isEmpty {
            throw .refused(
                "linux.intelRdt.closID: there is no group \(plan.group), and without a schema to write none is made")
        }
        return Inspection(
            record: ResctrlRecord(group: plan.group, isRemoved: !exists && !plan.isNamed, monitor: plan.monitor),
            exists: exists)
    }

    private static func isDirectory(_ path: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try Files.status(path).kind == .directory
        } catch {
            if error.code == .noEntry { return false }
            throw error
        }
    }

    /// Makes the directories that are missing.
    static func make(_ inspection: Inspection) throws(SystemError) {
        if !inspection.exists { try makeDirectory(inspection.record.group, "class of service", "closids") }
        do throws(SystemError) {
            if let monitor = inspection.record.monitor { try makeDirectory(monitor, "monitoring group", "rmids") }
        } catch {
            // The error above is the one to report.
            if !inspection.exists { try? Files.removeDirectory(inspection.record.group) }
            throw error
        }
    }

    private static func makeDirectory(_ path: String, _ kind: String, _ number: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeDirectory(path, mode: 0o755)
        } catch {
            switch error.code {
            case .noSpace:
                throw .refused("\(path): the CPU has no \(kind) left; their number is in info/*/num_\(number)")
            case .exists: throw .refused("\(path): a \(kind) of this name is there already; remove it with rmdir")
            case .noEntry:
                throw .refused("\(path): this host's resctrl has no monitoring; remove linux.intelRdt.enableMonitoring")
            default: throw error
            }
        }
    }

    /// Writes the schemas of a new group; those of a group that others made must be there already.
    static func configure(_ plan: ResctrlPlan, _ inspection: Inspection) throws(SystemError) {
        guard !plan.lines.isEmpty else { return }
        guard inspection.exists, plan.isNamed else {
            for line in plan.lines { try write(line.text, field: line.field, to: plan.group) }
            return
        }
        let file = try Files.readText("\(plan.group)/schemata")
        for line in plan.lines where !Schemata.holds(line.text, in: file) {
            let found = file.parts(by: "\n").map {
                String(decoding: $0.utf8.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
            }.joined(separator: ", ")
            throw .refused("\(line.field): the group \(plan.group) has another schema than \"\(line.text)\": \(found)")
        }
    }

    /// Puts a process into the group. What it forks from then on follows it.
    static func enter(_ pid: Int32, _ record: ResctrlRecord) throws(SystemError) {
        try Files.write("\(pid)\n", into: "\(record.group)/tasks")
        if let monitor = record.monitor { try Files.write("\(pid)\n", into: "\(monitor)/tasks") }
    }

    /// Gives a running container other schemas: `update --l3-cache-schema` and `--mem-bw-schema`.
    /// - Parameter record: what the container's state knows of its group; nil where it has none.
    static func update(
        l3CacheSchema: String?, memBwSchema: String?, of record: ResctrlRecord?
    ) throws(SystemError) {
        guard let record else {
            throw .refused("the container was made without linux.intelRdt, so it has no group of resctrl to change")
        }
        for (text, name) in [(l3CacheSchema, "l3-cache-schema"), (memBwSchema, "mem-bw-schema")] {
            guard let text, !text.isEmpty else { continue }
            if text.containsByte("\n") { throw .refused("\(name) must be one line, is \"\(text)\"") }
            if name == "mem-bw-schema", !text.begins(with: "MB:") {
                throw .refused("\(name) must start with \"MB:\", is \"\(text)\"")
            }
            try write(text, field: name, to: record.group)
        }
    }

    /// Removes what was made for the container.
    static func remove(_ record: ResctrlRecord) throws(SystemError) {
        if let monitor = record.monitor { try removeDirectory(monitor) }
        if record.isRemoved { try removeDirectory(record.group) }
    }

    /// Takes back what was made for a container that did not come to be: also a group that the configuration names, if
    /// no process has come into it since.
    static func rollBack(_ inspection: Inspection) throws(SystemError) {
        try remove(inspection.record)
        if inspection.exists || inspection.record.isRemoved { return }
        if try Files.readText("\(inspection.record.group)/tasks").isEmpty {
            try removeDirectory(inspection.record.group)
        }
    }

    private static func removeDirectory(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.removeDirectory(path)
        } catch  where error.code == .noEntry {
            // It is gone already, perhaps with the whole file system.
        }
    }

    /// The kernel says more than its errno in a file of its own.
    private static func write(_ line: String, field: String, to group: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.write("\(line)\n", into: "\(group)/schemata")
        } catch {
            let root = group.splitAtLastSlash?.folder ?? ""
            // An explanation that cannot be read leaves the errno.
            let status = [group, root].lazy.compactMap { try? Files.readText("\($0)/info/last_cmd_status") }.first
            let reason = status.map { "\(error.code) (\($0))" } ?? "\(error.code)"
            throw .refused("\(field): \(group)/schemata does not take \"\(line)\": \(reason)")
        }
    }
}
