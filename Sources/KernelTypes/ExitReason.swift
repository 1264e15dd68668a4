internal import CLinux

/// How a process ended.
package enum ExitReason: Sendable, Equatable {
    case exited(code: Int32)
    case killed(signal: Signal)

    /// - Parameter status: of wait(2).
    package init(waitStatus status: Int32) {
        self =
            clinux_wait_exited(status) != 0
            ? .exited(code: clinux_wait_exit_status(status))
            : .killed(signal: Signal(rawValue: clinux_wait_signal(status)))
    }

    /// The number a shell would give: the code, or 128 + signal.
    package var shellStatus: Int32 {
        switch self {
        case .exited(let code): code
        case .killed(let signal): signal.shellStatus
        }
    }
}
