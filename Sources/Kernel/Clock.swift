internal import CLinux

package enum Clock {
    /// The time of day, UTC, since 1970.
    package static func realTime() -> (seconds: Int, nanoseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec)
    }
}
