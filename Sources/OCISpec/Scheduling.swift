/// How a process is scheduled (config.md, "Linux Process", `scheduler`; sched_setattr(2)).
package struct Scheduler: Sendable, Hashable {
    /// The policy.
    package var policy: SchedulerPolicy
    /// −20 (first) to 19 (last); 0 where absent.
    package var nice: Int32?
    /// The static priority of the real-time policies; 0 where absent.
    package var priority: Int32?
    /// Further behaviour.
    package var flags: [SchedulerFlag]?
    /// Nanoseconds of CPU in each period, for the deadline policy.
    package var runtime: UInt64?
    /// Nanoseconds from a period's start to the deadline, for the deadline policy.
    package var deadline: UInt64?
    /// Nanoseconds of a period, for the deadline policy.
    package var period: UInt64?

    /// Scheduling by its parts.
    package init(
        policy: SchedulerPolicy, nice: Int32? = nil, priority: Int32? = nil, flags: [SchedulerFlag]? = nil,
        runtime: UInt64? = nil, deadline: UInt64? = nil, period: UInt64? = nil
    ) {
        self.policy = policy
        self.nice = nice
        self.priority = priority
        self.flags = flags
        self.runtime = runtime
        self.deadline = deadline
        self.period = period
    }
}

/// The kernel's scheduling policies.
package enum SchedulerPolicy: String, Word {
    case other = "SCHED_OTHER"
    case fifo = "SCHED_FIFO"
    case roundRobin = "SCHED_RR"
    case batch = "SCHED_BATCH"
    case iso = "SCHED_ISO"
    case idle = "SCHED_IDLE"
    case deadline = "SCHED_DEADLINE"
}

/// The kernel's scheduling flags.
package enum SchedulerFlag: String, Word {
    case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
    case reclaim = "SCHED_FLAG_RECLAIM"
    case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
    case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
    case keepParameters = "SCHED_FLAG_KEEP_PARAMS"
    case utilizationClampMinimum = "SCHED_FLAG_UTIL_CLAMP_MIN"
    case utilizationClampMaximum = "SCHED_FLAG_UTIL_CLAMP_MAX"
}

extension Scheduler: Section {
    init(_ fields: inout Fields) {
        policy = fields.requiredWord("policy", placeholder: .other)
        nice = fields.integer("nice", in: -20...19)
        priority = fields.integer("priority")
        flags = fields.words("flags")
        runtime = fields.integer("runtime")
        deadline = fields.integer("deadline")
        period = fields.integer("period")
    }
}

/// The I/O priority of the container's processes (config.md, "Linux Process", `ioPriority`).
package struct IOPriority: Sendable, Hashable {
    /// The class.
    package var `class`: IOPriorityClass
    /// Within the class, 0 (first) to 7 (last).
    package var priority: Int

    /// A priority by its parts.
    package init(class: IOPriorityClass, priority: Int) {
        self.class = `class`
        self.priority = priority
    }
}

/// The kernel's I/O priority classes.
package enum IOPriorityClass: String, Word {
    case realtime = "IOPRIO_CLASS_RT"
    case bestEffort = "IOPRIO_CLASS_BE"
    case idle = "IOPRIO_CLASS_IDLE"
}

extension IOPriority: Section {
    init(_ fields: inout Fields) {
        `class` = fields.requiredWord("class", placeholder: .bestEffort)
        priority = fields.integerOrZero("priority", in: 0...7)
    }
}

/// The CPUs a process of `exec` runs on, lists such as `0-3,7` (config.md, "Linux Process", `execCPUAffinity`).
package struct CPUAffinity: Sendable, Hashable {
    /// Before it enters the container's cgroup.
    package var initial: String?
    /// After; absent or empty leaves it to the kernel.
    package var final: String?

    /// An affinity by its parts.
    package init(initial: String? = nil, final: String? = nil) {
        self.initial = initial
        self.final = final
    }
}

extension CPUAffinity: Section {
    init(_ fields: inout Fields) {
        initial = fields.string("initial")
        final = fields.string("final")
        Self.check("initial", initial, fields)
        Self.check("final", final, fields)
    }

    /// The characters that the specification's schema allows; which CPUs there are is the host's matter.
    private static func check(_ key: StaticString, _ list: String?, _ fields: Fields) {
        let allowed = "0123456789, -".utf8
        if let list, !list.utf8.allSatisfy(allowed.contains) {
            fields.error(key, "expected a list of CPUs such as \"0-3,7\"")
        }
    }
}
