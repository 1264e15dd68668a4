import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(
    _ names: NamespacePlan = namespaces(), _ change: (inout OCISpec.Process) -> Void
) -> (plan: ProcessPlan, findings: Findings) {
    plan { ProcessPlan(process(change), namespaces: names, findings: &$0) }
}

@Suite struct ProcessPlanTests {
    @Test func everyFieldIsTakenOver() {
        let (plan, findings) = read {
            $0.args = ["ls", "-l", ""]
            $0.cwd = "/home"
            $0.user = User(uid: 5, gid: 6, umask: 0o77, additionalGids: [7, 8])
            $0.oomScoreAdj = -17
        }
        #expect(findings.errorLines == [])
        #expect(plan.arguments == ["ls", "-l", ""])
        #expect(plan.directory == "/home")
        #expect((plan.user, plan.group, plan.creationMask) == (5, 6, 0o77))
        #expect(plan.additionalGroups == [7, 8])
        #expect(plan.oomScoreAdjustment == -17)
    }

    @Test func absentFieldsHaveTheirDefaults() {
        let (plan, findings) = read { _ in }
        #expect(findings.errorLines == [])
        #expect(plan.creationMask == 0o022)
        #expect(plan.additionalGroups == [])
        #expect(plan.environment == [])
        #expect(plan.limits.isEmpty)
        #expect(plan.oomScoreAdjustment == nil)
        #expect(plan.scheduling == nil)
        #expect(plan.ioPriority == nil)
    }

    @Test(arguments: [nil, []] as [[String]?])
    func aProgramIsNeeded(arguments: [String]?) {
        #expect(read { $0.args = arguments }.findings.errorLines == ["process.args: args must not be empty"])
    }

    // MARK: Environment

    @Test(
        arguments: [
            (["A=1", "B=2"], ["A=1", "B=2"]),
            (["A=1", "B=2", "A=3"], ["A=3", "B=2"]),
            (["A=1", "A=2", "A=3"], ["A=3"]),
            (["A=", "A=1", "A="], ["A="]),
            (["A=b=c", "A=d=e"], ["A=d=e"]),
            (["A=1", "a=2", "AA=3"], ["A=1", "a=2", "AA=3"]),
            (["PATH=/bin", "PATH_X=1"], ["PATH=/bin", "PATH_X=1"]),
            (["A B=1", "A= 1"], ["A B=1", "A= 1"]),
            (["A=zwei\nZeilen"], ["A=zwei\nZeilen"]),
            (["\u{e9}=1", "\u{e9}=2"], ["\u{e9}=2"]),
        ] as [([String], [String])])
    func laterDuplicatesWin(entries: [String], environment: [String]) {
        let (plan, findings) = read { $0.env = entries }
        #expect(findings.errorLines == [])
        #expect(plan.environment == environment)
    }

    @Test(arguments: ["", "A", "=", "=1", "PATH"])
    func variablesWithoutANameAreRefused(entry: String) {
        let (plan, findings) = read { $0.env = ["A=1", entry, "B=2"] }
        #expect(findings.errorLines == ["process.env[1]: must have the form NAME=value, is \"\(entry)\""])
        #expect(plan.environment == ["A=1", "B=2"])
    }

