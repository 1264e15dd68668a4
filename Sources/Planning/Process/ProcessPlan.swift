package import Errors
package import KernelTypes
package import OCISpec

/// The process that the container is for: what it is called with, who it is, where it begins. Specification: config.md,
/// "Process".
package struct ProcessPlan: Sendable {
    package struct Limit: Sendable {
        package let kind: LimitKind
        package let name: String
        package let soft: UInt64
        package let hard: UInt64
    }

    package let arguments: [String]
    /// Later duplicates have won; without `HOME`, which needs the container's passwd file.
    package let environment: [String]
    package let directory: String
    package let user: UInt32
    package let group: UInt32
    package let additionalGroups: [UInt32]
    /// Whether the groups of the runtime stay as they are; ``AnnotationName/keepGroups``.
    package var keepsGroups = false
    /// The file mode creation mask of the payload; 0022 where the configuration has none, as in runc and crun.
    package let creationMask: UInt32
    package let limits: [Limit]
    package let oomScoreAdjustment: Int?
    package let scheduling: SchedulingAttributes?
    package let ioPriority: (class: UInt32, level: UInt32)?

    /// - Parameter periods: what the kernel takes as the period of SCHED_DEADLINE, in nanoseconds.
    package init(
        _ process: Process, namespaces: NamespacePlan, periods: ClosedRange<UInt64> = DeadlineRules.usualPeriods,
        findings: inout Findings
    ) {
        arguments = process.args ?? []
        if arguments.isEmpty { findings.refuse("process.args", "args must not be empty") }
        environment = Self.environment(process.env ?? [], findings: &findings)
        directory = process.cwd
        user = process.user.uid
        group = process.user.gid
        additionalGroups = process.user.additionalGids ?? []
        creationMask = process.user.umask ?? 0o022
        limits = (process.rlimits ?? []).map {
            Limit(kind: $0.type.kind, name: $0.type.rawValue, soft: $0.soft, hard: $0.hard)
        }
        for (index, limit) in limits.enumerated() where limit.soft > limit.hard {
            findings.refuse("process.rlimits[\(index)].soft", "is above the hard limit (\(limit.soft) > \(limit.hard))")
        }
        oomScoreAdjustment = process.oomScoreAdj
        scheduling = process.scheduler.flatMap { SchedulingAttributes($0, periods: periods, findings: &findings) }
        ioPriority = process.ioPriority.map { ($0.class.number, UInt32($0.priority)) }
        refuseUnmapped(process.user, namespaces, &findings)
    }

    private func refuseUnmapped(_ user: User, _ namespaces: NamespacePlan, _ findings: inout Findings) {
        guard namespaces.new.contains(.user) else { return }
        func check(_ id: UInt32, _ mappings: [IDMapping], _ field: String, _ kind: String) {
            if NamespacePlan.hostID(of: id, in: mappings) == nil {
                findings.refuse(field, "\(id) is not mapped in the user namespace; extend linux.\(kind)Mappings")
            }
        }
        check(user.uid, namespaces.uidMappings, "process.user.uid", "uid")
        check(user.gid, namespaces.gidMappings, "process.user.gid", "gid")
        for (index, group) in additionalGroups.enumerated() {
            check(group, namespaces.gidMappings, "process.user.additionalGids[\(index)]", "gid")
        }
    }

    private static func environment(_ entries: [String], findings: inout Findings) -> [String] {
        var result: [String] = []
        // Only long lists are worth a dictionary, the first of which costs a process more than comparing a few names.
        var places: [[UInt8]: Int]? = entries.count > 100 ? [:] : nil
        for (index, entry) in entries.enumerated() {
            guard let equals = entry.utf8.firstIndex(of: UInt8(ascii: "=")), equals != entry.startIndex else {
                findings.refuse("process.env[\(index)]", "must have the form NAME=value, is \"\(entry)\"")
                continue
            }
            let name = Array(entry.utf8[..<equals])
            if let place = places != nil ? places?[name] : place(of: name, in: result) {
                result[place] = entry
            } else {
                places?[name] = result.count
                result.append(entry)
            }
        }
        return result
    }

    private static func place(of name: [UInt8], in entries: [String]) -> Int? {
        entries.firstIndex { entry in
            entry.utf8.count > name.count && entry.utf8.starts(with: name)
                && entry.utf8.dropFirst(name.count).first == UInt8(ascii: "=")
        }
    }

    /// The value of a variable of the payload's environment.
    package func variable(_ name: String) -> String? {
        Self.place(of: Array(name.utf8), in: environment).flatMap { environment[$0].rest(after: "\(name)=") }
    }
}

