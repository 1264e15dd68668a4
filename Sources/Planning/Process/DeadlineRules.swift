internal import Errors
internal import OCISpec

/// What the kernel asks of SCHED_DEADLINE, and answers with EINVAL for all of it; sched(7), "SCHED_DEADLINE: Sporadic
/// task model deadline scheduling".
package enum DeadlineRules {
    /// The kernel's own choice of kernel.sched_deadline_period_min_us and kernel.sched_deadline_period_max_us.
    package static let usualPeriods: ClosedRange<UInt64> = 100_000...4_194_304_000

    /// The shortest runtime, to which the kernel's arithmetic is exact.
    private static let shortestRuntime: UInt64 = 1024

    static func check(_ scheduler: Scheduler, periods: ClosedRange<UInt64>, findings: inout Findings) {
        let fields = [
            ("runtime", scheduler.runtime), ("deadline", scheduler.deadline), ("period", scheduler.period),
        ]
        for (name, value) in fields where value ?? 0 == 0 {
            findings.refuse("process.scheduler.\(name)", "SCHED_DEADLINE needs it, in nanoseconds and above 0")
        }
        let runtime = scheduler.runtime ?? 0
        let deadline = scheduler.deadline ?? 0
        let period = scheduler.period ?? 0
        if runtime != 0, runtime < shortestRuntime {
            findings.refuse(
                "process.scheduler.runtime", "must be at least \(shortestRuntime) nanoseconds, is \(runtime)")
        }
        if deadline != 0, runtime > deadline {
            findings.refuse("process.scheduler.runtime", "must not be above the deadline (\(runtime) > \(deadline))")
        }
        if period != 0, deadline > period {
            findings.refuse("process.scheduler.deadline", "must not be above the period (\(deadline) > \(period))")
        }
        if period != 0, !periods.contains(period) {
            let bounds = "\(periods.lowerBound) to \(periods.upperBound)"
            findings.refuse(
                "process.scheduler.period",
                "must be \(bounds) nanoseconds, is \(period); see kernel.sched_deadline_period_min_us and …_max_us")
        }
    }
}
