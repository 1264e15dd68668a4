/// Who manages the container's cgroup.
public enum CgroupManagerKind: String, Sendable {
    /// The runtime makes the directory itself.
    case cgroupfs
    /// systemd makes a scope, asked over D-Bus.
    case systemd
    /// No cgroup is made: no limits, no pause.
    case disabled
}

/// What the caller asks for beyond the bundle: the flags of `run` and `create`.
public struct LaunchOptions: Sendable {
    /// Whether the process that calls ``Container/run(_:options:warn:)`` gives up for good, once the payload runs in
    /// the foreground, what it does not need to supervise it: capabilities, and system calls that start programs or
    /// change the host. For a process that does nothing else; nothing is given up where poststop hooks are to be
    /// called.
    public var confinesCaller = false

    /// The file that gets the init's process number, decimal digits without a newline.
    public var pidFile: String?
    /// A listening Unix stream socket that receives the terminal's controlling side.
    public var consoleSocket: String?
    /// A listening Unix stream socket that receives the init's pidfd, with the text `standard`.
    public var pidfdSocket: String?
    /// How many descriptors from 3 on the payload inherits.
    public var preservedDescriptors: Int
    /// Changes the root by moving mounts and chroot instead of pivot_root, for roots on an initramfs.
    public var noPivot: Bool
    /// Leaves the payload in the caller's session keyring.
    public var noNewKeyring: Bool
    /// Returns once the payload runs, instead of waiting for it.
    public var detach: Bool
    /// Leaves the stopped container's state behind instead of deleting it.
    public var keep: Bool
    /// Deletes an existing container of the name first, as ``Container/delete(force:warn:)`` with `force` does. Nothing
    /// is deleted for a configuration that has mistakes.
    public var replace = false
    /// Does not adopt orphans of the container.
    public var noSubreaper: Bool
    /// Takes what is merely odd in the configuration for a mistake.
    public var strict = false
    /// Who makes the cgroup, if anybody.
    public var cgroupManager: CgroupManagerKind

    /// Options as they are when nothing is asked for.
    public init() {
        preservedDescriptors = 0
        noPivot = false
        noNewKeyring = false
        detach = false
        keep = false
        noSubreaper = false
        cgroupManager = .cgroupfs
    }
}

/// What is done with the container once it is made.
package enum LaunchMode: Sendable {
    /// The payload waits for `start`.
    case create
    /// The payload starts at once; the runtime stays and waits for it, or not.
    case run
}
