import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(_ seccomp: Seccomp?) -> (plan: SeccompPlan?, findings: Findings) {
    plan { SeccompPlan(seccomp, findings: &$0) }
}

@Suite struct SeccompPlanTests {
    @Test func withoutASectionThereIsNoFilter() {
        let (plan, findings) = read(nil)
        #expect(plan == nil)
        #expect(findings.errorLines == [])
    }

    // MARK: Verdicts

    struct VerdictCase: Sendable, CustomTestStringConvertible {
        let action: SeccompAction
        var errno: UInt32?
        let verdict: SeccompVerdict
        /// What is said of the errno.
        var errnoReason: String?
        var testDescription: String { "\(action.rawValue) \(errno.map(String.init) ?? "-")" }
    }

    private static let verdicts: [VerdictCase] = [
        VerdictCase(action: .kill, verdict: .killThread),
        VerdictCase(action: .killThread, verdict: .killThread),
        VerdictCase(action: .killProcess, verdict: .killProcess),
        VerdictCase(action: .trap, verdict: .trap),
        VerdictCase(action: .log, verdict: .log),
        VerdictCase(action: .allow, verdict: .allow),
        VerdictCase(action: .errno, verdict: .errno(1)),
        VerdictCase(action: .errno, errno: 0, verdict: .errno(0)),
        VerdictCase(action: .errno, errno: 38, verdict: .errno(38)),
        VerdictCase(action: .errno, errno: 4095, verdict: .errno(4095)),
        VerdictCase(action: .trace, verdict: .trace(1)),
        VerdictCase(action: .trace, errno: 65535, verdict: .trace(65535)),
        VerdictCase(action: .allow, errno: 1, verdict: .allow, errnoReason: "SCMP_ACT_ALLOW cannot return an errno"),
        VerdictCase(action: .kill, errno: 0, verdict: .killThread, errnoReason: "SCMP_ACT_KILL cannot return an errno"),
        VerdictCase(
            action: .killProcess, errno: 5, verdict: .killProcess,
            errnoReason: "SCMP_ACT_KILL_PROCESS cannot return an errno"),
        VerdictCase(action: .trap, errno: 5, verdict: .trap, errnoReason: "SCMP_ACT_TRAP cannot return an errno"),
        VerdictCase(action: .log, errno: 5, verdict: .log, errnoReason: "SCMP_ACT_LOG cannot return an errno"),
        VerdictCase(action: .notify, verdict: .notify),
        VerdictCase(
            action: .notify, errno: 3, verdict: .notify,
            errnoReason: "SCMP_ACT_NOTIFY cannot return an errno"),
    ]

    @Test(arguments: verdicts)
    func everyDefaultActionHasItsVerdict(verdict: VerdictCase) {
        let (plan, findings) = read(
            Seccomp(defaultAction: verdict.action, defaultErrnoRet: verdict.errno, listenerPath: "/agent"))
        #expect(plan?.defaultVerdict == verdict.verdict)
        let line = verdict.errnoReason.map { "linux.seccomp.defaultErrnoRet: \($0)" }
        #expect(findings.errorLines == [line].compactMap { $0 })
    }

    @Test(arguments: verdicts)
    func everyActionHasItsVerdict(verdict: VerdictCase) {
        // A default that no rule has, so that none is dropped.
        let rules = [
            SeccompRule(names: ["read"], action: .errno, errnoRet: 99),
            SeccompRule(names: ["close"], action: verdict.action, errnoRet: verdict.errno),
        ]
        let (plan, findings) = read(
            Seccomp(defaultAction: .errno, defaultErrnoRet: 77, listenerPath: "/agent", syscalls: rules))
        #expect(plan?.rules.map(\.verdict) == [.errno(99), verdict.verdict])
        let line = verdict.errnoReason.map { "linux.seccomp.syscalls[1].errnoRet: \($0)" }
        #expect(findings.errorLines == [line].compactMap { $0 })
    }

