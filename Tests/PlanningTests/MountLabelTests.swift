import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

private let off = SecurityModules()
private let on = SecurityModules(appArmor: true, seLinux: true)

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
        var findings = Findings()
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
