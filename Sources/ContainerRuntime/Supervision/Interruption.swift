internal import Kernel

/// Signals that reach a foreground `run` before its payload runs: there is nobody to forward them to, so they end the set-up.
enum Interruption {
    /// Waits until a descriptor is readable.
    /// - Parameter interrupts: where signals are read, if they are.
    /// - Returns: the signal that came first and means the end; nil when the descriptor is ready or the time is up.
    static func wait(
        for number: Int32, interrupts: Int32?, timeout: Int32 = -1
    ) throws(SystemError) -> (signal: Signal?, isReady: Bool) {
        while true {
            let ready = try Polling.wait([(number, .readable), (interrupts ?? -1, .readable)], timeout: timeout)
            if let interrupts, !ready[1].isEmpty {
                while let signal = try Signals.next(inNumber: interrupts) {
                    if signal.endsProcess { return (signal, false) }
                }
            }
            if !ready[0].isEmpty { return (nil, true) }
            if ready[1].isEmpty { return (nil, false) }
        }
    }
}
