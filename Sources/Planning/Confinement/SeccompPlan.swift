internal import CgroupPlanning
internal import Errors
package import KernelTypes
internal import OCISpec

/// A seccomp section, checked. Specification: config-linux.md, "Seccomp".
package struct SeccompPlan: Sendable {
    package struct Rule: Sendable {
        package let names: [String]
        package let verdict: SeccompVerdict
        package let comparisons: [SeccompComparison]
    }

    package let defaultVerdict: SeccompVerdict
    package let architectures: [SeccompArchitectureToken]
    /// SECCOMP_FILTER_FLAG_* bits; ``SeccompSupport/newListener`` where an action notifies.
    package let flags: UInt32
    /// The agent that decides on calls whose action is SCMP_ACT_NOTIFY.
    package let listener: SeccompListener?
    package let rules: [Rule]
    /// Every call that the profile names, also in rules that say what the default says: it is what its author knew of.
    package let names: [String]

    /// - Parameters:
    ///   - annotations: of the configuration; one of them may name the agent.
    ///   - receiver: what the environment names as the agent.
    init?(
        _ seccomp: Seccomp?, annotations: [KeyValue] = [], receiver: String? = nil, findings: inout Findings
    ) {
        guard let seccomp else { return nil }
        let base = "linux.seccomp"
        defaultVerdict = Self.verdict(
            seccomp.defaultAction, seccomp.defaultErrnoRet, actionField: "\(base).defaultAction",
            errnoField: "\(base).defaultErrnoRet", &findings)
        architectures = Self.architectures(seccomp.architectures ?? [], &findings)
        var rules: [Rule] = []
        for (index, rule) in (seccomp.syscalls ?? []).enumerated() {
            let field = "\(base).syscalls[\(index)]"
            let verdict = Self.verdict(
                rule.action, rule.errnoRet, actionField: "\(field).action", errnoField: "\(field).errnoRet", &findings)
            if verdict == .notify, rule.names.contains("write") {
                findings.refuse(
                    "\(field).names",
                    "SCMP_ACT_NOTIFY cannot be used for the write syscall: the set-up writes too, and would wait for the agent"
                )
            }
            // A rule that says what the default says anyway; libseccomp refuses it.
            if verdict == defaultVerdict { continue }
            for comparisons in Self.alternatives(rule.args ?? []) {
                rules.append(Rule(names: rule.names, verdict: verdict, comparisons: comparisons))
            }
        }
        self.rules = rules
        let notifying = Self.notifyingField(seccomp)
        flags =
            Self.flags(seccomp.flags, notifies: notifying != nil, &findings)
            | (notifying == nil ? 0 : SeccompSupport.newListener)
        listener = SeccompListener.read(
            seccomp, use: notifying, annotations: annotations, receiver: receiver, findings: &findings)
        names = (seccomp.syscalls ?? []).flatMap { $0.names }
    }

    /// The bits for a filter whose listener an agent gets, or nobody.
    package func flags(isHeard: Bool) -> UInt32 { isHeard ? flags | SeccompSupport.newListener : flags }

    private static func verdict(
        _ action: SeccompAction, _ errnoRet: UInt32?, actionField: String, errnoField: String,
        _ findings: inout Findings
    ) -> SeccompVerdict {
        let verdict: SeccompVerdict
        switch action {
        case .kill, .killThread: verdict = .killThread
        case .killProcess: verdict = .killProcess
        case .trap: verdict = .trap
        case .log: verdict = .log
        case .allow: verdict = .allow
        case .notify: verdict = .notify
        case .errno: return .errno(UInt16(clamping: errnoRet ?? 1))
        case .trace: return .trace(UInt16(clamping: errnoRet ?? 1))
        }
        if errnoRet != nil { findings.refuse(errnoField, "\(action.rawValue) cannot return an errno") }
        return verdict
    }

    /// The first field whose action asks an agent.
    private static func notifyingField(_ seccomp: Seccomp) -> String? {
        if seccomp.defaultAction == .notify { return "linux.seccomp.defaultAction" }
        return seccomp.syscalls?.firstIndex { $0.action == .notify }.map { "linux.seccomp.syscalls[\($0)].action" }
    }

    /// Conditions on different arguments must all hold; an argument named twice makes alternatives, since libseccomp
    /// takes one condition for each argument.
    private static func alternatives(_ arguments: [SeccompArgument]) -> [[SeccompComparison]] {
        let comparisons = arguments.map {
            SeccompComparison(
                argument: $0.index, comparison: $0.op.comparison, value: $0.value, second: $0.valueTwo ?? 0)
        }
        let isRepeated = comparisons.indices.contains { index in
            comparisons[..<index].contains { $0.argument == comparisons[index].argument }
        }
        return isRepeated ? comparisons.map { [$0] } : [comparisons]
    }

    private static func architectures(
        _ names: [SeccompArchitecture], _ findings: inout Findings
    ) -> [SeccompArchitectureToken] {
        var tokens: [SeccompArchitectureToken] = []
        for (index, name) in names.enumerated() {
            if let token = name.token {
                if token.canOccurHere { tokens.append(token) }
            } else {
                findings.warn(
                    "linux.seccomp.architectures[\(index)]",
                    "libseccomp \(SeccompLibrary.version) does not know \(name.rawValue); ignored")
            }
        }
        return tokens
    }

    /// An absent list means SPEC_ALLOW, as runc and crun have it; an empty one means none.
    private static func flags(
        _ flags: [SeccompFlag]?, notifies: Bool, _ findings: inout Findings
    ) -> UInt32 {
        guard let flags else { return SeccompSupport.allowSpeculation }
        var bits: UInt32 = 0
        for (index, flag) in flags.enumerated() {
            let bit: UInt32
            switch flag {
            // The payload has one thread when the filter is loaded, so synchronising has nothing to do.
            case .tsync: continue
            case .log: bit = SeccompSupport.log
            case .specAllow: bit = SeccompSupport.allowSpeculation
            case .waitKillableReceive:
                // The kernel takes it with a listener only.
                if !notifies {
                    findings.warn("linux.seccomp.flags[\(index)]", "has no effect without SCMP_ACT_NOTIFY")
                    continue
                }
                bit = SeccompSupport.waitKillable | SeccompSupport.newListener
            }
            if !SeccompSupport.isKnown(flag: bit) {
                findings.refuse("linux.seccomp.flags[\(index)]", "this kernel does not support \(flag.rawValue)")
            }
            bits |= bit
        }
        return bits
    }
}

extension SeccompArchitecture {
    /// libseccomp's number for it; nil where this libseccomp has none.
    package var token: SeccompArchitectureToken? {
        SeccompArchitectureToken(name: rawValue.dropFirst("SCMP_ARCH_".count).inLowerCase)
    }
}

extension SeccompOperator {
    fileprivate var comparison: SeccompComparison.Operator {
        switch self {
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .equal: .equal
        case .greaterOrEqual: .greaterOrEqual
        case .greater: .greater
        case .maskedEqual: .maskedEqual
        }
    }
}
