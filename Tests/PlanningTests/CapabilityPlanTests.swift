import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(_ sets: OCISpec.Capabilities?) -> (plan: ProcessCapabilities, findings: Findings) {
    plan { CapabilityPlan.read(sets, findings: &$0) }
}

@Suite struct CapabilityPlanTests {
    @Test func eachListIsItsOwnSet() {
        let (plan, findings) = read(
            OCISpec.Capabilities(
                bounding: ["CAP_CHOWN"], effective: ["CAP_DAC_OVERRIDE"], inheritable: ["CAP_FOWNER"],
                permitted: ["CAP_KILL", "CAP_CHOWN"], ambient: ["CAP_SETGID"]))
        #expect(findings.warningLines == [])
        #expect(findings.errorLines == [])
        #expect(plan.bounding.rawValue == 1)
        #expect(plan.effective.rawValue == 1 << 1)
        #expect(plan.inheritable.rawValue == 1 << 3)
        #expect(plan.permitted.rawValue == 1 << 5 | 1)
        #expect(plan.ambient.rawValue == 1 << 6)
    }

    @Test(arguments: [nil, OCISpec.Capabilities(), OCISpec.Capabilities(bounding: [], ambient: [])])
    func anAbsentListIsAnEmptySet(sets: OCISpec.Capabilities?) {
        let (plan, findings) = read(sets)
        #expect(plan == ProcessCapabilities())
        #expect(findings.warningLines == [])
    }

    /// The specification: a name that is not known is a warning, and the others hold.
    @Test(arguments: [
        ("CAP_NOTHING_LIKE_IT", ""), ("CAP_KIL", " (did you mean CAP_KILL?)"), ("CHOWN", " (did you mean CAP_CHOWN?)"),
        ("CAP_SYS_ADMN", " (did you mean CAP_SYS_ADMIN?)"), ("", ""), ("kill", " (did you mean CAP_KILL?)"),
    ])
    func anUnknownNameIsAWarning(name: String, hint: String) {
        let (plan, findings) = read(OCISpec.Capabilities(effective: ["CAP_CHOWN", name, "CAP_KILL"]))
        #expect(findings.errorLines == [])
        #expect(
            findings.warningLines == [
                "process.capabilities.effective[1]: no capability is called \"\(name)\"\(hint); ignored"
            ])
        #expect(plan.effective.rawValue == 1 << 5 | 1)
    }

    @Test func eachSetNamesItsOwnField() {
        let list = ["CAP_X_Y_Z"]
        let (_, findings) = read(
            OCISpec.Capabilities(bounding: list, effective: list, inheritable: list, permitted: list, ambient: list))
        #expect(
            findings.warnings.map(\.field) == [
                "process.capabilities.bounding[0]", "process.capabilities.effective[0]",
                "process.capabilities.inheritable[0]", "process.capabilities.permitted[0]",
                "process.capabilities.ambient[0]",
            ])
    }

    @Test func everyCapabilityOfTheKernelCanBeNamed() {
        let names = KernelTypes.Capabilities.names(of: KernelTypes.Capabilities.known)
        let (plan, findings) = read(OCISpec.Capabilities(bounding: names))
        #expect(findings.warningLines == [])
        #expect(plan.bounding == KernelTypes.Capabilities.known)
    }
}