    // MARK: Rules

    @Test(arguments: [
        (Seccomp(defaultAction: .allow), SeccompRule(names: ["read"], action: .allow), true),
        (Seccomp(defaultAction: .allow), SeccompRule(names: ["read"], action: .log), false),
        (Seccomp(defaultAction: .errno), SeccompRule(names: ["read"], action: .errno), true),
        (Seccomp(defaultAction: .errno), SeccompRule(names: ["read"], action: .errno, errnoRet: 1), true),
        (Seccomp(defaultAction: .errno, defaultErrnoRet: 1), SeccompRule(names: ["read"], action: .errno), true),
        (Seccomp(defaultAction: .errno), SeccompRule(names: ["read"], action: .errno, errnoRet: 38), false),
        (Seccomp(defaultAction: .errno, defaultErrnoRet: 38), SeccompRule(names: ["read"], action: .errno), false),
        (Seccomp(defaultAction: .kill), SeccompRule(names: ["read"], action: .killThread), true),
        (Seccomp(defaultAction: .kill), SeccompRule(names: ["read"], action: .killProcess), false),
        (Seccomp(defaultAction: .trace), SeccompRule(names: ["read"], action: .errno, errnoRet: 1), false),
    ])
    func aRuleThatSaysWhatTheDefaultSaysIsDropped(seccomp: Seccomp, rule: SeccompRule, isDropped: Bool) {
        var seccomp = seccomp
        seccomp.syscalls = [rule]
        let (plan, findings) = read(seccomp)
        #expect(findings.errorLines == [])
        #expect(plan?.rules.isEmpty == isDropped)
    }

    private static func argument(_ index: UInt32, _ value: UInt64) -> SeccompArgument {
        SeccompArgument(index: index, value: value, op: .equal)
    }

    /// Conditions on different arguments hold together; those on one argument are alternatives, and then all of the
    /// rule's are.
    @Test(
        arguments: [
            ([], [[]]),
            ([argument(0, 1)], [[1]]),
            ([argument(0, 1), argument(1, 2)], [[1, 2]]),
            ([argument(5, 1), argument(0, 2), argument(3, 3)], [[1, 2, 3]]),
            ([argument(0, 1), argument(0, 2)], [[1], [2]]),
            ([argument(0, 1), argument(1, 2), argument(0, 3)], [[1], [2], [3]]),
        ] as [([SeccompArgument], [[UInt64]])])
    func conditionsOnOneArgumentAreAlternatives(arguments: [SeccompArgument], values: [[UInt64]]) {
        let rule = SeccompRule(names: ["a", "b"], action: .errno, args: arguments)
        let (plan, findings) = read(Seccomp(defaultAction: .allow, syscalls: [rule]))
        #expect(findings.errorLines == [])
        #expect(plan?.rules.map { $0.comparisons.map(\.value) } == values)
        #expect(plan?.rules.allSatisfy { $0.names == ["a", "b"] && $0.verdict == .errno(1) } == true)
    }

    @Test(
        arguments: [
            (.notEqual, .notEqual), (.less, .less), (.lessOrEqual, .lessOrEqual), (.equal, .equal),
            (.greaterOrEqual, .greaterOrEqual), (.greater, .greater), (.maskedEqual, .maskedEqual),
        ] as [(SeccompOperator, SeccompComparison.Operator)])
    func everyOperatorIsTakenOver(word: SeccompOperator, comparison: SeccompComparison.Operator) {
        let argument = SeccompArgument(index: 2, value: .max, valueTwo: 7, op: word)
        let rule = SeccompRule(names: ["a"], action: .errno, args: [argument])
        let plan = read(Seccomp(defaultAction: .allow, syscalls: [rule])).plan
        let expected = SeccompComparison(argument: 2, comparison: comparison, value: .max, second: 7)
        #expect(plan?.rules.first?.comparisons == [expected])
    }

    // MARK: Flags

