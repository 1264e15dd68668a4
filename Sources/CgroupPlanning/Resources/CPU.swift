internal import Errors
internal import OCISpec

/// CPU time: cgroup-v2.rst, "CPU"; config-linux.md, "CPU".
extension ResourcesPlan {
    mutating func addCPU(_ cpu: CPUResources, updating: Bool) {
        if let runtime = cpu.realtimeRuntime, runtime != 0 { refuseVersion1("cpu.realtimeRuntime") }
        if let period = cpu.realtimePeriod, period != 0 { refuseVersion1("cpu.realtimePeriod") }
        addIdle(cpu)
        // With SCHED_IDLE the weight is the kernel's smallest, and it refuses another one (sched_group_set_shares:
        // EINVAL).
        if cpu.idle != 1, let shares = cpu.shares, let weight = CPUWeight.weight(shares: shares) {
            add("cpu.weight", String(weight), .cpu, field: "cpu.shares")
        }
        addBandwidth(cpu, updating: updating)
    }

    private mutating func addIdle(_ cpu: CPUResources) {
        guard let idle = cpu.idle else { return }
        if idle == 0 || idle == 1 {
            // Before the weight: leaving SCHED_IDLE sets the weight back to its default.
            add("cpu.idle", String(idle), .cpu, field: "cpu.idle", optional: idle == 0)
        } else {
            refuse("cpu.idle", "expected 0 or 1, found \(idle)")
        }
    }

    /// `cpu.max` holds quota and period in one line. The kernel's bounds are 1 ms for the quota, and 1 ms to 1 s for
    /// the period (kernel/sched/core.c, `tg_set_cfs_bandwidth`); its EINVAL would not say which.
    private mutating func addBandwidth(_ cpu: CPUResources, updating: Bool) {
        let quota = cpu.quota ?? 0
        let period = cpu.period ?? 0
        if quota > 0, quota < 1000 { refuse("cpu.quota", "expected at least 1000 microseconds, found \(quota)") }
        if period != 0, !(1000...1_000_000).contains(period) {
            refuse("cpu.period", "expected 1000 to 1000000 microseconds, found \(period)")
        }
        if let burst = cpu.burst, quota > 0, burst > UInt64(quota) {
            refuse("cpu.burst", "must not be above cpu.quota (\(quota)), found \(burst)")
        }
        if quota != 0 || period != 0 {
            let field = quota != 0 ? "cpu.quota" : "cpu.period"
            // The kernel refuses a quota below the burst, so an update takes the old burst away first.
            if updating, quota > 0 { add("cpu.max.burst", "0", .cpu, field: field, optional: true) }
            add("cpu.max", "\(quota > 0 ? String(quota) : "max") \(period == 0 ? 100_000 : period)", .cpu, field: field)
        }
        if let burst = cpu.burst {
            add("cpu.max.burst", String(burst), .cpu, field: "cpu.burst", optional: burst == 0)
        }
    }
}
