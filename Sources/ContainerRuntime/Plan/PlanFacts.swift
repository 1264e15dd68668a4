package import Cgroups
package import Kernel
package import OCISpec

/// What a configuration is planned to become, for the fuzzer of the plan (`Sources/runbox-fuzz`), which holds it against
/// the configuration. Nothing in here judges or changes anything; the plans themselves stay the library's own.
package struct PlanFacts: Sendable {
    package struct Mount: Sendable {
        package let index: Int
        package let destination: String
        /// Of a bind mount.
        package let source: String?
        package let isRemount: Bool
        package let flags: MountFlags
        package let set: MountAttributes
        package let setRecursively: MountAttributes
        package let propagation: [MountPropagation]
        package let data: [String]
        package let isIDMapped: Bool
    }

    package struct Device: Sendable {
        package let path: String
        package let mode: UInt32
        package let isDefault: Bool
    }

    package struct Program: Sendable {
        package let arguments: [String]
        package let environment: [String]
        package let directory: String
        package let user: UInt32
        package let group: UInt32
        package let additionalGroups: [UInt32]
        package let creationMask: UInt32
        /// Each as `RLIMIT_X soft hard`.
        package let limits: [String]
        package let oomScoreAdjustment: Int?
        package let hasScheduling: Bool
        package let hasIOPriority: Bool
    }

    package struct Filter: Sendable {
        package let defaultVerdict: SeccompVerdict
        /// The names of each rule, in their order.
        package let rules: [(names: [String], verdict: SeccompVerdict)]
        package let notifies: Bool
    }

    /// Each with the field and the reason.
    package let errors: [(field: String, reason: String)]
    package let warnings: [(field: String, reason: String)]

    package let newNamespaces: NamespaceFlags
    package let joinedNamespaces: [(type: NamespaceType, path: String)]
    package let uidMappings: [IDMapping]
    package let gidMappings: [IDMapping]
    package let program: Program?
    package let capabilities: ProcessCapabilities
    package let noNewPrivileges: Bool
    package let filter: Filter?
    package let hasTerminal: Bool
    package let hasMemoryPolicy: Bool
    package private(set) var profile: String?
    package private(set) var label: String?
    // Of the whole container; `exec` has none of them.
    package private(set) var root = ""
    package private(set) var isRootReadOnly = false
    package private(set) var mounts: [Mount] = []
    package private(set) var devices: [Device] = []
    package private(set) var maskedPaths: [String] = []
    package private(set) var readOnlyPaths: [String] = []
    package private(set) var hostname: String?
    package private(set) var domainname: String?
    package private(set) var sysctls: [(key: String, value: String)] = []
    package private(set) var hooks: Hooks?
    package private(set) var cgroup: CgroupPath?
    package private(set) var settings: [Setting] = []
    package private(set) var limitsDevices = false
    package private(set) var hasResctrl = false
    /// By their names on the host.
    package private(set) var netDevices: [String] = []
    package private(set) var keepsGroups = false
    package private(set) var delegatedCgroup: String?
    package private(set) var hasOtherFilter = false

    /// Plans a container on a machine of ordinary shape, whatever this one is.
    package init(_ spec: Spec, bundle: String, options: LaunchOptions, isRun: Bool) {
        var findings = PlanFindings()
        let plan = Self.launch(spec, bundle, options, isRun ? .run : .create, &findings)
        self.init(
            plan.namespaces, plan.process, plan.capabilities, plan.noNewPrivileges, plan.seccomp, plan.terminal,
            plan.memoryPolicy, findings)
        profile = plan.labels.profile
        label = plan.labels.label
        root = plan.rootfs.path
        isRootReadOnly = plan.rootfs.readOnly
        mounts = plan.rootfs.mounts.map(Mount.init)
        devices = plan.rootfs.devices.map { Device(path: $0.path, mode: $0.mode, isDefault: $0.field == nil) }
        maskedPaths = plan.rootfs.maskedPaths
        readOnlyPaths = plan.rootfs.readOnlyPaths
        hostname = plan.system.hostname
        domainname = plan.system.domainname
        sysctls = plan.system.sysctls.map { ($0.key, $0.value) }
        hooks = plan.hooks
        cgroup = plan.cgroup.path
        settings = plan.cgroup.resources.settings
        limitsDevices = plan.cgroup.deviceRules != nil
        hasResctrl = plan.resctrl != nil
        netDevices = plan.netDevices.map(\.hostName)
        keepsGroups = plan.requests.keepsGroups
        delegatedCgroup = plan.requests.delegatedCgroup
        hasOtherFilter = plan.requests.seccompProgram != nil
    }

    /// Plans another program for a container of this configuration.
    package init(_ spec: Spec, exec options: ExecOptions) {
        var settled = PlanFindings()
        let record = Record(Self.launch(spec, "/bundle", LaunchOptions(), .create, &settled), owner: 0)
        var findings = PlanFindings()
        let plan = ExecPlan(
            Process(options, template: spec.process), in: spec, record: record, options: options, findings: &findings)
        self.init(
            plan.namespaces, plan.payload.process, plan.payload.capabilities, plan.payload.noNewPrivileges,
            plan.seccomp, plan.terminal, plan.payload.memoryPolicy, findings)
    }

    private static let modules = SecurityModules(appArmor: true, seLinux: true)

    private static func launch(
        _ spec: Spec, _ bundle: String, _ options: LaunchOptions, _ mode: LaunchMode, _ findings: inout PlanFindings
    ) -> LaunchPlan {
        let host = Host(
            effectiveUser: 0, effectiveGroup: 0,
            cgroups: CgroupHost(root: "/sys/fs/cgroup", ownPath: "/user.slice/shell"), resctrl: "/sys/fs/resctrl",
            modules: Self.modules)
        return LaunchPlan(
            spec, id: "fuzz", bundle: bundle, options: options, mode: mode, host: host, findings: &findings)
    }

    private init(
        _ namespaces: NamespacePlan, _ process: ProcessPlan?, _ capabilities: ProcessCapabilities,
        _ noNewPrivileges: Bool, _ seccomp: SeccompPlan?, _ terminal: TerminalPlan?, _ memoryPolicy: MemoryPolicyPlan?,
        _ findings: PlanFindings
    ) {
        errors = findings.errors.map { ($0.field, $0.reason) }
        warnings = findings.warnings.map { ($0.field, $0.reason) }
        newNamespaces = namespaces.new
        joinedNamespaces = namespaces.joined.map { ($0.type, $0.path) }
        uidMappings = namespaces.uidMappings
        gidMappings = namespaces.gidMappings
        program = process.map(Program.init)
        self.capabilities = capabilities
        self.noNewPrivileges = noNewPrivileges
        filter = seccomp.map { plan in
            Filter(
                defaultVerdict: plan.defaultVerdict, rules: plan.rules.map { ($0.names, $0.verdict) },
                notifies: plan.flags & SeccompSupport.newListener != 0)
        }
        hasTerminal = terminal != nil
        hasMemoryPolicy = memoryPolicy != nil
    }
}

extension PlanFacts.Mount {
    fileprivate init(_ plan: MountPlan) {
        index = plan.index
        destination = plan.destination
        if case .bind(let path, _) = plan.kind { source = path } else { source = nil }
        if case .remount = plan.kind { isRemount = true } else { isRemount = false }
        flags = plan.flags
        set = plan.set
        setRecursively = plan.setRecursively
        propagation = plan.propagation.map(\.kind)
        data = plan.data
        isIDMapped = plan.idMap != nil
    }
}

extension PlanFacts.Program {
    fileprivate init(_ plan: ProcessPlan) {
        arguments = plan.arguments
        environment = plan.environment
        directory = plan.directory
        user = plan.user
        group = plan.group
        additionalGroups = plan.additionalGroups
        creationMask = plan.creationMask
        limits = plan.limits.map { "\($0.name) \($0.soft) \($0.hard)" }
        oomScoreAdjustment = plan.oomScoreAdjustment
        hasScheduling = plan.scheduling != nil
        hasIOPriority = plan.ioPriority != nil
    }
}
