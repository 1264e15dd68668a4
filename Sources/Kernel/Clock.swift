internal import CLinux
internal import KernelTypes

/// Time that passes: for time limits and pauses, not for dates.
package enum MonotonicClock {
    /// Milliseconds since some moment in the past, not touched by changes of the date. clock_gettime(2),
    /// CLOCK_MONOTONIC.
    package static var milliseconds: Int64 {
        var now = timespec()
        _ = clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// Pauses; a signal may end it early.
    package static func sleep(milliseconds: Int64) {
        var time = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        _ = nanosleep(&time, nil)
    }
}

/// A moment by which something must have happened, fixed once: however often a wait for it is interrupted, it does not
/// move.
package struct Deadline: Sendable {
    /// On the monotonic clock; nil never comes.
    private let moment: Int64?

    /// - Parameter milliseconds: from now; nil, or more than the clock can count, never comes.
    package init(milliseconds: Int64?) {
        moment = milliseconds.flatMap {
            let (sum, isBeyond) = MonotonicClock.milliseconds.addingReportingOverflow(max(0, $0))
            return isBeyond ? nil : sum
        }
    }

    /// - Parameter seconds: from now; the same.
    package init(seconds: Int?) {
        self.init(
            milliseconds: seconds.map {
                Int64(clamping: $0.multipliedReportingOverflow(by: 1000).overflow ? .max : $0 * 1000)
            })
    }

    package static let never = Deadline(milliseconds: nil)

    package var hasPassed: Bool { moment.map { MonotonicClock.milliseconds >= $0 } ?? false }

    /// For poll(2), which counts in 32 bits: what is longer has to be waited for in parts. Negative: for ever.
    package var pollTimeout: Int32 {
        moment.map { Int32(clamping: max(0, $0 - MonotonicClock.milliseconds)) } ?? -1
    }
}

extension Clock {
    /// The time of day, UTC, since 1970.
    static func realTime() -> (seconds: Int, nanoseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec)
    }
}
