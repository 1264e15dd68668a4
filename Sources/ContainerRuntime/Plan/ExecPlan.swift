internal import Kernel
internal import OCISpec

/// Another process for a container that is there already, ready to be made.
struct ExecPlan: Sendable {
    let record: Record
    let options: ExecOptions
    let namespaces: NamespacePlan
    let payload: Payload
    let terminal: TerminalPlan?
    let seccomp: SeccompPlan?
    /// What the container's annotations ask for.
    let requests: AnnotationPlan
    let affinity: CPUAffinityPlan
    let labels: LabelPlan

    /// - Parameters:
    ///   - spec: what the container was made of.
    ///   - mappings: those of a configuration without any.
    ///   - modules: what enforces the labels that the process asks for.
    init(
        _ process: Process, in spec: Spec, record: Record, options: ExecOptions,
        modules: SecurityModules = .unasked, mappings: DefaultMappings? = nil, findings: inout PlanFindings
    ) {
        self.record = record
        self.options = options
        // Without mistakes when the container was made, and so they are now.
        var settled = PlanFindings()
        namespaces = NamespacePlan(spec, defaults: mappings, findings: &settled)
        seccomp = SeccompPlan(spec.linux?.seccomp, findings: &settled)
        requests = AnnotationPlan(spec, bundle: record.bundle, findings: &settled)
        var planned = ProcessPlan(process, namespaces: namespaces, findings: &findings)
        planned.keepsGroups = requests.keepsGroups
        payload = Payload(
            process: planned,
            capabilities: CapabilityPlan.read(process.capabilities, findings: &findings),
            noNewPrivileges: process.noNewPrivileges ?? false,
            memoryPolicy: MemoryPolicyPlan(spec.linux?.memoryPolicy, findings: &settled),
            system: SystemPlan(spec, namespaces: namespaces, findings: &settled),
            setsOwnLimits: !namespaces.has(.user),
            activationDescriptors: options.activationDescriptors,
            preservedDescriptors: options.preservedDescriptors, activationNames: options.activationNames)
        labels = LabelPlan(
            profile: process.apparmorProfile, label: process.selinuxLabel, modules: modules, findings: &findings)
        affinity = CPUAffinityPlan(process.execCPUAffinity, findings: &findings)
        terminal = TerminalPlan(
            process, consoleSocket: options.consoleSocket, leaves: options.detach, findings: &findings)
    }
}

extension Process {
    /// The process that flags describe: the container's own with what they change.
    init(_ options: ExecOptions, template: Process?) {
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

    /// Adds a capability to what an `execve` as root gives and the process may use, and never to the inheritable set. As
    /// an ambient one it needs to be inheritable, too, which only the container's configuration can say.
    private mutating func grant(_ name: String) {
        var sets = capabilities ?? Capabilities()
        sets.bounding = (sets.bounding ?? []) + [name]
        sets.permitted = (sets.permitted ?? []) + [name]
        sets.effective = (sets.effective ?? []) + [name]
        if sets.inheritable?.contains(name) == true { sets.ambient = (sets.ambient ?? []) + [name] }
        capabilities = sets
    }

    /// A process document's process, with the container's for what the document leaves open, as in runc.
    func completed(by template: Process?) -> Process {
        var process = self
        process.capabilities = capabilities ?? template?.capabilities
        process.rlimits = rlimits ?? template?.rlimits
        process.oomScoreAdj = oomScoreAdj ?? template?.oomScoreAdj
        process.scheduler = scheduler ?? template?.scheduler
        process.ioPriority = ioPriority ?? template?.ioPriority
        process.execCPUAffinity = execCPUAffinity ?? template?.execCPUAffinity
        process.noNewPrivileges = noNewPrivileges ?? template?.noNewPrivileges
        if apparmorProfile?.isEmpty != false { process.apparmorProfile = template?.apparmorProfile }
        if selinuxLabel?.isEmpty != false { process.selinuxLabel = template?.selinuxLabel }
        return process
    }
}
