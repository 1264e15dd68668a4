/// What the calling process brings along for a container's process: no option asks for it, it is found in the
/// process itself.
package struct Caller: Sendable {
    /// How many descriptors from 3 on come from socket activation, before the preserved ones; sd_listen_fds(3).
    package var activationDescriptors = 0
    /// Their names, as LISTEN_FDNAMES has them.
    package var activationNames: String?
    /// Where the service manager waits for notifications of the payload; NOTIFY_SOCKET, sd_notify(3).
    package var notify: NotifyPlan?
    /// What the environment names as the seccomp agent's socket; ``SeccompListener/variable``.
    package var seccompReceiver: String?
    /// Where signals for the runtime itself can be read while it sets a process up in the foreground.
    package var interrupts: Int32?

    /// A caller that brings nothing.
    package init() {}
}
