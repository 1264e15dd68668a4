/// The attributes of sched_setattr(2), in the kernel's numbers.
package struct SchedulingAttributes: Sendable, Equatable {
    package var policy: UInt32
    package var flags: UInt64
    package var nice: Int32
    package var priority: UInt32
    package var runtime: UInt64
    package var deadline: UInt64
    package var period: UInt64

    package init(
        policy: UInt32, flags: UInt64 = 0, nice: Int32 = 0, priority: UInt32 = 0, runtime: UInt64 = 0,
        deadline: UInt64 = 0, period: UInt64 = 0
    ) {
        self.policy = policy
        self.flags = flags
        self.nice = nice
        self.priority = priority
        self.runtime = runtime
        self.deadline = deadline
        self.period = period
    }
}
