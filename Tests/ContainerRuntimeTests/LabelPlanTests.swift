import Kernel
import OCISpec
import Testing

@testable import ContainerRuntime

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

    /// A label on a machine that enforces none would be a promise that nobody keeps; "unconfined" promises nothing.
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

    @Test func onlyTheModuleOfAGivenLabelIsLookedFor() {
        #expect(SecurityModules.asked(by: nil) == off)
        #expect(SecurityModules.asked(by: process()) == off)
    }
}

@Suite struct MountLabelTests {
    private static let label = "system_u:object_r:container_file_t:s0:c1,c2"

    private static func read(
        _ label: String?, kind: String? = nil, _ modules: SecurityModules = on
    ) -> (plan: MountLabel?, errors: [String]) {
        var spec = Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), linux: Linux(namespaces: []))
        spec.linux?.mountLabel = label
        spec.annotations = kind.map { [KeyValue(key: MountLabel.annotation, value: $0)] }
        let (plan, findings) = plan { MountLabel(spec, modules: modules, findings: &$0) }
        return (plan, findings.errorLines)
    }

    @Test(arguments: [nil, "context", "fscontext", "defcontext", "rootcontext"] as [String?])
    func theAnnotationSaysWhichOption(kind: String?) {
        let (plan, errors) = Self.read(Self.label, kind: kind)
        // Without quotation marks the kernel would take what follows the comma for another option.
        #expect(plan?.option == "\(kind ?? "context")=\"\(Self.label)\"" && errors == [])
    }

    @Test func mistakesNameTheirField() {
        #expect(Self.read(nil, kind: "x").plan == nil && Self.read("", kind: "x").errors == [])
        let kind = Self.read(Self.label, kind: "x").errors
        #expect(kind.count == 1 && kind[0].hasPrefix("annotations[\"run.oci.mount_context_type\"]: must be one of"))
        #expect(Self.read("a\",b").errors == ["linux.mountLabel: must not hold a quotation mark"])
        #expect(Self.read("a\0").errors == ["linux.mountLabel: must not hold control characters"])
        let off = Self.read(Self.label, off).errors
        #expect(off.count == 1 && off[0].hasPrefix("linux.mountLabel: SELinux is not enabled on this host"))
    }

    private static func mount(_ type: String?, _ options: [String], source: String? = "s") -> MountPlan? {
        var findings = PlanFindings()
        let mount = Mount(destination: "/m", type: type, source: source, options: options)
        var plan = MountPlan(mount, index: 0, bundle: "/b", findings: &findings)
        #expect(findings.errorLines == [])
        if let label = read(label).plan { plan?.label(label) }
        return plan
    }

    @Test(arguments: ["tmpfs", "devpts", "overlay", "ext4"])
    func newFileSystemsGetTheLabel(type: String) {
        let plan = Self.mount(type, ["nosuid", "size=1"])
        #expect(plan?.data == ["size=1", "context=\"\(Self.label)\""] && plan?.fileLabel == nil)
    }

    @Test(arguments: [
        ("proc", []), ("sysfs", []), ("cgroup", []), ("cgroup2", []), ("none", ["bind"]), ("tmpfs", ["rbind"]),
        ("tmpfs", ["remount"]),
    ])
    func otherMountsGetNoLabel(type: String, options: [String]) {
        let plan = Self.mount(type, options)
        #expect(plan?.data == [] && plan?.fileLabel == nil)
    }

    @Test(arguments: [("\"a:b:c,d\"", "a:b:c,d"), ("a:b", "a:b"), ("\"", "\""), ("\"a", "\"a"), ("", ""), ("\"\"", "")])
    func fsconfigTakesTheLabelWithoutQuotationMarks(value: String, expected: String) {
        #expect(MountLabel.unquoted(value) == expected)
    }

    /// All containers of an IPC namespace share one, so its root is labelled and not the file system.
    @Test func messageQueuesAreLabelledAfterwards() {
        let plan = Self.mount("mqueue", [])
        #expect(plan?.data == [] && plan?.fileLabel == Self.label)
    }

    @Test(arguments: ["context=\"x\"", "fscontext=x", "defcontext=x", "rootcontext=x"])
    func aWordOfTheMountItselfWins(word: String) {
        #expect(Self.mount("tmpfs", [word])?.data == [word])
    }
}
