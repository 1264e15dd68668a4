/// What the calling process hands on to a container's process: open descriptors and what its environment names.
///
/// ``Caller/current`` is the process as its environment describes it; a caller by ``Caller/init()`` hands nothing on.
public struct Caller: Sendable {
    /// How many descriptors from 3 on come from socket activation; LISTEN_FDS, sd_listen_fds(3). Numbers among them
    /// that are not open stay holes.
    public var activationDescriptors = 0
    /// Their names; LISTEN_FDNAMES.
    public var activationNames: String?
    /// How many descriptors behind those the process inherits beside, holes included; `--preserve-fds`.
    public var preservedDescriptors = 0
    /// Where the service manager waits for notifications of the payload: a path, or a name with `@` in front.
    /// NOTIFY_SOCKET, sd_notify(3).
    public var notifySocket: String?
    /// The seccomp agent's socket, where the configuration names none; RUN_OCI_SECCOMP_RECEIVER.
    public var seccompReceiver: String?
    /// ``notifySocket`` as it shows in the container.
    package var notify: NotifyPlan?
    /// Where signals for the runtime itself can be read while it sets a process up in the foreground.
    package var interrupts: Int32?

    /// A caller that hands nothing on.
    public init() {}

    /// The numbers that a process inherits, but for 0, 1 and 2; nil until it is looked which are open.
    package var inherited: [Int32]?
}
