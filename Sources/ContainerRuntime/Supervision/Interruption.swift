internal import Kernel

/// What may end a wait during the set-up before its time.
struct Interruption: Sendable {
    /// Where signals for a foreground `run` are read. Before the payload runs there is nobody to forward them to, so they end the set-up.
    var signals: Int32?
    /// The init: when it ends, say by `delete --force`, there is nothing left to set up.
    var initProcess: Int32?

    /// How a wait ended.
    enum Outcome: Equatable {
        case ready
        case late
        case signal(Signal)
        case initEnded
    }

    /// Waits until a descriptor is readable.
    /// - Parameter timeout: milliseconds; negative waits for ever.
    func wait(for number: Int32, timeout: Int32 = -1) throws(SystemError) -> Outcome {
        while true {
            let ready = try Polling.wait(
                [(number, .readable), (signals ?? -1, .readable), (initProcess ?? -1, .readable)], timeout: timeout)
            if let signals, !ready[1].isEmpty {
                while let signal = try Signals.next(inNumber: signals) {
                    if signal.endsProcess { return .signal(signal) }
                }
            }
            if !ready[0].isEmpty { return .ready }
            if !ready[2].isEmpty { return .initEnded }
            if ready[1].isEmpty { return .late }
        }
    }

    /// Waits until a descriptor is readable, or ends the set-up by a signal.
    @discardableResult
    func waitOrFail(for number: Int32) throws(StageFailure) -> Outcome {
        let outcome = try step(.gate, try wait(for: number))
        guard case .signal(let signal) = outcome else { return outcome }
        throw StageFailure(
            .gate, .refused("interrupted by \(signal.description)"), exitStatus: 128 + signal.rawValue)
    }
}
