import Errors
import Kernel
import KernelTypes
import OCISpec
import Planning
import TestSupport
import Testing

@testable import ContainerRuntime

/// What a plan does to the CPUs of this test's own thread.
@Suite struct CPUAffinityTests {
    private static func plan(_ affinity: CPUAffinity) -> CPUAffinityPlan {
        var findings = Findings()
        return CPUAffinityPlan(affinity, findings: &findings)
    }

    @Test func anEmptyAffinityLeavesTheMaskAsItIs() throws {
        let before = try Placement.affinity(of: 0)
        try Self.plan(CPUAffinity(initial: "", final: "")).applyInitial()
        #expect(try Placement.affinity(of: 0) == before)
    }

    @Test func cpusThatTheMachineLacksAreAnError() throws {
        let plan = Self.plan(CPUAffinity(final: "8190-8191"))
        let before = try Placement.affinity(of: 0)
        #expect(
            failure { try plan.applyFinal(0) }
                == "process.execCPUAffinity.final 8190-8191: none of these CPUs can be used; see /sys/devices/system/cpu/online and cpuset.cpus"
        )
        #expect(try Placement.affinity(of: 0) == before)
    }

    @Test func anAffinityThatIsSetIsReadBack() throws {
        let before = try Placement.affinity(of: 0)
        defer { try? Placement.setAffinity(before, of: 0) }  // the test's own thread; the process is over soon
        try Self.plan(CPUAffinity(initial: "0")).applyInitial()
        #expect(try Placement.affinity(of: 0).first == 1)
    }
}