    @Test(
        arguments: [
            (nil, 4), ([], 0), ([.tsync], 0), ([.specAllow], 4), ([.log], 2), ([.log, .specAllow, .tsync], 6),
            ([.log, .log], 2),
        ] as [([SeccompFlag]?, UInt32)])
    func everyFlagIsItsBit(flags: [SeccompFlag]?, bits: UInt32) {
        let (plan, findings) = read(Seccomp(defaultAction: .allow, flags: flags))
        #expect(findings.errorLines == [])
        #expect(plan?.flags == bits)
    }

    /// The kernel refuses the flag without a listener.
    @Test func theNotificationFlagNeedsNotifications() {
        let (plan, findings) = read(Seccomp(defaultAction: .allow, flags: [.log, .waitKillableReceive]))
        #expect(findings.errorLines == [])
        #expect(findings.warningLines == ["linux.seccomp.flags[1]: has no effect without SCMP_ACT_NOTIFY"])
        #expect(plan?.flags == 2 && plan?.listener == nil)
        let other = read(
            Seccomp(defaultAction: .notify, flags: [.log, .waitKillableReceive], listenerPath: "/agent"))
        #expect(other.findings.errorLines == [] && other.findings.warningLines == [])
        #expect(other.plan?.flags == 42)
    }

    @Test(
        arguments: [
            ("/spec", "/annotation", "/variable", "/spec"), (nil, "/annotation", "/variable", "/annotation"),
            ("", "", "/variable", "/variable"), (nil, nil, "/variable", "/variable"), ("/spec", nil, nil, "/spec"),
        ] as [(String?, String?, String?, String)])
    func theListenerIsTheFirstThatIsNamed(spec: String?, annotation: String?, variable: String?, expected: String) {
        let annotations = annotation.map { [KeyValue(key: SeccompListener.annotation, value: $0)] } ?? []
        let rules = [SeccompRule(names: ["a"], action: .log), SeccompRule(names: ["b"], action: .notify)]
        for (seccomp, isUsed) in [
            (Seccomp(defaultAction: .allow, listenerPath: spec, syscalls: rules), true),
            (Seccomp(defaultAction: .notify, listenerPath: spec), true),
            (Seccomp(defaultAction: .allow, listenerPath: spec, syscalls: [rules[0]]), false),
        ] {
            let (plan, findings) = plan {
                SeccompPlan(seccomp, annotations: annotations, receiver: variable, findings: &$0)
            }
            #expect(findings.errorLines == [])
            // Without a rule that asks it, an agent still gets its listener.
            #expect(plan?.listener == SeccompListener(path: expected, metadata: nil, isAsked: isUsed))
            #expect(plan.map { $0.flags & SeccompSupport.newListener != 0 } == isUsed)
            #expect(plan.map { $0.flags(isHeard: true) & SeccompSupport.newListener != 0 } == true)
            #expect(plan.map { $0.flags(isHeard: false) & SeccompSupport.newListener != 0 } == isUsed)
        }
    }

    /// runc refuses it, and crun waits for ever.
    @Test(arguments: [(["write"], 0), (["read", "write"], 0), (["read"], nil)] as [([String], Int?)])
    func noAgentDecidesOnWriting(names: [String], refused: Int?) {
        let argument = SeccompArgument(index: 0, value: 7, op: .equal)
        for arguments in [nil, [argument]] {
            let seccomp = Seccomp(
                defaultAction: .allow, listenerPath: "/agent",
                syscalls: [SeccompRule(names: names, action: .notify, args: arguments)])
            let expected = refused.map {
                "linux.seccomp.syscalls[\($0)].names: SCMP_ACT_NOTIFY cannot be used for the write syscall: "
                    + "the set-up writes too, and would wait for the agent"
            }
            #expect(read(seccomp).findings.errorLines == [expected].compactMap { $0 })
        }
    }

