internal import CgroupPlanning
package import Errors
package import KernelTypes
package import OCISpec

/// A container, ready to be made: every field of the configuration read, checked and turned into what the kernel
/// takes.
///
/// Planning touches nothing. Whatever can be wrong with a configuration is found here.
package struct LaunchPlan: Sendable {
    package let id: String
    package let bundle: String
    package let ociVersion: String
    package let annotations: [KeyValue]
    package let options: LaunchOptions
    package var caller: Caller
    /// The name of the payload's session keyring; nil without one of its own.
    package let keyring: String?
    package let mode: LaunchMode
    package let namespaces: NamespacePlan
    package let rootfs: RootfsPlan
    /// nil in a container that was created without a process and can never start.
    package let process: ProcessPlan?
    package let capabilities: ProcessCapabilities
    package let noNewPrivileges: Bool
    package let memoryPolicy: MemoryPolicyPlan?
    package let seccomp: SeccompPlan?
    package let labels: LabelPlan
    package let system: SystemPlan
    package let terminal: TerminalPlan?
    package let hooks: Hooks?
    package let cgroup: CgroupPlan
    /// The user and group that make the container, for its id mappings.
    package let maker: (user: UInt32, group: UInt32)
    /// Whether an ordinary user makes it, who has no privileges outside of the container's user namespace: what needs
    /// some is done inside.
    package let isRootless: Bool
    /// Whether the init makes itself untraceable, once it has its id mappings: only the host's root could write
    /// those of a process that is. No other process is in its new user namespace until then.
    package var initShieldsItself: Bool { isRootless || namespaces.new.contains(.user) }
    package let resctrl: ResctrlPlan?
    /// What the annotations ask of the runtime.
    package let requests: AnnotationPlan
    /// Network interfaces of the host that the container gets.
    package let netDevices: [NetDevicePlan]

    package init(
        _ spec: Spec, id: String, bundle: String, options: LaunchOptions, caller: Caller = Caller(),
        keyring: String? = nil, mode: LaunchMode, host: Host,
        findings: inout Findings
    ) {
        self.id = id
        self.bundle = bundle
        self.options = options
        self.caller = caller
        self.keyring = keyring
        self.mode = mode
        ociVersion = spec.ociVersion
        annotations = spec.annotations ?? []
        let spec = caller.notify.map { $0.added(to: spec, findings: &findings) } ?? spec
        let namespaces = NamespacePlan(spec, defaults: host.mappings, findings: &findings)
        self.namespaces = namespaces
        var rootfs = RootfsPlan(
            spec, bundle: bundle, pivotRoot: options.pivotRoot, namespaces: namespaces, findings: &findings)
        if let label = MountLabel(spec, modules: host.modules, findings: &findings) { rootfs.label(label) }
        self.rootfs = rootfs
        requests = AnnotationPlan(
            spec, bundle: bundle, usesSystemd: options.cgroupManager == .systemd, findings: &findings)
        var process = spec.process.map {
            ProcessPlan($0, namespaces: namespaces, periods: host.deadlinePeriods, findings: &findings)
        }
        process?.keepsGroups = requests.keepsGroups
        self.process = process
        capabilities = CapabilityPlan.read(spec.process?.capabilities, findings: &findings)
        noNewPrivileges = spec.process?.noNewPrivileges ?? false
        memoryPolicy = MemoryPolicyPlan(spec.linux?.memoryPolicy, machine: host.memoryNodes, findings: &findings)
        seccomp = SeccompPlan(
            spec.linux?.seccomp, annotations: annotations, receiver: caller.seccompReceiver, findings: &findings)
        labels = LabelPlan(
            profile: spec.process?.apparmorProfile, label: spec.process?.selinuxLabel, modules: host.modules,
            findings: &findings)
        system = SystemPlan(spec, namespaces: namespaces, findings: &findings)
        terminal = TerminalPlan(spec.process, options: options, mode: mode, findings: &findings)
        hooks = spec.hooks
        cgroup = CgroupPlan(spec, id: id, options: options, requests: requests, host: host, findings: &findings)
        resctrl = ResctrlPlan(spec.linux?.intelRdt, id: id, root: host.resctrl, findings: &findings)
        netDevices = NetDevicePlan.read(
            spec.linux?.netDevices, namespaces: namespaces, host: host, findings: &findings)
        if requests.delegatedCgroup != nil, options.cgroupManager == .disabled {
            findings.refuse(
                AnnotationPlan.field(AnnotationName.delegatedCgroup.rawValue), "needs a cgroup to lie below")
        }
        maker = (host.effectiveUser, host.effectiveGroup)
        isRootless = host.effectiveUser != 0
        if isRootless { rootfs.refuseIDMaps(&findings) }
        ServicePlan.check(
            spec, choices: options.service, bundle: bundle, folder: options.serviceFolder, isRun: mode == .run,
            findings: &findings)
        SpecChecks.run(spec, mode: mode, findings: &findings)
    }

    /// The way from the finished container to its program; nil where there is none.
    package var payload: Payload? {
        process.map {
            Payload(
                process: $0, capabilities: capabilities, noNewPrivileges: noNewPrivileges,
                memoryPolicy: memoryPolicy, system: system, setsOwnLimits: !namespaces.has(.user),
                activationDescriptors: caller.activationDescriptors,
                inheritedDescriptors: caller.inherited ?? [], activationNames: caller.activationNames)
        }
    }
}
