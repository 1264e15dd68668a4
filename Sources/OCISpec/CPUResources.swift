internal import JSON

/// CPU time and CPU sets (config-linux.md, "CPU").
package struct CPUResources: Sendable, Hashable {
    /// The relative share of CPU time, on cgroup v1's scale of 2 to 262144.
    package var shares: UInt64?
    /// Microseconds of CPU in each period; not above 0 means no limit.
    package var quota: Int64?
    /// Microseconds that may be saved up and spent on top of the quota.
    package var burst: UInt64?
    /// Microseconds of a period.
    package var period: UInt64?
    /// Microseconds of real-time CPU in each period (cgroup v1 only).
    package var realtimeRuntime: Int64?
    /// Microseconds of a real-time period (cgroup v1 only).
    package var realtimePeriod: UInt64?
    /// The CPUs, a list such as `0-3,7`.
    package var cpus: String?
    /// The memory nodes, a list such as `0-3,7`.
    package var mems: String?
    /// 1 for SCHED_IDLE, 0 for the default.
    package var idle: Int64?

    /// Limits by their kind.
    package init(
        shares: UInt64? = nil, quota: Int64? = nil, burst: UInt64? = nil, period: UInt64? = nil,
        realtimeRuntime: Int64? = nil, realtimePeriod: UInt64? = nil, cpus: String? = nil, mems: String? = nil,
        idle: Int64? = nil
    ) {
        self.shares = shares
        self.quota = quota
        self.burst = burst
        self.period = period
        self.realtimeRuntime = realtimeRuntime
        self.realtimePeriod = realtimePeriod
        self.cpus = cpus
        self.mems = mems
        self.idle = idle
    }
}

extension CPUResources: Section {
    init(_ fields: inout Fields) {
        shares = fields.integer("shares")
        quota = fields.integer("quota")
        burst = fields.integer("burst")
        period = fields.integer("period")
        realtimeRuntime = fields.integer("realtimeRuntime")
        realtimePeriod = fields.integer("realtimePeriod")
        cpus = fields.string("cpus")
        mems = fields.string("mems")
        idle = fields.integer("idle", in: 0...1)
        if let burst, let quota, quota > 0, burst > quota.magnitude {
            fields.error("burst", "must be no larger than \"quota\" (\(quota)), found \(burst)")
        }
    }

    func merging(_ changes: CPUResources) -> CPUResources {
        var merged = self
        merged.shares = given(changes.shares) ?? shares
        // The kernel gives idle containers a weight of its own; so does runc.
        if changes.idle == 1, given(changes.shares) == nil { merged.shares = nil }
        merged.quota = given(changes.quota) ?? quota
        merged.burst = changes.burst ?? burst
        merged.period = given(changes.period) ?? period
        merged.realtimeRuntime = given(changes.realtimeRuntime) ?? realtimeRuntime
        merged.realtimePeriod = given(changes.realtimePeriod) ?? realtimePeriod
        merged.cpus = given(changes.cpus) ?? cpus
        merged.mems = given(changes.mems) ?? mems
        merged.idle = changes.idle ?? idle
        return merged
    }

    func write(to writer: inout Writer) {
        writer.number("shares", shares)
        writer.number("quota", quota)
        writer.number("burst", burst)
        writer.number("period", period)
        writer.number("realtimeRuntime", realtimeRuntime)
        writer.number("realtimePeriod", realtimePeriod)
        if let cpus { writer.member("cpus", cpus) }
        if let mems { writer.member("mems", mems) }
        writer.number("idle", idle)
    }
}
