internal import Errors
internal import KernelTypes

/// Where the host keeps its cgroup v2 tree, as a value, so that planning needs no kernel.
package struct CgroupHost: Hashable, Sendable {
    /// The mount point of the v2 tree; nil where none is mounted.
    package let root: String?
    /// Whether cgroup v1 is mounted as well. Its controllers are then missing in the v2 tree. The v1 tree itself is
    /// never touched.
    package let isHybrid: Bool
    /// The cgroup of this process in the v2 tree, from the tree's root; nil where it was not asked for.
    package let ownPath: String?

    /// The systemd service whose cgroup that is; nil where it is none's.
    package var ownService: OwnService?

    package init(root: String?, isHybrid: Bool = false, ownPath: String? = nil, ownService: OwnService? = nil) {
        self.ownService = ownService
        self.root = root
        self.isHybrid = isHybrid
        self.ownPath = ownPath
    }
}
