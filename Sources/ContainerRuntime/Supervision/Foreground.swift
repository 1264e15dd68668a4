internal import Kernel
internal import OCISpec

/// The runtime beside a running container: it forwards signals, relays the terminal, reaps, and cleans up at the end.
struct Foreground: ~Copyable {
    private let record: Record
    private let initProcess: ChildProcess
    private let signals: Descriptor
    private var relay: TerminalRelay?

    init(_ created: consuming CreatedContainer, signals: consuming Descriptor) throws(RuntimeError) {
        record = created.record
        self.signals = signals
        let terminal = created.terminal.take()
        initProcess = created.initProcess
        relay = try Self.makeRelay(terminal)
    }

    private static func makeRelay(_ terminal: consuming Descriptor?) throws(RuntimeError) -> TerminalRelay? {
        guard let terminal else { return nil }
        do throws(SystemError) {
            return try TerminalRelay.begin(terminal)
        } catch {
            throw RuntimeError(error, doing: "relay the terminal")
        }
    }

    /// Waits for the init, and deletes the container unless it is to be kept.
    consuming func stay(
        _ plan: LaunchPlan, _ store: Store, _ warn: (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        let reason = try operation("supervise the container") { () throws(SystemError) in try supervise() }
        relay?.end()
        if !plan.options.keep { try Launch.end(record, plan, store, warn) }
        return reason.shellStatus
    }

    private mutating func supervise() throws(SystemError) -> ExitReason {
        while true {
            var waiting: [(number: Int32, events: PollEvents)] = [(signals.number, .readable)]
            waiting += relay?.interests ?? []
            let ready = try Polling.wait(waiting)
            if !ready[0].isEmpty {
                if let reason = try handleSignals() {
                    try relay?.drain()
                    return reason
                }
            }
            try relay?.handle(ready.dropFirst())
        }
    }

    /// - Returns: how the init ended, if it did.
    private mutating func handleSignals() throws(SystemError) -> ExitReason? {
        var end: ExitReason?
        while let signal = try Signals.next(in: signals) {
            switch signal {
            case .childEnded:
                while let child = Processes.reapAny() {
                    if child.pid == initProcess.pid { end = child.reason }
                }
            case .windowChanged: try relay?.copyWindowSize()
            default: forward(signal)
            }
        }
        return end
    }

    private func forward(_ signal: Signal) {
        // An init that has just ended is reaped in the next turn.
        try? Processes.send(signal.rawValue, to: initProcess.pidfd)
    }
}
