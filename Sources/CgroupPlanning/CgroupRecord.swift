/// What the state file keeps of a container's cgroup, enough to find and to remove it again.
package struct CgroupRecord: Hashable, Sendable {
    package let mode: CgroupManagerKind
    /// The mount point of the v2 tree; empty without a cgroup.
    package let root: String
    /// The cgroup's path from there; empty without a cgroup.
    package let path: String
    /// The paths of the cgroups that runbox made for this container, from the topmost, among them its own unless that
    /// was there before. Of a scope: its own, once it is there.
    package let created: [String]
    /// The inode of the cgroup with cgroupfs, 0 before it is known: another container's cgroup may get the path later.
    package let inode: UInt64
    /// With systemd only.
    package let scope: ScopeRecord?

    package init(
        mode: CgroupManagerKind, root: String, path: String, created: [String], inode: UInt64 = 0,
        scope: ScopeRecord? = nil
    ) {
        self.inode = inode
        self.mode = mode
        self.root = root
        self.path = path
        self.created = created
        self.scope = scope
    }

    package static let disabled = CgroupRecord(mode: .disabled, root: "", path: "", created: [])
}

/// A container's scope: what cgroupfs does not have.
package struct ScopeRecord: Hashable, Sendable {
    /// The name of the unit.
    package let unit: String
    /// The cgroup below the scope's that the container's processes are in; nil where they are in the scope's.
    package let subgroup: String?
    /// The inode of the scope's cgroup, 0 before it is there: systemd takes a cgroup away with its last process, and
    /// another container's scope may get the name then.
    package let inode: UInt64
    /// When the scope was made, in milliseconds of the clock that the kernel's log has (CLOCK_MONOTONIC); 0 before.
    package let began: Int64

    package init(unit: String, subgroup: String?, inode: UInt64, began: Int64 = 0) {
        self.unit = unit
        self.subgroup = subgroup
        self.inode = inode
        self.began = began
    }
}
