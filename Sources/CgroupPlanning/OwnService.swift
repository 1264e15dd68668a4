internal import KernelTypes

/// The systemd service that this process is part of, by the cgroup it is in: what it starts belongs into the same
/// cgroup tree, or stopping the service would not end it (systemd.kill(5), `KillMode=`) and its accounting and limits
/// would not reach it.
///
/// Only for services: a shell is in a scope or a slice, and a container that is started there is to outlive it.
package struct OwnService: Hashable, Sendable {
    /// The cgroup's path from the tree's root.
    package let path: String
    /// Whether systemd leaves the cgroups below it alone: `Delegate=yes`, systemd.resource-control(5).
    package var isDelegated: Bool

    package init(path: String, isDelegated: Bool) {
        self.path = path
        self.isDelegated = isDelegated
    }

    /// The unit's name.
    package var name: String { path.splitAtLastSlash?.name ?? path }
}
