internal import CgroupPlanning
internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import OCISpec
internal import Planning

/// What a configuration is planned to become, for the fuzzer of the plan (`Sources/runbox-fuzz`), which holds it
/// against the configuration. Nothing in here judges or changes anything; the plans themselves stay the library's own.
struct PlanFacts: Sendable {
    struct Mount: Sendable {
        let index: Int
        let destination: String
        /// Of a bind mount.
        let source: String?
        let isRemount: Bool
        let flags: MountFlags
        let set: MountAttributes
        let setRecursively: MountAttributes
        let propagation: [MountPropagation]
        let data: [String]
        let isIDMapped: Bool
    }

    struct Device: Sendable {
        let path: String
        let mode: UInt32
        let isDefault: Bool
    }

    struct Program: Sendable {
        let arguments: [String]
        let environment: [String]
        let directory: String
        let user: UInt32
        let group: UInt32
        let additionalGroups: [UInt32]
        let creationMask: UInt32
        /// Each as `RLIMIT_X soft hard`.
        let limits: [String]
        let oomScoreAdjustment: Int?
        let hasScheduling: Bool
        let hasIOPriority: Bool
    }

    struct Filter: Sendable {
        let defaultVerdict: SeccompVerdict
        /// The names of each rule, in their order.
        let rules: [(names: [String], verdict: SeccompVerdict)]
        let notifies: Bool
    }

    /// Each with the field and the reason.
    let errors: [(field: String, reason: String)]
    let warnings: [(field: String, reason: String)]

    let newNamespaces: NamespaceFlags
    let joinedNamespaces: [(type: NamespaceType, path: String)]
    let uidMappings: [IDMapping]
    let gidMappings: [IDMapping]
    let program: Program?
    let capabilities: ProcessCapabilities
    let noNewPrivileges: Bool
    let filter: Filter?
    let hasTerminal: Bool
    let hasMemoryPolicy: Bool
    private(set) var profile: String?
    private(set) var label: String?
    // Of the whole container; `exec` has none of them.
    private(set) var root = ""
    private(set) var isRootReadOnly = false
    private(set) var mounts: [Mount] = []
    private(set) var devices: [Device] = []
    private(set) var maskedPaths: [String] = []
    private(set) var readOnlyPaths: [String] = []
    private(set) var hostname: String?
    private(set) var domainname: String?
    private(set) var sysctls: [(key: String, value: String)] = []
    private(set) var hooks: Hooks?
    private(set) var cgroup: CgroupPath?
    private(set) var settings: [Setting] = []
    private(set) var limitsDevices = false
    private(set) var hasResctrl = false
    /// By their names on the host.
    private(set) var netDevices: [String] = []
    private(set) var keepsGroups = false
    private(set) var delegatedCgroup: String?
    private(set) var hasOtherFilter = false

    /// Plans a container on a machine of ordinary shape, whatever this one is.
    init(_ spec: Spec, bundle: String, options: LaunchOptions, isRun: Bool) {
        var findings = Findings()
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
    init(_ spec: Spec, exec options: ExecOptions) {
        var findings = Findings()
        let plan = ExecPlan(
            Process(options, template: spec.process), in: spec, bundle: "/bundle", options: options, findings: &findings
        )
        self.init(
            plan.namespaces, plan.payload.process, plan.payload.capabilities, plan.payload.noNewPrivileges,
            plan.seccomp, plan.terminal, plan.payload.memoryPolicy, findings)
    }

    private static let modules = SecurityModules(appArmor: true, seLinux: true)

    private static func launch(
        _ spec: Spec, _ bundle: String, _ options: LaunchOptions, _ mode: LaunchMode, _ findings: inout Findings
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
        _ findings: Findings
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
