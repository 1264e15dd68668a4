internal import CLinux

/// Time that passes: for time limits and pauses, not for dates.
package enum MonotonicClock {
    /// Milliseconds since some moment in the past, not touched by changes of the date. clock_gettime(2), CLOCK_MONOTONIC.
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

package enum Clock {
    /// The clocks that a time name space may move; time_namespaces(7).
    package enum Movable: Sendable {
        /// CLOCK_MONOTONIC.
        case start
        /// CLOCK_BOOTTIME, which also counts while the machine sleeps.
        case boot
    }

    /// What a clock says, in whole seconds.
    package static func seconds(since beginning: Movable) -> Int {
        var time = timespec()
        clock_gettime(beginning == .boot ? CLOCK_BOOTTIME : CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    /// The time of day, UTC, since 1970.
    package static func realTime() -> (seconds: Int, nanoseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec)
    }
}
