package import Planning

/// When a payload is asked how it is, and what the answers come to. Times are milliseconds on the monotonic clock.
package struct HealthJudge: Sendable {
    private let settings: HealthSettings
    package private(set) var status = HealthStatus.starting
    /// Failures in a row that count.
    package private(set) var failures = 0
    /// When the next check begins.
    package private(set) var next: Int64
    /// Before it, failures do not count.
    private var countsFrom: Int64
    /// Between checks until the first one succeeds.
    private var eagerness: Int64 = 100

    /// - Parameter start: when the payload began.
    package init(_ settings: HealthSettings, start: Int64) {
        self.settings = settings
        next = start
        countsFrom = start + max(settings.startPeriod, settings.interval)
    }

    /// A check has ended.
    /// - Returns: whether the status has changed.
    package mutating func note(_ isWell: Bool, at now: Int64) -> Bool {
        let before = status
        if isWell {
            status = .healthy
            failures = 0
            next = now + settings.interval
            countsFrom = now
            return status != before
        }
        if status == .starting, now < countsFrom {
            // A service that is ready when it is healthy should not wait for a whole interval.
            eagerness = min(eagerness * 2, settings.interval)
            next = min(now + eagerness, max(countsFrom, now + 1))
            return false
        }
        failures += 1
        countsFrom = now + settings.interval
        next = now + settings.interval
        if failures >= settings.retries { status = .unhealthy }
        return status != before
    }

    /// A check could not be made, which says nothing.
    package mutating func pass(at now: Int64) { next = now + settings.interval }
}
