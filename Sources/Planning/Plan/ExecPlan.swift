package import Errors
internal import KernelTypes
package import OCISpec

/// Another process for a container that is there already, ready to be made.
package struct ExecPlan: Sendable {
    package let options: ExecOptions
    package let caller: Caller
    package let namespaces: NamespacePlan
    package let payload: Payload
    package let terminal: TerminalPlan?
    package let seccomp: SeccompPlan?
    /// What the container's annotations ask for.
    package let requests: AnnotationPlan
    package let affinity: CPUAffinityPlan
    package let labels: LabelPlan

    /// - Parameters:
    ///   - spec: what the container was made of.
    ///   - mappings: those of a configuration without any.
    ///   - modules: what enforces the labels that the process asks for.
    ///   - memoryNodes, deadlinePeriods: as in ``Host``.
    package init(
        _ process: Process, in spec: Spec, bundle: String, options: ExecOptions, caller: Caller = Caller(),
        modules: SecurityModules = .unasked, mappings: DefaultMappings? = nil, memoryNodes: NumberSet? = nil,
        deadlinePeriods: ClosedRange<UInt64> = DeadlineRules.usualPeriods, findings: inout Findings
    ) {
        self.options = options
        self.caller = caller
        // Without mistakes when the container was made, and so they are now.
        var settled = Findings()
        namespaces = NamespacePlan(spec, defaults: mappings, findings: &settled)
        seccomp = SeccompPlan(spec.linux?.seccomp, findings: &settled)
        requests = AnnotationPlan(spec, bundle: bundle, findings: &settled)
        var planned = ProcessPlan(
            process, namespaces: namespaces, periods: deadlinePeriods, findings: &findings)
        planned.keepsGroups = requests.keepsGroups
        let typed = options.processFile == nil ? options.capabilities : []
        let areKnown = CapabilityPlan.check(typed, flag: "--cap", findings: &findings)
        payload = Payload(
            process: planned,
            capabilities: areKnown
                ? CapabilityPlan.read(process.capabilities, findings: &findings) : ProcessCapabilities(),
            noNewPrivileges: process.noNewPrivileges ?? false,
            memoryPolicy: MemoryPolicyPlan(spec.linux?.memoryPolicy, machine: memoryNodes, findings: &settled),
            system: SystemPlan(spec, namespaces: namespaces, findings: &settled),
            setsOwnLimits: !namespaces.has(.user),
            activationDescriptors: caller.activationDescriptors,
            inheritedDescriptors: caller.inherited ?? [], activationNames: caller.activationNames)
        labels = LabelPlan(
            profile: process.apparmorProfile, label: process.selinuxLabel, modules: modules, findings: &findings)
        affinity = CPUAffinityPlan(process.execCPUAffinity, findings: &findings)
        terminal = TerminalPlan(
            process, consoleSocket: options.consoleSocket, leaves: options.detach,
            without: options.processFile == nil ? "leave --tty or --detach out" : "set its terminal to false",
            findings: &findings)
    }
}

extension Process {
    /// The process that flags describe: the container's own with what they change.
    package init(_ options: ExecOptions, template: Process?) {
        self = template ?? Process(user: User(uid: 0, gid: 0), cwd: "/")
        args = options.arguments
        terminal = options.terminal
        consoleSize = nil
        if let directory = options.directory { cwd = directory }
        // Of duplicates the last counts.
        env = (env ?? []) + options.environment
        if let user = options.user {
            self.user.uid = user.user
            if let group = user.group { self.user.gid = group }
        }
        if !options.additionalGroups.isEmpty {
            user.additionalGids = (user.additionalGids ?? []) + options.additionalGroups
        }
        for name in options.capabilities { grant(name) }
        if let noNewPrivileges = options.noNewPrivileges { self.noNewPrivileges = noNewPrivileges }
        if let profile = options.apparmorProfile { apparmorProfile = profile }
        if let label = options.selinuxLabel { selinuxLabel = label }
    }

    /// Adds a capability to what an `execve` as root gives and the process may use, and never to the inheritable set.
    /// As an ambient one it needs to be inheritable, too, which only the container's configuration can say.
    private mutating func grant(_ name: String) {
        var sets = capabilities ?? Capabilities()
        sets.bounding = (sets.bounding ?? []) + [name]
        sets.permitted = (sets.permitted ?? []) + [name]
        sets.effective = (sets.effective ?? []) + [name]
        if sets.inheritable?.contains(name) == true { sets.ambient = (sets.ambient ?? []) + [name] }
        capabilities = sets
    }
}
