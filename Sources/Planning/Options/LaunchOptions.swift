public import CgroupPlanning

/// What the caller asks for beyond the bundle: the flags of `run` and `create`.
public struct LaunchOptions: Sendable {
    /// The file that gets the init's process number, decimal digits without a newline.
    public var pidFile: String?
    /// A listening Unix stream socket that receives the terminal's controlling side.
    public var consoleSocket: String?
    /// A listening Unix stream socket that receives the init's pidfd, with the text `standard`.
    public var pidfdSocket: String?
    /// What the payload gets as its standard streams.
    public var streams = StandardStreamOptions()
    /// Whether the root is changed by pivot_root(2); false moves mounts and calls chroot(2), for roots on an initramfs.
    public var pivotRoot = true
    /// Whether the payload gets a session keyring of its own; false leaves it in the caller's. session-keyring(7).
    public var sessionKeyring = true
    /// Deletes an existing container of the name first, as ``Container/delete(force:warn:)`` with `force` does. Nothing
    /// is deleted for a configuration that has mistakes.
    public var replace = false
    /// Takes what is merely odd in the configuration for a mistake.
    public var strict = false
    /// Who makes the cgroup, if anybody.
    public var cgroupManager = CgroupManagerKind.cgroupfs

    /// Settings of a service that count instead of those of the configuration.
    package var service: [ServiceChoice] = []
    /// Where relative paths among them begin.
    package var serviceFolder = "/"

    // Of a foreground `run`, which is a process of its own: ``Container/run(_:options:caller:warn:)``.

    /// Returns once the payload runs, instead of waiting for it.
    package var detach = false
    /// Leaves the stopped container's state behind instead of deleting it.
    package var keep = false
    /// Whether orphans of the container become children of this process; PR_SET_CHILD_SUBREAPER(2const).
    package var adoptsOrphans = true
    /// Whether this process gives up for good, once the payload runs, what it does not need to supervise it:
    /// capabilities, and system calls that start programs or change the host. Nothing is given up where poststop hooks
    /// are to be called.
    package var confinesCaller = false

    /// Options as they are when nothing is asked for.
    public init() {}
}

/// Descriptors of the caller that become the standard streams of a container's process, which stay the caller's own;
/// nil lets it inherit the caller's stream. With a terminal they are not used.
public struct StandardStreamOptions: Sendable {
    /// Descriptor 0 of the process.
    public var input: Int32?
    /// Descriptor 1.
    public var output: Int32?
    /// Descriptor 2.
    public var error: Int32?

    /// The caller's own streams.
    public init(input: Int32? = nil, output: Int32? = nil, error: Int32? = nil) {
        self.input = input
        self.output = output
        self.error = error
    }

    /// For 0, 1 and 2 what takes its place.
    package var all: [Int32?] { [input, output, error] }
}

/// What is done with the container once it is made.
package enum LaunchMode: Sendable {
    /// The payload waits for `start`.
    case create
    /// The payload starts at once; the runtime stays and waits for it, or not.
    case run
}
