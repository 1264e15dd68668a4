/// What only Linux has (config-linux.md).
package struct Linux: Sendable, Hashable {
    /// The namespaces to create or join, each type once; absent ones are the runtime's.
    package var namespaces: [Namespace]?
    /// User IDs of the user namespace.
    package var uidMappings: [IDMapping]?
    /// Group IDs of the user namespace.
    package var gidMappings: [IDMapping]?
    /// Clock offsets of the time namespace.
    package var timeOffsets: TimeOffsets?
    /// Device nodes to supply besides the default ones.
    package var devices: [Device]?
    /// Network interfaces of the host to move into the container.
    package var netDevices: [NetDevice]?
    /// Where in the cgroup tree; the form depends on the cgroup manager.
    package var cgroupsPath: String?
    /// Limits, by cgroup controller.
    package var resources: Resources?
    /// Cache and memory bandwidth control.
    package var intelRdt: IntelRdt?
    /// NUMA memory policy.
    package var memoryPolicy: MemoryPolicy?
    /// Kernel parameters of the container's namespaces, in the order of the text.
    package var sysctl: [KeyValue]?
    /// The system call filter.
    package var seccomp: Seccomp?
    /// How mounts spread between the container and the host.
    package var rootfsPropagation: RootfsPropagation?
    /// Absolute paths that cannot be read inside the container.
    package var maskedPaths: [String]?
    /// Absolute paths that cannot be written inside the container.
    package var readonlyPaths: [String]?
    /// The SELinux context of the container's mounts.
    package var mountLabel: String?
    /// The execution domain.
    package var personality: Personality?

    /// The Linux section by its parts.
    package init(
        namespaces: [Namespace]? = nil, uidMappings: [IDMapping]? = nil, gidMappings: [IDMapping]? = nil,
        timeOffsets: TimeOffsets? = nil, devices: [Device]? = nil, netDevices: [NetDevice]? = nil,
        cgroupsPath: String? = nil, resources: Resources? = nil, intelRdt: IntelRdt? = nil,
        memoryPolicy: MemoryPolicy? = nil, sysctl: [KeyValue]? = nil, seccomp: Seccomp? = nil,
        rootfsPropagation: RootfsPropagation? = nil, maskedPaths: [String]? = nil, readonlyPaths: [String]? = nil,
        mountLabel: String? = nil, personality: Personality? = nil
    ) {
        self.namespaces = namespaces
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
        self.timeOffsets = timeOffsets
        self.devices = devices
        self.netDevices = netDevices
        self.cgroupsPath = cgroupsPath
        self.resources = resources
        self.intelRdt = intelRdt
        self.memoryPolicy = memoryPolicy
        self.sysctl = sysctl
        self.seccomp = seccomp
        self.rootfsPropagation = rootfsPropagation
        self.maskedPaths = maskedPaths
        self.readonlyPaths = readonlyPaths
        self.mountLabel = mountLabel
        self.personality = personality
    }
}

extension Linux: Section {
    init(_ fields: inout Fields) {
        namespaces = fields.sections("namespaces")
        uidMappings = fields.sections("uidMappings")
        gidMappings = fields.sections("gidMappings")
        timeOffsets = fields.section("timeOffsets")
        devices = fields.sections("devices")
        netDevices = fields.namedSections("netDevices")
        cgroupsPath = fields.string("cgroupsPath")
        resources = fields.section("resources")
        intelRdt = fields.section("intelRdt")
        memoryPolicy = fields.section("memoryPolicy")
        sysctl = fields.map("sysctl")
        seccomp = fields.section("seccomp")
        rootfsPropagation = fields.word("rootfsPropagation")
        maskedPaths = fields.absolutePaths("maskedPaths")
        readonlyPaths = fields.absolutePaths("readonlyPaths")
        mountLabel = fields.string("mountLabel")
        personality = fields.section("personality")
        fields.refuseRepeats(of: "type", in: "namespaces")
    }
}

/// How mounts spread between the container and the host (config-linux.md, "Rootfs Mount Propagation").
///
/// The specification names the four plain values; the recursive ones are what every engine writes and every runtime
/// reads.
package enum RootfsPropagation: String, Word {
    case shared
    case slave
    case `private`
    case unbindable
    case rshared
    case rslave
    case rprivate
    case runbindable
}
