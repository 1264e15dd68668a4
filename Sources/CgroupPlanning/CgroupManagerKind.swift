/// Who manages a container's cgroup; the words of `--cgroup-manager`.
public enum CgroupManagerKind: String, Hashable, Sendable, CaseIterable {
    /// The runtime makes the directory itself.
    case cgroupfs
    /// systemd makes a scope, asked over D-Bus.
    case systemd
    /// No cgroup is made: no limits, no pause. The container stays in the cgroup that the runtime was started in.
    case disabled
}
