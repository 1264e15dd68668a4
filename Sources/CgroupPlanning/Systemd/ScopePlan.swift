internal import DBus
package import Errors

/// The scope of a container that is to be made.
package struct ScopePlan: Hashable, Sendable {
    package let name: ScopeName
    /// Whether it is a unit of the user's own systemd.
    package let isUser: Bool
    /// The cgroup below the scope's for the container's processes, crun's `run.oci.systemd.subgroup`; nil for none.
    package let subgroup: String?
    /// What annotations set.
    let properties: [UnitProperty]

    package init(_ name: ScopeName, isUser: Bool, subgroup: String?, properties: [UnitProperty]) {
        self.name = name
        self.isUser = isUser
        self.subgroup = subgroup
        self.properties = properties
    }

    /// What the state says before the scope is there. Where in the tree it will be is only guessed: a user's systemd
    /// has its own part of it.
    package func expectedRecord(root: String) -> CgroupRecord {
        CgroupRecord(
            mode: .systemd, root: root, path: name.path, created: [],
            scope: ScopeRecord(unit: name.unit, subgroup: subgroup, inode: 0))
    }

    /// All properties of the unit: what makes it a container's, its limits, what annotations say. An annotation wins
    /// over what is only usual, and clashes with a limit.
    package func properties(
        of pid: Int32, limits: [UnitProperty], devices: [UnitProperty]
    ) throws(CgroupError) -> [UnitProperty] {
        var all: [UnitProperty] = [
            UnitProperty("Description", .string("runbox container")),
            UnitProperty("DefaultDependencies", .boolean(false)),
        ]
        all += ["CPU", "Memory", "IO", "Tasks"].map { UnitProperty("\($0)Accounting", .boolean(true)) }
        all.removeAll { usual in properties.contains { $0.name == usual.name } }
        for own in limits where properties.contains(where: { $0.name == own.name }) {
            throw CgroupError(
                field: "annotations[\"\(UnitProperty.annotation)\(own.name)\"]",
                "linux.resources sets \(own.name) as well", remedy: "remove one of the two")
        }
        return [
            UnitProperty("Slice", .string(name.slice)), UnitProperty("Delegate", .boolean(true)),
            UnitProperty("PIDs", .array(of: .uint32, [.uint32(UInt32(bitPattern: pid))])),
        ] + all + devices + limits + properties
    }
}
