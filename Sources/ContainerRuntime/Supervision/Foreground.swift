internal import Kernel
internal import OCISpec

/// The runtime beside a running container: it forwards signals, relays the terminal, reaps, and cleans up at the end.
struct Foreground: ~Copyable {
    private let record: Record
    private let initProcess: ChildProcess
    private let signals: Descriptor
    private var relay: TerminalRelay?

    init(_ created: consuming CreatedContainer, signals: consuming Descriptor) {
        record = created.record
        self.signals = signals
        relay = TerminalRelay.begin(created.terminal.take())
        initProcess = created.initProcess
    }

    /// Waits for the init, and deletes the container unless it is to be kept.
    consuming func stay(
        _ plan: LaunchPlan, _ store: Store, _ warn: (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        let reason: ExitReason
        do throws(SystemError) {
            reason = try supervise()
        } catch {
            relay?.end()
            try? Processes.kill(initProcess)  // whatever went wrong, nothing is left behind
            _ = try? Processes.wait(initProcess)
            try Launch.end(record, plan, store, warn)
            throw RuntimeError(error, doing: "supervise the container")
        }
        relay?.end()
        if !plan.options.keep { try Launch.end(record, plan, store, warn) }
        return reason.shellStatus
    }

    private mutating func supervise() throws(SystemError) -> ExitReason {
        // Its end may have been announced while poststart hooks ran, when nobody listened for it.
        if let reason = reap() { return reason }
        while true {
            var waiting: [(number: Int32, events: PollEvents)] = [(signals.number, .readable)]
            waiting += relay?.interests ?? []
            let ready = try Polling.wait(waiting)
            if !ready[0].isEmpty {
                if let reason = try handleSignals() {
                    relay?.drain()
                    return reason
                }
            }
            relay?.handle(ready.dropFirst())
        }
    }

    /// - Returns: how the init ended, if it did.
    private mutating func handleSignals() throws(SystemError) -> ExitReason? {
        var end: ExitReason?
        while let signal = try Signals.next(in: signals) {
            switch signal {
            case .childEnded: end = reap() ?? end
            // A terminal that has gone has no size to copy.
            case .windowChanged: try? relay?.copyWindowSize()
            default: forward(signal)
            }
        }
        return end
    }

    /// Reaps everybody who has ended.
    /// - Returns: how the init ended, if it was among them.
    private func reap() -> ExitReason? {
        var end: ExitReason?
        while let child = Processes.reapAny() {
            if child.pid == initProcess.pid { end = child.reason }
        }
        return end
    }

    private func forward(_ signal: Signal) {
        // An init that has just ended is reaped in the next turn.
        try? Processes.send(signal.rawValue, to: initProcess.pidfd)
    }
}
