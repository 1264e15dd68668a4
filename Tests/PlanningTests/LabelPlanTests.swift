import TestSupport
import Testing

@testable import Planning

private let off = SecurityModules()
private let on = SecurityModules(appArmor: true, seLinux: true)

@Suite struct LabelPlanTests {
    private static func read(
        _ profile: String?, _ label: String?, _ modules: SecurityModules
    ) -> (plan: LabelPlan, errors: [String]) {
        let (plan, findings) = plan {
            LabelPlan(profile: profile, label: label, modules: modules, findings: &$0)
        }
        return (plan, findings.errorLines)
    }

    @Test(arguments: [off, on], [nil, ""] as [String?])
    func withoutLabelsNothingIsPlanned(modules: SecurityModules, text: String?) {
        let (plan, errors) = Self.read(text, text, modules)
        #expect(plan == .none && plan.isEmpty && errors == [])
    }

    @Test func labelsAreTakenAsTheyAre() {
        let (plan, errors) = Self.read("docker-default", "system_u:system_r:container_t:s0:c1,c2", on)
        #expect(plan.profile == "docker-default" && plan.label == "system_u:system_r:container_t:s0:c1,c2")
        #expect(errors == [] && !plan.isEmpty)
    }

    /// A label on a machine that enforces none would be a promise that is not kept; "unconfined" promises nothing.
    @Test func aLabelNeedsItsSecurityModule() {
        #expect(Self.read("unconfined", nil, off).plan.isEmpty && Self.read("unconfined", nil, off).errors == [])
        #expect(Self.read("unconfined", nil, on).plan.profile == "unconfined")
        let errors = Self.read("docker-default", "a:b:c", off).errors
        #expect(errors.count == 2)
        #expect(errors[0].hasPrefix("process.apparmorProfile: AppArmor is not enabled on this host"))
        #expect(errors[1].hasPrefix("process.selinuxLabel: SELinux is not enabled on this host"))
    }

    @Test(arguments: ["&a", "&", "a//&b", ":ns://a//&b", "//&a"])
    func stackingIsRefused(profile: String) {
        let errors = Self.read(profile, nil, on).errors
        #expect(errors.count == 1 && errors[0].contains("stacked profiles are not supported"), "\(errors)")
    }

    @Test(arguments: ["a//b", "a&b", "a/b", "a b", "/usr/bin/x", ":ns:a", "ü", "a&//b"])
    func otherNamesAreNotStacked(profile: String) {
        let (plan, errors) = Self.read(profile, nil, on)
        #expect(errors == [] && plan.profile == profile)
    }

    /// The kernel ends what is written at such a byte, and would read another name.
    @Test(arguments: ["a\0b", "a\nb", "\u{7f}"])
    func controlCharactersAreRefused(text: String) {
        #expect(Self.read(text, nil, on).errors == ["process.apparmorProfile: must not hold control characters"])
        #expect(Self.read(nil, text, on).errors == ["process.selinuxLabel: must not hold control characters"])
    }
}
