internal import CLinux
package import KernelTypes

package enum Signals {
    /// Blocks every signal, so that they can be read from a descriptor instead.
    package static func blockAll() throws(SystemError) {
        var all = sigset_t()
        sigfillset(&all)
        _ = try check("sigprocmask") { sigprocmask(SIG_SETMASK, &all, nil) }
    }

    /// A descriptor from which the reading process gets its blocked signals. signalfd(2).
    package static func descriptor() throws(SystemError) -> Descriptor {
        var all = sigset_t()
        sigfillset(&all)
        return Descriptor(raw: try check("signalfd") { signalfd(-1, &all, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
    }

    /// The next signal waiting in a descriptor of ``descriptor()``; nil when there is none.
    package static func next(in descriptor: borrowing Descriptor) throws(SystemError) -> Signal? {
        try next(inNumber: descriptor.raw)
    }

    /// The same, with the process that has sent it: 0 for the kernel.
    package static func nextWithSender(
        in descriptor: borrowing Descriptor
    ) throws(SystemError) -> (signal: Signal, sender: Int32)? {
        try nextWithSender(inNumber: descriptor.raw)
    }

    /// The next signal for a descriptor that the caller owns and keeps open.
    package static func next(inNumber raw: Int32) throws(SystemError) -> Signal? {
        try nextWithSender(inNumber: raw)?.signal
    }

    private static func nextWithSender(
        inNumber raw: Int32
    ) throws(SystemError) -> (signal: Signal, sender: Int32)? {
        var info = signalfd_siginfo()
        do throws(SystemError) {
            _ = try check("read", "signals") { read(raw, &info, MemoryLayout<signalfd_siginfo>.size) }
        } catch {
            if error.code == .tryAgain { return nil }
            throw error
        }
        return (Signal(rawValue: Int32(bitPattern: info.ssi_signo)), Int32(bitPattern: info.ssi_pid))
    }

    /// Gives a program about to be executed what it would find after login: no signal blocked, none ignored.
    package static func resetForProgram() {
        for number in 1...64 where number != SIGKILL && number != SIGSTOP { clinux_signal_default(Int32(number)) }
        unblockAll()
    }

    static func unblockAll() {
        var none = sigset_t()
        sigemptyset(&none)
        _ = sigprocmask(SIG_SETMASK, &none, nil)
    }

    package static func ignore(_ signal: Signal) { clinux_signal_ignore(signal.rawValue) }
    package static func ignoreBrokenPipe() { clinux_signal_ignore(SIGPIPE) }
}
