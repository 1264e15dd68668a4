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
    init?(_ policy: MemoryPolicy?, findings: inout Findings) {
        guard let policy else { return nil }
        let flags = policy.flags ?? []
        word = policy.mode.rawValue
        mode = flags.reduce(policy.mode.number) { $0 | $1.bit }
        var nodes: NumberSet?
        if let list = policy.nodes, !list.isEmpty {
            do throws(NumberSet.Mistake) {
                nodes = try NumberSet(list, of: .memoryNodes(below: Placement.mostNodes))
            } catch {
                findings.refuse("linux.memoryPolicy.nodes", error.reason)
            }
        }
        self.nodes = nodes
        Self.check(flags, policy, &findings)
    }

    /// What the kernel would only call an invalid argument.
    private static func check(
        _ flags: [MemoryPolicyFlag], _ policy: MemoryPolicy, _ findings: inout Findings
    ) {
        let field = "linux.memoryPolicy.flags"
        let mode = policy.mode
        let renumbers = flags.contains(.staticNodes) || flags.contains(.relativeNodes)
        if flags.contains(.staticNodes), flags.contains(.relativeNodes) {
            findings.refuse(field, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
        }
        if flags.contains(.numaBalancing), mode != .bind, mode != .preferredMany {
            findings.refuse(
                field, "MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY, not \(mode.rawValue)")
        }
        if renumbers, mode == .local || mode == .preferred && policy.nodes?.isEmpty != false {
            findings.refuse(field, "say how nodes are counted, and \(mode.rawValue) has none here")
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