extension RLimitType {
    /// The kernel's number; asm-generic/resource.h.
    fileprivate var kind: LimitKind {
        let number: UInt32 =
            switch self {
            case .cpu: 0
            case .fileSize: 1
            case .data: 2
            case .stack: 3
            case .core: 4
            case .residentSet: 5
            case .processes: 6
            case .openFiles: 7
            case .lockedMemory: 8
            case .addressSpace: 9
            case .locks: 10
            case .pendingSignals: 11
            case .messageQueues: 12
            case .nice: 13
            case .realtimePriority: 14
            case .realtimeTime: 15
            }
        return LimitKind(rawValue: number)
    }
}

extension IOPriorityClass {
    /// ioprio_set(2).
    fileprivate var number: UInt32 {
        switch self {
        case .realtime: 1
        case .bestEffort: 2
        case .idle: 3
        }
    }
}

extension SchedulingAttributes {
    /// Reads the `scheduler` section; sched_setattr(2).
    fileprivate init?(_ scheduler: Scheduler, periods: ClosedRange<UInt64>, findings: inout Findings) {
        let policy: UInt32 =
            switch scheduler.policy {
            case .other: 0
            case .fifo: 1
            case .roundRobin: 2
            case .batch: 3
            case .iso: 4
            case .idle: 5
            case .deadline: 6
            }
        let isRealTime = scheduler.policy == .fifo || scheduler.policy == .roundRobin
        let priority = scheduler.priority ?? 0
        let nice = scheduler.nice ?? 0
        if isRealTime, !(1...99).contains(priority) {
            findings.refuse("process.scheduler.priority", "must be 1 to 99 for a real-time policy, is \(priority)")
        } else if !isRealTime, priority != 0 {
            findings.refuse("process.scheduler.priority", "is for SCHED_FIFO and SCHED_RR only")
        }
        if !(-20...19).contains(nice) { findings.refuse("process.scheduler.nice", "must be -20 to 19, is \(nice)") }
        let deadline = [scheduler.runtime, scheduler.deadline, scheduler.period]
        if scheduler.policy != .deadline, deadline.contains(where: { ($0 ?? 0) != 0 }) {
            findings.refuse("process.scheduler", "runtime, deadline and period are for SCHED_DEADLINE only")
        }
        if scheduler.policy == .deadline { DeadlineRules.check(scheduler, periods: periods, findings: &findings) }
        self.init(
            policy: policy, flags: (scheduler.flags ?? []).reduce(0) { $0 | $1.bit }, nice: nice,
            priority: UInt32(clamping: priority), runtime: scheduler.runtime ?? 0, deadline: scheduler.deadline ?? 0,
            period: scheduler.period ?? 0)
    }
}

extension SchedulerFlag {
    /// linux/sched.h, SCHED_FLAG_*.
    fileprivate var bit: UInt64 {
        switch self {
        case .resetOnFork: 0x01
        case .reclaim: 0x02
        case .deadlineOverrun: 0x04
        case .keepPolicy: 0x08
        case .keepParameters: 0x10
        case .utilizationClampMinimum: 0x20
        case .utilizationClampMaximum: 0x40
        }
    }
}
