internal import CgroupPlanning
internal import Errors
internal import KernelTypes
internal import OCISpec

/// From which NUMA nodes the container's processes get memory. Specification: config-linux.md, "Memory policy";
/// set_mempolicy(2).
///
/// A process passes its policy on to its children and to what it executes, so the init gets it once, and `exec` for its
/// own process.
package struct MemoryPolicyPlan: Sendable {
    package let word: String
    /// The kernel's number with its flags.
    package let mode: UInt32
    /// nil for modes without nodes.
    package let nodes: NumberSet?

    /// The modes that need or forbid nodes by themselves are checked where the section is decoded.
    /// - Parameter machine: the nodes with memory; nil where they are not known.
    init?(_ policy: MemoryPolicy?, machine: NumberSet? = nil, findings: inout Findings) {
        guard let policy else { return nil }
        let flags = policy.flags ?? []
        word = policy.mode.rawValue
        mode = flags.reduce(policy.mode.number) { $0 | $1.bit }
        var nodes: NumberSet?
        if let list = policy.nodes, !list.isEmpty {
            do throws(NumberSet.Mistake) {
                nodes = try NumberSet(list, of: .memoryNodes(below: Placement.mostNodes))
            } catch {
                findings.refuse("linux.memoryPolicy.nodes", "invalid memory policy: \(error.reason)")
            }
        }
        // Relative numbers count within the nodes that the machine has, and over again.
        if let machine, let asked = nodes, !flags.contains(.relativeNodes) {
            nodes = Self.reduce(asked, to: machine, &findings)
        }
        self.nodes = nodes
        Self.check(flags, policy, &findings)
    }

    /// The kernel takes no policy without a node of the machine, and leaves out the others in silence.
    private static func reduce(
        _ asked: NumberSet, to machine: NumberSet, _ findings: inout Findings
    ) -> NumberSet {
        let beyond = asked.subtracting(machine)
        guard !beyond.isEmpty else { return asked }
        let field = "linux.memoryPolicy.nodes"
        let rest = asked.subtracting(beyond)
        if rest.isEmpty {
            findings.refuse(
                field, "invalid memory policy: this machine has no memory node \(beyond), only \(machine)")
            return asked
        }
        findings.warn(field, "this machine has no memory node \(beyond), only \(machine); left out")
        return rest
    }

    /// What the kernel would only call an invalid argument.
    private static func check(
        _ flags: [MemoryPolicyFlag], _ policy: MemoryPolicy, _ findings: inout Findings
    ) {
        let field = "linux.memoryPolicy.flags"
        let mode = policy.mode
        let renumbers = flags.contains(.staticNodes) || flags.contains(.relativeNodes)
        if flags.contains(.staticNodes), flags.contains(.relativeNodes) {
            findings.refuse(
                field, "invalid memory policy: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
        }
        if flags.contains(.numaBalancing), mode != .bind, mode != .preferredMany {
            findings.refuse(
                field,
                "invalid memory policy: MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY, not \(mode.rawValue)"
            )
        }
        if renumbers, mode == .local || mode == .preferred && policy.nodes?.isEmpty != false {
            findings.refuse(
                field, "invalid memory policy: they say how nodes are counted, and \(mode.rawValue) has none here")
        }
    }
}

extension MemoryPolicyMode {
    /// linux/mempolicy.h, MPOL_*.
    fileprivate var number: UInt32 {
        switch self {
        case .default: 0
        case .preferred: 1
        case .bind: 2
        case .interleave: 3
        case .local: 4
        case .preferredMany: 5
        case .weightedInterleave: 6
        }
    }
}

extension MemoryPolicyFlag {
    /// linux/mempolicy.h, MPOL_F_*.
    fileprivate var bit: UInt32 {
        switch self {
        case .staticNodes: 1 << 15
        case .relativeNodes: 1 << 14
        case .numaBalancing: 1 << 13
        }
    }
}
