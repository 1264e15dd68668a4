internal import CLinux

package enum Clock {
    /// The clocks that a time namespace may move; time_namespaces(7).
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
}
