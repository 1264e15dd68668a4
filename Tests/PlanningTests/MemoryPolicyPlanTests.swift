import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct MemoryPolicyPlanTests {
    private func read(_ policy: MemoryPolicy?) -> (plan: MemoryPolicyPlan?, findings: Findings) {
        plan { MemoryPolicyPlan(policy, findings: &$0) }
    }

    /// The numbers of linux/mempolicy.h; a mode that is added needs a row.
    static let modes: [(mode: MemoryPolicyMode, number: UInt32, nodes: String?)] = [
        (.default, 0, nil), (.preferred, 1, nil), (.preferred, 1, "0"), (.bind, 2, "0-1"), (.interleave, 3, "1"),
        (.local, 4, nil), (.preferredMany, 5, "0"), (.weightedInterleave, 6, "0,2"),
    ]

    @Test(arguments: modes.indices)
    func everyModeHasTheKernelsNumber(index: Int) throws {
        let (mode, number, nodes) = Self.modes[index]
        let (plan, findings) = read(MemoryPolicy(mode: mode, nodes: nodes))
        #expect(findings.errorLines == [])
        #expect(plan?.mode == number)
        #expect(plan?.nodes == (try nodes.map { try NumberSet($0, of: .memoryNodes(below: 64)) }))
    }

    @Test func everyModeHasACaseInTheseTests() {
        #expect(Set(Self.modes.map(\.mode)) == Set(MemoryPolicyMode.allCases))
    }

    @Test(arguments: [
        (MemoryPolicyFlag.staticNodes, UInt32(0x8002)), (.relativeNodes, 0x4002), (.numaBalancing, 0x2002),
    ])
    func everyFlagIsItsBit(flag: MemoryPolicyFlag, number: UInt32) {
        #expect(read(MemoryPolicy(mode: .bind, nodes: "0", flags: [flag])).plan?.mode == number)
    }

    @Test(arguments: [
        (
            MemoryPolicy(mode: .bind, nodes: "0-"),
            "linux.memoryPolicy.nodes: invalid memory policy: expected a list of numbers such as \"0-3,7\", found \"0-\""
        ),
        (
            MemoryPolicy(mode: .bind, nodes: "1024"),
            "linux.memoryPolicy.nodes: invalid memory policy: names memory node 1024; Linux counts to 1023"
        ),
        (
            MemoryPolicy(mode: .bind, nodes: "0", flags: [.staticNodes, .relativeNodes]),
            "linux.memoryPolicy.flags: invalid memory policy: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other"
        ),
        (
            MemoryPolicy(mode: .interleave, nodes: "0", flags: [.numaBalancing]),
            "linux.memoryPolicy.flags: invalid memory policy: MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY, not MPOL_INTERLEAVE"
        ),
        (
            MemoryPolicy(mode: .local, flags: [.staticNodes]),
            "linux.memoryPolicy.flags: invalid memory policy: they say how nodes are counted, and MPOL_LOCAL has none here"
        ),
        (
            MemoryPolicy(mode: .preferred, flags: [.relativeNodes]),
            "linux.memoryPolicy.flags: invalid memory policy: they say how nodes are counted, and MPOL_PREFERRED has none here"
        ),
    ])
    func contradictoryPoliciesAreRefused(policy: MemoryPolicy, line: String) {
        #expect(read(policy).findings.errorLines == [line])
    }

    /// A machine with the nodes 0, 2 and 3.
    @Test(
        arguments: [
            ("0,2-3", nil, nil, "0,2-3"),
            ("1", "invalid memory policy: this machine has no memory node 1, only 0,2-3", nil, "1"),
            ("1,64-65", "invalid memory policy: this machine has no memory node 1,64-65, only 0,2-3", nil, "1,64-65"),
            ("0-3", nil, "this machine has no memory node 1, only 0,2-3; left out", "0,2-3"),
            ("3,1000", nil, "this machine has no memory node 1000, only 0,2-3; left out", "3"),
        ] as [(String, String?, String?, String)])
    func nodesBeyondTheMachineAreNamed(list: String, error: String?, warning: String?, rest: String) {
        let machine = NumberSet(kernelsNodes: "0,2-3")
        let (plan, findings) = plan {
            MemoryPolicyPlan(MemoryPolicy(mode: .bind, nodes: list), machine: machine, findings: &$0)
        }
        #expect(findings.errorLines == [error].compactMap { $0.map { "linux.memoryPolicy.nodes: \($0)" } })
        #expect(findings.warningLines == [warning].compactMap { $0.map { "linux.memoryPolicy.nodes: \($0)" } })
        #expect(plan?.nodes?.description == rest)
    }

    @Test func relativeNodesAreNotTheMachines() {
        let policy = MemoryPolicy(mode: .bind, nodes: "7", flags: [.relativeNodes])
        let (plan, findings) = plan {
            MemoryPolicyPlan(policy, machine: NumberSet(kernelsNodes: "0"), findings: &$0)
        }
        #expect(findings.errorLines == [] && findings.warningLines == [] && plan?.nodes?.description == "7")
    }

    @Test func withoutAPolicyNothingIsPlanned() {
        let (plan, findings) = read(nil)
        #expect(plan == nil && findings.errorLines == [])
    }
}
