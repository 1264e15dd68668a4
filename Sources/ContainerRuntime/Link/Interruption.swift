internal import Errors
internal import Kernel
internal import KernelTypes

/// What may end a wait during the set-up before its time.
package struct Interruption: Sendable {
    /// Where signals for a foreground `run` are read. Before the payload runs there is no process to forward them to,
    /// so they end the set-up.
    var signals: Int32?
    /// The init: when it ends, say by `delete --force`, there is nothing left to set up.
    var initProcess: Int32?

    /// Whose halt would make the wait endless.
    var halt = Halt.unwatched

    /// How a wait ended.
    enum Outcome: Equatable {
        case ready
        case late
        case signal(Signal)
        case initEnded
        /// The process that should make it end has not gone on for ``Halt/timeout``.
        case halted
    }

    /// Waits until a descriptor is readable.
    /// - Parameter deadline: until when; it does not move when something interrupts the wait.
    func wait(for number: Int32, until deadline: Deadline = .never) throws(SystemError) -> Outcome {
        var watch = HaltWatch(halt)
        while true {
            let ready = try Polling.wait(
                [(number, .readable), (signals ?? -1, .readable), (initProcess ?? -1, .readable)],
                timeout: watch.limit(deadline.pollTimeout))
            if let signals, !ready[1].isEmpty {
                while let signal = try Signals.next(inNumber: signals) {
                    if signal.endsProcess { return .signal(signal) }
                }
            }
            if !ready[0].isEmpty { return .ready }
            if !ready[2].isEmpty { return .initEnded }
            if deadline.hasPassed { return .late }
            if watch.hasLasted() { return .halted }
        }
    }

    /// Waits until a descriptor is readable, or ends the set-up by a signal.
    @discardableResult
    func waitOrFail(for number: Int32) throws(StepFailure) -> Outcome {
        let outcome = try step(.gate, try wait(for: number))
        switch outcome {
        case .signal(let signal):
            throw StepFailure(
                .gate, .refused("interrupted by \(signal.description)"), exitStatus: signal.shellStatus)
        case .halted: throw StepFailure(.gate, Halt.failure)
        case .ready, .late, .initEnded: return outcome
        }
    }
}

/// A process that others may halt: one that shares its pid namespace can send it SIGSTOP, which no process can
/// block, and one that may trace it can hold it.
enum Halt {
    case unwatched
    /// Any process, by what procfs says of it.
    case process(Int32)
    /// A child of this process, whose halt the kernel reports without procfs, but not while it is traced.
    case child(Int32)

    /// How long a process may be halted, in milliseconds. One that is busy, however slow, is not halted at all.
    static let timeout: Int64 = 10_000

    /// The error for a process that was halted for too long.
    static var failure: SystemError {
        .refused(
            "the container's process was stopped by a signal or a tracer and has not gone on for \(timeout / 1000) s; "
                + "a process that shares its pid namespace can do that")
    }

    fileprivate var isNow: Bool {
        switch self {
        case .unwatched: false
        case .process(let pid): Processes.isHalted(pid)
        case .child(let pid): Processes.isStoppedChild(pid)
        }
    }
}

/// Notices a halt that lasts, between the turns of a loop that waits for something else.
struct HaltWatch {
    private let halt: Halt
    /// Since when the process is halted, on the monotonic clock.
    private var since: Int64?

    /// The interval between two looks, in milliseconds.
    private static let pause: Int32 = 500

    init(_ halt: Halt) { self.halt = halt }

    /// The time for poll(2) in which the process must be looked at again.
    func limit(_ timeout: Int32 = -1) -> Int32 {
        if case .unwatched = halt { return timeout }
        return timeout < 0 ? Self.pause : min(timeout, Self.pause)
    }

    /// Looks at the process; to be called when the wait brought nothing.
    mutating func hasLasted() -> Bool {
        guard halt.isNow else {
            since = nil
            return false
        }
        let now = MonotonicClock.milliseconds
        let began = since ?? now
        since = began
        return now - began >= Halt.timeout
    }
}
