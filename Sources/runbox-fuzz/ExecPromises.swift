internal import KernelTypes
import OCISpec
internal import Planning

/// What the plan of another program promises of the container's configuration and the flags of `exec`.
enum ExecPromises {
    static func check(_ facts: PlanFacts, _ spec: Spec, _ options: ExecOptions, _ findings: inout FuzzResult) {
        let template = spec.process
        PlanPromises.checkNamespaces(facts, spec, &findings)
        PlanPromises.checkFilter(facts.filter, spec.linux?.seccomp, &findings)
        findings.expect(
            facts.noNewPrivileges == options.noNewPrivileges ?? template?.noNewPrivileges ?? false,
            "exec: noNewPrivileges is kept")
        findings.expect(facts.hasTerminal == options.terminal, "exec: a terminal only where exec is asked for one")
        let names = { (set: CapabilitySet) in Set(KernelTypes.Capabilities.names(of: set)) }
        let plan = facts.capabilities
        let sets = template?.capabilities
        findings.expect(
            names(plan.inheritable).isSubset(of: sets?.inheritable ?? []),
            "exec: no flag makes a capability inheritable")
        for (set, own) in [
            (plan.bounding, sets?.bounding), (plan.effective, sets?.effective), (plan.permitted, sets?.permitted),
            (plan.ambient, sets?.ambient),
        ] {
            findings.expect(
                names(set).isSubset(of: (own ?? []) + options.capabilities), "exec: no capability that is not named")
        }
        guard let program = facts.program else { return findings.expect(false, "exec: a program") }
        findings.expect(program.arguments == options.arguments, "exec: the program is that of the flags")
        findings.expect(
            program.directory == options.directory ?? template?.cwd ?? "/", "exec: the working directory is kept")
        findings.expect(program.user == options.user?.user ?? template?.user.uid ?? 0, "exec: the user is kept")
        findings.expect(program.group == options.user?.group ?? template?.user.gid ?? 0, "exec: the group is kept")
        findings.expect(
            program.additionalGroups == (template?.user.additionalGids ?? []) + options.additionalGroups,
            "exec: the groups are kept")
        let limits = (template?.rlimits ?? []).map { "\($0.type.rawValue) \($0.soft) \($0.hard)" }
        findings.expect(program.limits == limits, "exec: the limits are kept")
    }
}
