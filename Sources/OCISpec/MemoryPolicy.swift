/// The NUMA memory policy (config-linux.md, "Memory policy"; set_mempolicy(2)).
package struct MemoryPolicy: Sendable, Hashable {
    /// The policy.
    package var mode: MemoryPolicyMode
    /// The memory nodes, a list such as `0-3,7`.
    package var nodes: String?
    /// Further behaviour.
    package var flags: [MemoryPolicyFlag]?

    /// A policy by its parts.
    package init(mode: MemoryPolicyMode, nodes: String? = nil, flags: [MemoryPolicyFlag]? = nil) {
        self.mode = mode
        self.nodes = nodes
        self.flags = flags
    }
}

/// The kernel's memory policies.
package enum MemoryPolicyMode: String, Word {
    case `default` = "MPOL_DEFAULT"
    case bind = "MPOL_BIND"
    case interleave = "MPOL_INTERLEAVE"
    case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
    case preferred = "MPOL_PREFERRED"
    case preferredMany = "MPOL_PREFERRED_MANY"
    case local = "MPOL_LOCAL"
}

/// The kernel's memory policy flags.
package enum MemoryPolicyFlag: String, Word {
    case numaBalancing = "MPOL_F_NUMA_BALANCING"
    case relativeNodes = "MPOL_F_RELATIVE_NODES"
    case staticNodes = "MPOL_F_STATIC_NODES"
}

extension MemoryPolicy: Section {
    init(_ fields: inout Fields) {
        // The beginnings are runc's.
        mode = fields.requiredWord("mode", placeholder: .preferred, complaint: "invalid memory policy mode")
        nodes = fields.string("nodes")
        flags = fields.words("flags", complaint: "invalid memory policy flag")
        guard fields.isString("mode") else { return }
        switch mode {
        case .default, .local:
            if nodes?.isEmpty == false {
                fields.error("nodes", "invalid memory policy: the mode \(mode.rawValue) takes no nodes")
            }
        case .bind, .interleave, .weightedInterleave, .preferredMany:
            if nodes?.isEmpty ?? !fields.isPresent("nodes") {
                fields.error(
                    "nodes", "invalid memory policy: the mode \(mode.rawValue) needs \"nodes\", such as \"0-3,7\"")
            }
        case .preferred:
            return
        }
    }
}

/// The execution domain (config-linux.md, "Personality"; personality(2)).
package struct Personality: Sendable, Hashable {
    /// The domain.
    package var domain: PersonalityDomain
    /// The specification defines no flag yet, so a decoded document has none in it.
    package var flags: [String]?

    /// A personality by its parts.
    package init(domain: PersonalityDomain, flags: [String]? = nil) {
        self.domain = domain
        self.flags = flags
    }
}

/// The execution domains of the specification.
package enum PersonalityDomain: String, Word {
    case linux = "LINUX"
    /// `uname` names a 32-bit machine.
    case linux32 = "LINUX32"
}

extension Personality: Section {
    init(_ fields: inout Fields) {
        domain = fields.requiredWord("domain", placeholder: .linux)
        flags = fields.strings("flags")
        if flags?.isEmpty == false {
            fields.error("flags", "the specification defines no flags yet; leave it out")
        }
    }
}
