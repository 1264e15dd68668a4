internal import Errors
package import KernelTypes
internal import OCISpec

/// The payload's terminal. Specification: config.md, `process.terminal` and `process.consoleSize`.
package struct TerminalPlan: Sendable {
    package let size: WindowSize?
    /// Where the controlling side goes; nil: to the runtime, which relays it to its own terminal.
    package let socket: String?

    /// nil when the payload has no terminal.
    init?(_ process: Process?, options: LaunchOptions, mode: LaunchMode, findings: inout Findings) {
        self.init(
            process, consoleSocket: options.consoleSocket, leaves: mode == .create || options.detach,
            without: "set process.terminal to false", findings: &findings)
    }

    /// - Parameters:
    ///   - leaves: whether the runtime ends before the payload, and cannot relay.
    ///   - without: what to do for a process without a terminal.
    init?(
        _ process: Process?, consoleSocket: String?, leaves: Bool, without remedy: String, findings: inout Findings
    ) {
        let wanted = process?.terminal ?? false
        if wanted, leaves, consoleSocket == nil {
            findings.refuse(
                "process.terminal",
                "cannot allocate tty if runbox will detach without setting console socket; \(remedy), or give --console-socket"
            )
        }
        if !wanted, consoleSocket != nil {
            findings.refuse(
                "process.terminal",
                "cannot use console socket if runbox will not detach or allocate tty; leave --console-socket out, or ask for a terminal"
            )
        }
        guard wanted else { return nil }
        size = process?.consoleSize.map {
            WindowSize(rows: UInt16(clamping: $0.height), columns: UInt16(clamping: $0.width))
        }
        socket = consoleSocket
    }
}
