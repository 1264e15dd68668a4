/// How a container's cgroup is managed; the words of `--cgroup-manager`.
package enum CgroupMode: String, Hashable, Sendable, CaseIterable {
    /// Directories made by runbox itself.
    case fs = "cgroupfs"
    /// None: the container stays in the cgroup that runbox was started in.
    case disabled
}

/// What the state file keeps of a container's cgroup, enough to find and to remove it again.
package struct CgroupRecord: Hashable, Sendable {
    package let mode: CgroupMode
    /// The mount point of the v2 tree; empty without a cgroup.
    package let root: String
    /// The cgroup's path from there; empty without a cgroup.
    package let path: String
    /// The paths of the cgroups that runbox made for this container, from the topmost, among them its own unless that was there before.
    package let created: [String]

    package init(mode: CgroupMode, root: String, path: String, created: [String]) {
        self.mode = mode
        self.root = root
        self.path = path
        self.created = created
    }

    package static let disabled = CgroupRecord(mode: .disabled, root: "", path: "", created: [])
}
