package import Errors
package import KernelTypes
package import OCISpec

extension NamespaceType {
    /// The kernel's flag of a namespace kind; namespaces(7).
    package var flag: NamespaceFlags {
        switch self {
        case .pid: .pid
        case .network: .network
        case .mount: .mount
        case .ipc: .ipc
        case .uts: .uts
        case .user: .user
        case .cgroup: .cgroup
        case .time: .time
        }
    }
}

/// Which namespaces the container gets, and how. Specification: config-linux.md, "Namespaces".
package struct NamespacePlan: Sendable {
    package struct Joined: Sendable {
        package let type: NamespaceType
        package let path: String
        package let field: String
    }

    /// Namespaces made for the container.
    package private(set) var new: NamespaceFlags = []
    /// Existing namespaces that it joins.
    package private(set) var joined: [Joined] = []
    package private(set) var uidMappings: [IDMapping] = []
    package private(set) var gidMappings: [IDMapping] = []
    /// How far the clocks of a new time namespace are off; empty where they are not.
    package private(set) var timeOffsets: [TimeOffsetPlan] = []

    /// - Parameter defaults: mappings for a configuration without any.
    package init(_ spec: Spec, defaults: DefaultMappings? = nil, findings: inout Findings) {
        for (index, namespace) in (spec.linux?.namespaces ?? []).enumerated() {
            let field = "linux.namespaces[\(index)]"
            guard let path = namespace.path, !path.isEmpty else {
                new.insert(namespace.type.flag)
                continue
            }
            if !path.isAbsolutePath { findings.refuse("\(field).path", "must be an absolute path, is \"\(path)\"") }
            joined.append(Joined(type: namespace.type, path: path, field: "\(field).path"))
        }
        uidMappings = defaults?.uids ?? spec.linux?.uidMappings ?? []
        gidMappings = defaults?.gids ?? spec.linux?.gidMappings ?? []
        checkMappings(&findings)
        timeOffsets = TimeOffsetPlan.read(
            spec, isNew: new.contains(.time), isJoined: joins(.time), findings: &findings)
    }

    private func checkMappings(_ findings: inout Findings) {
        check(uidMappings, "linux.uidMappings", &findings)
        check(gidMappings, "linux.gidMappings", &findings)
    }

    private func check(_ mappings: [IDMapping], _ field: String, _ findings: inout Findings) {
        if !has(.user) {
            if mappings.isEmpty { return }
            findings.refuse(field, "needs a user namespace; add {\"type\": \"user\"} to linux.namespaces")
        } else if new.contains(.user), mappings.isEmpty {
            findings.refuse(field, "a new user namespace needs at least one mapping")
        } else {
            IDMappingRules.check(mappings, field, &findings)
        }
    }

    /// Whether the container has a namespace of this kind of its own or of another's, not the runtime's.
    package func has(_ type: NamespaceType) -> Bool {
        new.contains(type.flag) || joined.contains { $0.type == type }
    }

    /// Every kind that it has.
    package var all: NamespaceFlags { joined.reduce(new) { $0.union($1.type.flag) } }

    package func joins(_ type: NamespaceType) -> Bool { joined.contains { $0.type == type } }

    /// Whether an intermediate process must enter namespaces before the container's init can be spawned in them: a user
    /// namespace that exists, or existing namespaces together with a new user namespace, from inside of which they
    /// could not be entered; and a time namespace with offsets, whose clocks can be set only before a process is in it.
    package var needsIntermediate: Bool {
        joins(.user) || (new.contains(.user) && !joined.isEmpty) || (!timeOffsets.isEmpty && !isSpawnedLast)
    }

    /// Whether the init is spawned when all is set up, by a process that is never in its pid namespace: others are, and
    /// what may trace any process of the host's root there could reach the host through one that has not left it. A
    /// user namespace keeps them off by itself, since what an untraceable process has belongs to the user namespace of
    /// its program (ptrace(2), "Ptrace access mode checking").
    package var isSpawnedLast: Bool { joins(.pid) && !has(.user) }

    /// What the intermediate process makes before the init is spawned: a time namespace whose clocks are to be set, and
    /// the user namespace that shall own it.
    package var madeByIntermediate: NamespaceFlags { timeOffsets.isEmpty ? [] : new.intersection([.time, .user]) }

    /// Whether the init must wait for the runtime before it does anything.
    package var isAcknowledged: Bool { needsIntermediate || new.contains(.user) }

    /// The namespaces that the init is cloned into. The cgroup namespace is not among them: its root is the cgroup of
    /// the process that makes it.
    package var cloneFlags: NamespaceFlags { new.subtracting(.cgroup).subtracting(madeByIntermediate) }

    /// Whether the mounts are the container's own, and locked against its root: more privileged ones than its user
    /// namespace made them.
    package var locksMounts: Bool { has(.user) && new.contains(.mount) }

    /// The host's number of a container's user or group; nil when it is not mapped.
    package static func hostID(of id: UInt32, in mappings: [IDMapping]) -> UInt32? {
        for mapping in mappings
        where id >= mapping.containerID && UInt64(id) < UInt64(mapping.containerID) + UInt64(mapping.size) {
            return mapping.hostID &+ (id - mapping.containerID)
        }
        return nil
    }
}