    @Test(
        arguments: [
            (nil, nil, nil, "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs an agent"),
            ("x", nil, nil, "linux.seccomp.listenerPath: must be an absolute path, is \"x\""),
            (nil, "x", nil, "annotations[\"run.oci.seccomp.receiver\"]: must be an absolute path, is \"x\""),
            (nil, nil, "x", "RUN_OCI_SECCOMP_RECEIVER: must be an absolute path, is \"x\""),
        ] as [(String?, String?, String?, String)])
    func notificationsNeedAUsableListener(spec: String?, annotation: String?, variable: String?, words: String) {
        let annotations = annotation.map { [KeyValue(key: SeccompListener.annotation, value: $0)] } ?? []
        let seccomp = Seccomp(
            defaultAction: .allow, listenerPath: spec, syscalls: [SeccompRule(names: ["a"], action: .notify)])
        let findings = plan {
            SeccompPlan(seccomp, annotations: annotations, receiver: variable, findings: &$0)
        }.findings
        #expect(findings.errorLines.count == 1 && findings.errorLines.first?.hasPrefix(words) == true)
    }

    // MARK: Architectures, listener

    /// What can make calls on this machine: libseccomp's name for it and its relatives, which the processor runs too.
    private static let here: [SeccompArchitecture] =
        switch SeccompArchitectureToken.native.rawValue {
        case Architecture.x8664: [.x8664, .x86, .x32]
        case Architecture.aarch64: [.aarch64, .arm]
        default: SeccompArchitecture.allCases
        }

    @Test(.needsX8664)
    func everyArchitectureIsItsToken() {
        let (plan, findings) = read(Seccomp(defaultAction: .allow, architectures: [.x8664, .x86, .x32]))
        #expect(findings.warningLines == [])
        #expect(plan?.architectures.map(\.rawValue) == [Architecture.x8664, Architecture.x86, 0x4000_003e])
    }

    /// A call of another processor's cannot come, so it is left out without a word; the others keep their order.
    @Test(.needsX8664)
    func otherProcessorsAreLeftOut() {
        let list: [SeccompArchitecture] = [.aarch64, .x86, .s390x, .x8664, .arm]
        let (plan, findings) = read(Seccomp(defaultAction: .allow, architectures: list))
        #expect(findings.warningLines == [])
        #expect(plan?.architectures.map(\.rawValue) == [Architecture.x86, Architecture.x8664])
        #expect(read(Seccomp(defaultAction: .allow, architectures: [.aarch64])).plan?.architectures.isEmpty == true)
    }

    /// What can occur here holds, what this libseccomp does not know yet is said, and what cannot occur here is
    /// neither.
    @Test(arguments: SeccompArchitecture.allCases)
    func everyArchitectureIsKnownOrAWarning(architecture: SeccompArchitecture) {
        let (plan, findings) = read(Seccomp(defaultAction: .allow, architectures: [architecture]))
        #expect(findings.errorLines == [])
        let name = architecture.rawValue.dropFirst("SCMP_ARCH_".count).lowercased()
        let isKnown = SeccompArchitectureToken(name: name) != nil
        #expect(plan?.architectures.count == (isKnown && Self.here.contains(architecture) ? 1 : 0))
        let line =
            "linux.seccomp.architectures[0]: libseccomp \(SeccompLibrary.version) does not know \(architecture.rawValue); ignored"
        #expect(findings.warningLines == (isKnown ? [] : [line]))
    }

    @Test(
        arguments: [
            (nil, nil, false), (nil, "", false), ("/run/agent", nil, false), ("/run/agent", "data", false),
            (nil, "data", true), ("", "data", true),
        ] as [(String?, String?, Bool)])
    func metadataNeedsAListener(path: String?, metadata: String?, isRefused: Bool) {
        let (_, findings) = read(Seccomp(defaultAction: .allow, listenerPath: path, listenerMetadata: metadata))
        let line = "linux.seccomp.listenerMetadata: must not be set without listenerPath"
        #expect(findings.errorLines == (isRefused ? [line] : []))
    }
}
