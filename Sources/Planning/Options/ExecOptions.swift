internal import OCISpec

/// What the caller asks for when it runs another program in a container: the flags of `exec`.
public struct ExecOptions: Sendable {
    /// A user for ``ExecOptions/user``, in IDs of the container.
    public struct User: Sendable, Equatable {
        /// The user ID.
        public var user: UInt32
        /// The group ID; nil leaves the container's.
        public var group: UInt32?

        /// Reads `UID` or `UID:GID`, decimal digits only; nil for anything else. A lenient reading of this text has run
        /// programs as the wrong user in another runtime (CVE-2026-30892).
        public init?(_ text: String) {
            let bytes = Array(text.utf8)
            let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), let user = Self.id(parts[0]) else { return nil }
            self.user = user
            guard parts.count == 2 else { return }
            guard let group = Self.id(parts[1]) else { return nil }
            self.group = group
        }

        /// The largest number is the kernel's "leave it as it is" (setresuid(2)), and no user.
        private static func id(_ digits: ArraySlice<UInt8>) -> UInt32? {
            guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let id = UInt32(String(decoding: digits, as: UTF8.self)), id != .max
            else { return nil }
            return id
        }
    }

    /// A file with a `process` object (config.md, "Process"), which then says everything that the next fields could.
    public var processFile: String?
    /// The program and its arguments.
    public var arguments: [String] = []
    /// The working directory; nil for the container's.
    public var directory: String?
    /// Variables as `NAME=value`, which replace those of the container's process.
    public var environment: [String] = []
    /// Whether the process gets a terminal. It does not inherit one from the container's configuration, which few
    /// callers of `exec` mean.
    public var terminal = false
    /// Who the process runs as; nil for the container's user and group.
    public var user: User?
    /// Supplementary groups, in addition to those of the container's user.
    public var additionalGroups: [UInt32] = []
    /// Capabilities by name, in addition to those of the container's process. Never inheritable (CVE-2022-29162).
    public var capabilities: [String] = []
    /// Whether privileges can never be gained; nil for what the container's process has.
    public var noNewPrivileges: Bool?
    /// An AppArmor profile; nil for the container's.
    public var apparmorProfile: String?
    /// An SELinux label; nil for the container's.
    public var selinuxLabel: String?

    /// What the process gets as its standard streams.
    public var streams = StandardStreamOptions()
    /// The file that gets the process's number, decimal digits without a newline, once its program runs.
    public var pidFile: String?
    /// A listening Unix stream socket that receives the process's pidfd, with the text `setns`.
    public var pidfdSocket: String?
    /// A listening Unix stream socket that receives the terminal's controlling side.
    public var consoleSocket: String?
    /// A cgroup below the container's that the process starts in.
    public var cgroup: String?
    /// Goes on in a paused container, in which the program runs when it is resumed.
    public var ignorePaused = false

    // Of a foreground `exec`, which is a process of its own: ``Container/execInForeground(_:caller:warn:)``.

    /// Returns once the program runs, instead of waiting for it.
    package var detach = true
    /// Whether this process gives up for good, once the program runs, what it does not need to stay with it:
    /// capabilities, files, and most system calls.
    package var confinesCaller = false

    /// Options as they are when nothing is asked for.
    public init() {}
}
