package import OCISpec

/// Giving the container's cgroup to the container's own user (config-linux.md, "Cgroup ownership"; cgroup-v2.rst,
/// "Model of Delegation").
package enum Delegation {
    /// Whether the configuration wants it: a new cgroup namespace, and the cgroup file system mounted writable at its
    /// usual place.
    package static func isWanted(namespaces: [Namespace], mounts: [Mount]) -> Bool {
        guard namespaces.contains(where: { $0.type == .cgroup && $0.path == nil }) else { return false }
        return mounts.contains { mount in
            mount.source == "cgroup" && mount.destination == "/sys/fs/cgroup"
                && mount.options?.contains("ro") != true
        }
    }
}
