internal import CLinux

/// The flags of seccomp(2), and which of them this kernel knows.
package enum SeccompSupport {
    package static let log: UInt32 = 2
    package static let allowSpeculation: UInt32 = 4
    /// The load returns the descriptor of a listener, which decides on calls with the verdict `notify`.
    /// seccomp_unotify(2).
    package static let newListener: UInt32 = 8
    /// A call that the listener has read waits for its answer and for SIGKILL only (Linux 5.19); with ``newListener``.
    package static let waitKillable: UInt32 = 32

    /// Whether a supervisor's answer may be waited for by all but fatal signals (Linux 5.19). The flag is valid only
    /// with a new listener.
    package static var knowsWaitKillable: Bool { isKnown(flag: newListener | waitKillable) }

    /// Whether the kernel knows a filter flag: an unknown one is EINVAL, a known one faults on the missing program.
    package static func isKnown(flag: UInt32) -> Bool {
        let result = clinux_syscall(Int(SYS_seccomp), Int(SECCOMP_SET_MODE_FILTER), Int(flag), 0, 0, 0, 0)
        return result == -1 && Errno.current.rawValue == EFAULT
    }
}
