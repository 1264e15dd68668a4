import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct CPUAffinityPlanTests {
    private func read(_ affinity: CPUAffinity?) -> (plan: CPUAffinityPlan, findings: Findings) {
        plan { CPUAffinityPlan(affinity, findings: &$0) }
    }

    @Test func bothMasksAreRead() {
        let (plan, findings) = read(CPUAffinity(initial: "7", final: "0-3,7"))
        #expect(findings.errorLines == [])
        #expect(plan.initial?.words == [1 << 7] && plan.final?.words == [0b1000_1111])
    }

    @Test(arguments: [nil, CPUAffinity(), CPUAffinity(initial: "", final: "")])
    func anEmptyAffinityAsksForNoMask(affinity: CPUAffinity?) {
        let (plan, findings) = read(affinity)
        #expect(findings.errorLines == [] && plan.initial == nil && plan.final == nil)
    }

    @Test func mistakesNameTheField() {
        #expect(
            read(CPUAffinity(initial: "3-1", final: "9999")).findings.errorLines == [
                "process.execCPUAffinity.initial: the range 3-1 runs backwards",
                "process.execCPUAffinity.final: names CPU 9999; Linux counts to 8191",
            ])
    }

}
