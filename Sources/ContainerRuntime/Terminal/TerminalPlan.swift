internal import Kernel
internal import OCISpec

/// The payload's terminal. Specification: config.md, `process.terminal` and `process.consoleSize`.
struct TerminalPlan: Sendable {
    let size: WindowSize?
    /// Where the controlling side goes; nil: to the runtime, which relays it to its own terminal.
    let socket: String?

    /// nil when the payload has no terminal.
    init?(_ process: Process?, options: LaunchOptions, mode: LaunchMode, findings: inout PlanFindings) {
        let wanted = process?.terminal ?? false
        let leaves = mode == .create || options.detach
        if wanted, leaves, options.consoleSocket == nil {
            findings.refuse(
                "process.terminal", "cannot allocate tty if runbox will detach without setting console socket")
        }
        if !wanted, options.consoleSocket != nil {
            findings.refuse(
                "process.terminal", "cannot use console socket if runbox will not detach or allocate tty")
        }
        guard wanted else { return nil }
        size = process?.consoleSize.map {
            WindowSize(rows: UInt16(clamping: $0.height), columns: UInt16(clamping: $0.width))
        }
        socket = options.consoleSocket
    }
}
