import Kernel
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite struct NumberSetTests {
    @Test(arguments: [
        ("0", [1], "0"), ("0-3,7", [0b1000_1111], "0-3,7"), ("63", [1 << 63], "63"), ("64", [0, 1], "64"),
        ("62-65", [3 << 62, 3], "62-65"), ("3,1,2", [0b1110], "1-3"), (" 0 - 1 , 3 ", [0b1011], "0-1,3"),
        (",1,,2,", [0b110], "1-2"), ("5-5", [1 << 5], "5"), ("0,0-1", [3], "0-1"),
    ])
    func listsOfNumbersAreRead(list: String, words: [UInt64], shortest: String) throws {
        let set = try NumberSet(list, of: .cpus(below: 8192))
        #expect(set.words == words)
        #expect(set.description == shortest)
    }

    @Test(arguments: [
        ("", "names no CPU"), (" , ", "names no CPU"), ("3-1", "the range 3-1 runs backwards"),
        ("8192", "names CPU 8192; Linux counts to 8191"),
        ("0-4294967295", "names CPU 4294967295; Linux counts to 8191"),
        ("a", "expected a list of numbers such as \"0-3,7\", found \"a\""),
        ("-1", "expected a list of numbers such as \"0-3,7\", found \"-1\""),
        ("1-", "expected a list of numbers such as \"0-3,7\", found \"1-\""),
        ("1-2-3", "expected a list of numbers such as \"0-3,7\", found \"1-2-3\""),
        ("+1", "expected a list of numbers such as \"0-3,7\", found \"+1\""),
        ("1 2", "expected a list of numbers such as \"0-3,7\", found \"1 2\""),
        ("0x1", "expected a list of numbers such as \"0-3,7\", found \"0x1\""),
        (
            "99999999999999999999",
            "expected a list of numbers such as \"0-3,7\", found \"99999999999999999999\""
        ),
    ])
    func malformedListsAreRefused(list: String, reason: String) {
        #expect(throws: NumberSet.Mistake(reason: reason)) { try NumberSet(list, of: .cpus(below: 8192)) }
    }
}

@Suite struct MemoryPolicyPlanTests {
    private func read(_ policy: MemoryPolicy?) -> (plan: MemoryPolicyPlan?, findings: PlanFindings) {
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
            "linux.memoryPolicy.nodes: expected a list of numbers such as \"0-3,7\", found \"0-\""
        ),
        (
            MemoryPolicy(mode: .bind, nodes: "1024"),
            "linux.memoryPolicy.nodes: names memory node 1024; Linux counts to 1023"
        ),
        (
            MemoryPolicy(mode: .bind, nodes: "0", flags: [.staticNodes, .relativeNodes]),
            "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other"
        ),
        (
            MemoryPolicy(mode: .interleave, nodes: "0", flags: [.numaBalancing]),
            "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY, not MPOL_INTERLEAVE"
        ),
        (
            MemoryPolicy(mode: .local, flags: [.staticNodes]),
            "linux.memoryPolicy.flags: say how nodes are counted, and MPOL_LOCAL has none here"
        ),
        (
            MemoryPolicy(mode: .preferred, flags: [.relativeNodes]),
            "linux.memoryPolicy.flags: say how nodes are counted, and MPOL_PREFERRED has none here"
        ),
    ])
    func contradictoryPoliciesAreRefused(policy: MemoryPolicy, line: String) {
        #expect(read(policy).findings.errorLines == [line])
    }

    @Test func withoutAPolicyNothingIsPlanned() {
        let (plan, findings) = read(nil)
        #expect(plan == nil && findings.errorLines == [])
    }
}

@Suite struct CPUAffinityPlanTests {
    private func read(_ affinity: CPUAffinity?) -> (plan: CPUAffinityPlan, findings: PlanFindings) {
        plan { CPUAffinityPlan(affinity, findings: &$0) }
    }

    @Test func bothMasksAreRead() {
        let (plan, findings) = read(CPUAffinity(initial: "7", final: "0-3,7"))
        #expect(findings.errorLines == [])
        #expect(plan.initial?.words == [1 << 7] && plan.final?.words == [0b1000_1111])
    }

    @Test(arguments: [nil, CPUAffinity(), CPUAffinity(initial: "", final: "")])
    func anEmptyAffinityLeavesTheMaskAsItIs(affinity: CPUAffinity?) throws {
        let (plan, findings) = read(affinity)
        #expect(findings.errorLines == [] && plan.initial == nil && plan.final == nil)
        try plan.applyInitial()

    }

    @Test func mistakesNameTheField() {
        #expect(
            read(CPUAffinity(initial: "3-1", final: "9999")).findings.errorLines == [
                "process.execCPUAffinity.initial: the range 3-1 runs backwards",
                "process.execCPUAffinity.final: names CPU 9999; Linux counts to 8191",
            ])
    }

    @Test func cpusThatTheMachineLacksAreAnError() throws {
        let plan = read(CPUAffinity(final: "8190-8191")).plan
        let before = try Placement.affinity(of: 0)
        #expect(
            failure { try plan.applyToBorn(0) }
                == "process.execCPUAffinity.final 8190-8191: none of these CPUs can be used; see /sys/devices/system/cpu/online and cpuset.cpus"
        )
        #expect(try Placement.affinity(of: 0) == before)
    }

    @Test func anAffinityThatIsSetIsReadBack() throws {
        let before = try Placement.affinity(of: 0)
        defer { try? Placement.setAffinity(before, of: 0) }  // the test's own thread; the process is over soon
        try read(CPUAffinity(initial: "0")).plan.applyInitial()
        #expect(try Placement.affinity(of: 0).first == 1)
    }
}
