internal import Errors
internal import Kernel
internal import KernelTypes

/// The runtime beside a running process of a container: it forwards signals, relays the terminal and reaps.
struct Foreground: ~Copyable {
    private let process: ChildProcess
    /// What is being done, for an error.
    private let doing: String
    private let signals: Descriptor
    /// Where there is a terminal, it is relayed from the moment that this process stays.
    private var terminal: Descriptor?
    private var relay: TerminalRelay?
    /// What the payload reports to a service manager.
    private var notify: NotifyProxy?
    private let warn: (String) -> Void

    init(
        _ process: consuming ChildProcess, doing: String, terminal: consuming Descriptor?,
        signals: consuming Descriptor, notify: consuming NotifyProxy? = nil, warn: @escaping (String) -> Void = { _ in }
    ) {
        self.process = process
        self.doing = doing
        self.notify = notify
        self.warn = warn
        self.signals = signals
        self.terminal = terminal
    }

    /// Waits for the process to end. Where that cannot be done any more, it is killed: nothing is left behind.
    consuming func stay() throws(RuntimeError) -> ExitReason {
        do throws(SystemError) {
            try beginRelay()
            let reason = try supervise()
            // What it said at last, such as that it stops.
            notify?.forward(warn: warn)
            relay?.drain(signals: signals)
            endRelay()
            return reason
        } catch {
            endRelay()
            // It may have ended by itself.
            try? Processes.kill(process)
            _ = try? Processes.wait(process)
            throw RuntimeError(error, doing: doing)
        }
    }

    private mutating func beginRelay() throws(SystemError) { relay = try TerminalRelay.begin(terminal.take()) }

    private func endRelay() {
        switch relay {
        case .some(let relay):
            if let lost = relay.outputFailure { warn("the output of the terminal was lost: \(lost)") }
            guard let failure = relay.end() else { return }
            warn("the settings of the terminal could not be restored: \(failure); reset(1) does it")
        case .none: return
        }
    }

    private mutating func supervise() throws(SystemError) -> ExitReason {
        // Its end may have been announced while poststart hooks ran, when this process did not listen.
        if let reason = reap() { return reason }
        while true {
            var waiting: [(number: Int32, events: PollEvents)] = [
                (signals.number, .readable), (process.pidfd.number, .readable), (notify?.number ?? -1, .readable),
            ]
            waiting += relay?.interests ?? []
            let ready = try Polling.wait(waiting)
            if !ready[0].isEmpty {
                if let reason = try handleSignals() { return reason }
            }
            // It has ended and was not among those reaped: what keeps it from being waited for is an error, and no
            // reason to wait for ever.
            if !ready[1].isEmpty { return try Processes.wait(process) }
            if !ready[2].isEmpty { notify?.forward(warn: warn) }
            relay?.handle(ready.dropFirst(3))
        }
    }

    /// - Returns: how the process ended, if it did.
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

    /// Reaps all children that have ended.
    /// - Returns: how the process ended, if it was among them.
    private func reap() -> ExitReason? {
        var end: ExitReason?
        while let child = Processes.reapAny() {
            if child.pid == process.pid { end = child.reason }
        }
        return end
    }

    private func forward(_ signal: Signal) {
        // A process that has just ended is reaped in the next turn.
        try? Processes.send(signal, to: process.pidfd)
    }
}
