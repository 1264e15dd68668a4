/// Limits by cgroup controller (config-linux.md, "Control groups").
package struct Resources: Sendable, Hashable {
    /// Device rules, applied in this order.
    package var devices: [DeviceRule]?
    /// Memory.
    package var memory: MemoryResources?
    /// CPU time and CPU sets.
    package var cpu: CPUResources?
    /// The number of tasks.
    package var pids: PIDsResources?
    /// Block I/O.
    package var blockIO: BlockIOResources?
    /// Huge pages, by page size.
    package var hugepageLimits: [HugepageLimit]?
    /// Network classes and priorities (cgroup v1 only).
    package var network: NetworkResources?
    /// RDMA devices, in the order of the text.
    package var rdma: [RDMALimit]?
    /// Files of the cgroup v2 directory and what to write, in the order of the text.
    package var unified: [KeyValue]?

    /// Limits by controller.
    package init(
        devices: [DeviceRule]? = nil, memory: MemoryResources? = nil, cpu: CPUResources? = nil,
        pids: PIDsResources? = nil, blockIO: BlockIOResources? = nil, hugepageLimits: [HugepageLimit]? = nil,
        network: NetworkResources? = nil, rdma: [RDMALimit]? = nil, unified: [KeyValue]? = nil
    ) {
        self.devices = devices
        self.memory = memory
        self.cpu = cpu
        self.pids = pids
        self.blockIO = blockIO
        self.hugepageLimits = hugepageLimits
        self.network = network
        self.rdma = rdma
        self.unified = unified
    }
}

extension Resources: Section {
    init(_ fields: inout Fields) {
        devices = fields.sections("devices")
        memory = fields.section("memory")
        cpu = fields.section("cpu")
        pids = fields.section("pids")
        blockIO = fields.section("blockIO")
        hugepageLimits = fields.sections("hugepageLimits")
        network = fields.section("network")
        rdma = fields.namedSections("rdma")
        unified = fields.map("unified")
    }
}

/// Whether some devices may be used (config-linux.md, "Allowed Device list").
package struct DeviceRule: Sendable, Hashable {
    /// Whether the devices are allowed or denied.
    package var allow: Bool
    /// The devices' kind; all where absent.
    package var type: DeviceRuleType?
    /// The devices' major number; all where absent.
    package var major: Int64?
    /// The devices' minor number; all where absent.
    package var minor: Int64?
    /// Some of `r`, `w` and `m` (mknod).
    package var access: String?

    /// A rule by its parts.
    package init(
        allow: Bool, type: DeviceRuleType? = nil, major: Int64? = nil, minor: Int64? = nil, access: String? = nil
    ) {
        self.allow = allow
        self.type = type
        self.major = major
        self.minor = minor
        self.access = access
    }
}

/// The kinds of devices a rule speaks of, by the specification's letters.
package enum DeviceRuleType: String, Word {
    /// All devices.
    case a
    /// Character devices.
    case c
    /// Block devices.
    case b
}

extension DeviceRule: Section {
    init(_ fields: inout Fields) {
        allow = fields.requiredBoolean("allow")
        type = fields.word("type")
        major = fields.integer("major")
        minor = fields.integer("minor")
        access = fields.string("access")
        if let access, !Self.isAccess(access) {
            fields.error(
                "access", "expected a composition of \"r\", \"w\" and \"m\", found \(fields.words(for: "access"))")
        }
    }

    /// Whether a text is made of the letters for reading, writing and making nodes.
    package static func isAccess(_ text: String) -> Bool { text.utf8.allSatisfy("rwm".utf8.contains) }
}

/// The limit of tasks (config-linux.md, "PIDs").
package struct PIDsResources: Sendable, Hashable {
    /// The most tasks; −1 means no limit, 0 is a limit.
    package var limit: Int64?

    /// A limit.
    package init(limit: Int64? = nil) {
        self.limit = limit
    }
}

extension PIDsResources: Section {
    init(_ fields: inout Fields) {
        limit = fields.integer("limit")
    }
}