    /// To the kernel and the payload these are bytes: what Swift takes for one letter are two names, and an equals
    /// sign is one whatever follows.
    @Test func variablesAreBytes() {
        let (plan, findings) = read { $0.env = ["\u{e9}=1", "e\u{301}=2", "A=\u{301}"] }
        #expect(findings.errorLines == [])
        #expect(
            plan.environment.map { Array($0.utf8) }
                == ["\u{e9}=1", "e\u{301}=2", "A=\u{301}"].map { Array($0.utf8) })
    }

    @Test(arguments: [
        ("PATH", "/bin:/sbin"), ("PATH_X", "1"), ("EMPTY", ""), ("EQUALS", "a=b"), ("PAT", nil), ("path", nil),
        ("NOT", nil),
    ])
    func variablesAreFoundByName(name: String, value: String?) {
        let plan = read { $0.env = ["PATH_X=1", "PATH=/bin:/sbin", "EMPTY=", "EQUALS=a=b"] }.plan
        #expect(plan.variable(name) == value)
    }

    // MARK: Limits

    /// asm-generic/resource.h.
    private static let limits =
        [
            (.cpu, 0), (.fileSize, 1), (.data, 2), (.stack, 3), (.core, 4), (.residentSet, 5), (.processes, 6),
            (.openFiles, 7), (.lockedMemory, 8), (.addressSpace, 9), (.locks, 10), (.pendingSignals, 11),
            (.messageQueues, 12), (.nice, 13), (.realtimePriority, 14), (.realtimeTime, 15),
        ] as [(type: RLimitType, number: UInt32)]

    @Test(arguments: limits)
    func limitsHaveTheKernelsNumbers(type: RLimitType, number: UInt32) throws {
        let (plan, findings) = read { $0.rlimits = [RLimit(type: type, soft: 1, hard: .max)] }
        #expect(findings.errorLines == [])
        let limit = try #require(plan.limits.first)
        #expect(limit.kind.rawValue == number)
        #expect(limit.name == type.rawValue)
        #expect((limit.soft, limit.hard) == (1, .max))
    }

    @Test func everyLimitHasACaseInTheseTests() {
        #expect(Set(Self.limits.map(\.type)) == Set(RLimitType.allCases))
    }

    @Test func aSoftLimitIsNotAboveTheHardOne() {
        let (_, findings) = read {
            $0.rlimits = [
                RLimit(type: .core, soft: 5, hard: 5), RLimit(type: .cpu, soft: 6, hard: 5),
                RLimit(type: .data, soft: .max, hard: 0),
            ]
        }
        #expect(
            findings.errorLines == [
                "process.rlimits[1].soft: is above the hard limit (6 > 5)",
                "process.rlimits[2].soft: is above the hard limit (18446744073709551615 > 0)",
            ])
    }

    // MARK: Scheduling

    /// linux/sched.h.
    @Test(
        arguments: [
            (.other, 0, 0), (.fifo, 1, 1), (.roundRobin, 2, 1), (.batch, 3, 0), (.iso, 4, 0), (.idle, 5, 0),
        ] as [(SchedulerPolicy, UInt32, Int32)])
    func everyPolicyHasTheKernelsNumber(policy: SchedulerPolicy, number: UInt32, priority: Int32) {
        let (plan, findings) = read { $0.scheduler = Scheduler(policy: policy, priority: priority) }
        #expect(findings.errorLines == [])
        #expect(plan.scheduling == SchedulingAttributes(policy: number, priority: UInt32(priority)))
    }

    @Test(
        arguments: [
            (.resetOnFork, 1), (.reclaim, 2), (.deadlineOverrun, 4), (.keepPolicy, 8), (.keepParameters, 16),
            (.utilizationClampMinimum, 32), (.utilizationClampMaximum, 64),
        ] as [(SchedulerFlag, UInt64)])
    func everySchedulerFlagIsItsBit(flag: SchedulerFlag, bit: UInt64) {
        #expect(read { $0.scheduler = Scheduler(policy: .other, flags: [flag]) }.plan.scheduling?.flags == bit)
    }

    @Test func schedulerFlagsAddUp() {
        let flags: [SchedulerFlag] = [.resetOnFork, .keepParameters, .resetOnFork]
        #expect(read { $0.scheduler = Scheduler(policy: .other, flags: flags) }.plan.scheduling?.flags == 17)
    }

    @Test func deadlinesAreTakenOver() {
        let (plan, findings) = read {
            $0.scheduler = Scheduler(policy: .deadline, runtime: 1024, deadline: 100_000, period: 100_000)
        }
        #expect(findings.errorLines == [])
        #expect(plan.scheduling == SchedulingAttributes(policy: 6, runtime: 1024, deadline: 100_000, period: 100_000))
    }

    private static let needed = "SCHED_DEADLINE needs it, in nanoseconds and above 0"
    private static func period(_ value: UInt64) -> String {
        "period: must be 100000 to 4194304000 nanoseconds, is \(value); "
            + "see kernel.sched_deadline_period_min_us and …_max_us"
    }

    private static let deadlines: [(numbers: [UInt64?], lines: [String])] = [
        ([nil, nil, nil], ["runtime: \(needed)", "deadline: \(needed)", "period: \(needed)"]),
        ([nil, 200_000, 300_000], ["runtime: \(needed)"]),
        ([100_000, nil, 300_000], ["deadline: \(needed)"]),
        ([100_000, 200_000, nil], ["period: \(needed)"]),
        ([0, 200_000, 300_000], ["runtime: \(needed)"]),
        ([100_000, 0, 300_000], ["deadline: \(needed)"]),
        ([100_000, 200_000, 0], ["period: \(needed)"]),
        ([1023, 200_000, 300_000], ["runtime: must be at least 1024 nanoseconds, is 1023"]),
        ([300_000, 200_000, 400_000], ["runtime: must not be above the deadline (300000 > 200000)"]),
        ([100_000, 400_000, 300_000], ["deadline: must not be above the period (400000 > 300000)"]),
        ([2000, 2000, 99_999], [period(99_999)]),
        ([2000, 2000, 4_194_304_001], [period(4_194_304_001)]),
        ([2000, 2000, .max], [period(.max)]),
        (
            [500, 1 << 63, 1 << 62],
            [
                "runtime: must be at least 1024 nanoseconds, is 500",
                "deadline: must not be above the period (9223372036854775808 > 4611686018427387904)",
                period(1 << 62),
            ]
        ),
        ([4_194_304_000, 4_194_304_000, 4_194_304_000], []),
    ]

    /// All that the kernel has one errno for.
    @Test(arguments: deadlines.indices)
    func deadlinesKeepTheKernelsRules(index: Int) {
        let (numbers, lines) = Self.deadlines[index]
        let findings = read {
            $0.scheduler = Scheduler(policy: .deadline, runtime: numbers[0], deadline: numbers[1], period: numbers[2])
        }.findings
        #expect(findings.errorLines == lines.map { "process.scheduler.\($0)" })
    }

    @Test func anAdministratorsPeriodsCount() {
        let scheduler = Scheduler(policy: .deadline, runtime: 2000, deadline: 2000, period: 2000)
        let findings = plan {
            ProcessPlan(
                process { $0.scheduler = scheduler }, namespaces: namespaces(), periods: 2000...5000, findings: &$0)
        }.findings
        #expect(findings.errorLines == [])
    }

    private static let realTime = "process.scheduler.priority: must be 1 to 99 for a real-time policy, is "
    private static let onlyRealTime = "process.scheduler.priority: is for SCHED_FIFO and SCHED_RR only"
    private static let onlyDeadline =
        "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE only"

    private static let rules: [(scheduler: Scheduler, lines: [String])] = [
        (Scheduler(policy: .fifo), ["\(realTime)0"]),
        (Scheduler(policy: .fifo, priority: 1), []),
        (Scheduler(policy: .roundRobin, priority: 99), []),
        (Scheduler(policy: .roundRobin, priority: 100), ["\(realTime)100"]),
        (Scheduler(policy: .fifo, priority: -1), ["\(realTime)-1"]),
        (Scheduler(policy: .other, priority: 0), []),
        (Scheduler(policy: .other, priority: 1), [onlyRealTime]),
        (Scheduler(policy: .batch, priority: -5), [onlyRealTime]),
        (Scheduler(policy: .deadline, priority: 1, runtime: 9999, deadline: 100_000, period: 100_000), [onlyRealTime]),
        (Scheduler(policy: .other, nice: 19), []),
        (Scheduler(policy: .other, nice: -20), []),
        (Scheduler(policy: .other, nice: 20), ["process.scheduler.nice: must be -20 to 19, is 20"]),
        (Scheduler(policy: .idle, nice: -21), ["process.scheduler.nice: must be -20 to 19, is -21"]),
        (Scheduler(policy: .other, runtime: 1), [onlyDeadline]),
        (Scheduler(policy: .fifo, priority: 5, deadline: 1), [onlyDeadline]),
        (Scheduler(policy: .idle, period: 1), [onlyDeadline]),
        (Scheduler(policy: .other, runtime: 0, deadline: 0, period: 0), []),
        (
            Scheduler(policy: .fifo, nice: 30, period: 1),
            ["\(realTime)0", "process.scheduler.nice: must be -20 to 19, is 30", onlyDeadline]
        ),
    ]

    @Test(arguments: rules)
    func contradictorySchedulersAreRefused(scheduler: Scheduler, lines: [String]) {
        #expect(read { $0.scheduler = scheduler }.findings.errorLines == lines)
    }

    /// ioprio_set(2).
    @Test(arguments: [(.realtime, 1, 0), (.bestEffort, 2, 7), (.idle, 3, 4)] as [(IOPriorityClass, UInt32, UInt32)])
    func everyIOPriorityClassHasTheKernelsNumber(class: IOPriorityClass, number: UInt32, level: UInt32) throws {
        let plan = read { $0.ioPriority = IOPriority(class: `class`, priority: Int(level)) }.plan
        let priority = try #require(plan.ioPriority)
        #expect(priority == (number, level))
    }

    // MARK: Users

    /// The helper's user namespace maps 0 to 9.
    @Test(arguments: [
        (User(uid: 0, gid: 0), []),
        (User(uid: 9, gid: 9, additionalGids: [1, 9]), []),
        (User(uid: 10, gid: 0), ["process.user.uid: 10 is not mapped in the user namespace; extend linux.uidMappings"]),
        (User(uid: 0, gid: 11), ["process.user.gid: 11 is not mapped in the user namespace; extend linux.gidMappings"]),
        (
            User(uid: 0, gid: 0, additionalGids: [3, 12, 4, 13]),
            [
                "process.user.additionalGids[1]: 12 is not mapped in the user namespace; extend linux.gidMappings",
                "process.user.additionalGids[3]: 13 is not mapped in the user namespace; extend linux.gidMappings",
            ]
        ),
    ])
    func usersMustBeMapped(user: User, lines: [String]) {
        #expect(read(namespaces(.user)) { $0.user = user }.findings.errorLines == lines)
    }

    /// Without a user namespace every number is one; of another's the mappings are not known here.
    @Test(arguments: [namespaces(.pid), namespaces(joined: [.user])])
    func withoutAUserNamespaceEveryUserIsFine(names: NamespacePlan) {
        let user = User(uid: 70_000, gid: 70_001, additionalGids: [70_002])
        #expect(read(names) { $0.user = user }.findings.errorLines == [])
    }
}
