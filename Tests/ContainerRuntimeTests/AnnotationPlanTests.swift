import Cgroups
import Kernel
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite struct AnnotationPlanTests {
    private func read(_ annotations: (String, String)...) -> (plan: AnnotationPlan, findings: PlanFindings) {
        let spec = Spec(
            ociVersion: "1.3.0", process: process(), root: Root(path: "rootfs"),
            annotations: annotations.map { KeyValue(key: $0.0, value: $0.1) })
        return plan { AnnotationPlan(spec, bundle: "/bundle", findings: &$0) }
    }

    @Test func otherAnnotationsAreFreeMetadata() {
        let read = read(("org.example", "x"), ("io.kubernetes.cri.container-name", "y"), ("run.ocix", "z"))
        #expect(read.findings.errorLines == [] && read.findings.warningLines == [])
        #expect(!read.plan.keepsGroups && read.plan.pidfdReceiver == nil && read.plan.delegatedCgroup == nil)
    }

    @Test func pathsBeginAtTheBundle() {
        #expect(read(("run.oci.pidfd_receiver", "s")).plan.pidfdReceiver == "/bundle/s")
        #expect(read(("run.oci.pidfd_receiver", "/s")).plan.pidfdReceiver == "/s")
        #expect(read(("run.oci.pidfd_receiver", "")).findings.errorLines.count == 1)
        let output = HookOutput([KeyValue(key: "run.oci.hooks.stdout", value: "log")], bundle: "/bundle")
        #expect(output == .files(output: "/bundle/log", errors: nil))
        #expect(HookOutput([], bundle: "/bundle") == .kept)
    }

    @Test(
        arguments: [
            ("a", "a"), ("/a/b/", "a/b"), ("", nil), ("..", nil), ("a/./b", nil), ("a\nb", nil),
        ] as [(String, String?)])
    func aDelegatedCgroupStaysBelowTheContainers(name: String, expected: String?) {
        let read = read(("run.oci.delegate-cgroup", name))
        #expect(read.plan.delegatedCgroup == expected)
        #expect(read.findings.errorLines.isEmpty == (expected != nil || name.isEmpty))
    }

    @Test func systemdAnnotationsNeedAScope() {
        func read(_ name: String, _ value: String, systemd: Bool = true) -> (
            plan: AnnotationPlan, findings: PlanFindings
        ) {
            let spec = Spec(
                ociVersion: "1.3.0", process: process(), root: Root(path: "rootfs"),
                annotations: [KeyValue(key: name, value: value)])
            return plan { AnnotationPlan(spec, bundle: "/bundle", usesSystemd: systemd, findings: &$0) }
        }
        let timeout = read("org.systemd.property.TimeoutStopSec", "uint64 2")
        #expect(timeout.plan.systemdProperties.map(\.name) == ["TimeoutStopUSec"])
        #expect(timeout.findings.errorLines == [] && timeout.findings.warningLines == [])
        #expect(read("org.systemd.property.TimeoutStopSec", "soon").findings.errorLines.count == 1)
        #expect(read("org.systemd.property.", "1").findings.errorLines.count == 1)
        #expect(read("run.oci.systemd.subgroup", "inner").plan.systemdSubgroup == "inner")
        #expect(read("run.oci.systemd.subgroup", "").plan.systemdSubgroup == nil)
        for wrong in ["..", ".", "a/b", "/a", "a b"] {
            #expect(read("run.oci.systemd.subgroup", wrong).findings.errorLines.count == 1, "\(wrong)")
        }
        let alone = read("org.systemd.property.TimeoutStopSec", "soon", systemd: false)
        #expect(alone.findings.errorLines == [] && alone.findings.warningLines.count == 1)
    }

    @Test(
        arguments: [
            ("", []), ("AA==", [0]), ("/+8=", [0xff, 0xef]), ("TWFu", [77, 97, 110]), ("TWFuTQ==", [77, 97, 110, 77]),
            ("A", nil), ("AA", nil), ("AA=", nil), ("A===", nil), ("AA=A", nil), ("====", nil), ("TW u", nil),
            ("AA-_", nil),
        ] as [(String, [UInt8]?)])
    func base64IsDecodedOrRefused(text: String, bytes: [UInt8]?) {
        #expect(Base64.decode(text) == bytes)
    }

    @Test func everyNameHasAnEffect() {
        for name in AnnotationName.allCases { #expect(!name.effect.does.isEmpty, "\(name)") }
        #expect(AnnotationName.potentiallyUnsafe.contains("run.oci."))
    }

    // MARK: The kernel's rules for filters

    private static let allow: [UInt8] = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]

    @Test(
        arguments: [
            ([], true), ([0x20, 0, 0, 0, 60, 0, 0, 0], true), ([0x20, 0, 0, 0, 64, 0, 0, 0], false),
            ([0x20, 0, 0, 0, 2, 0, 0, 0], false), ([0x15, 0, 0, 0, 1, 0, 0, 0], true),
            ([0x15, 0, 1, 0, 1, 0, 0, 0], false), ([0x15, 0, 0, 1, 1, 0, 0, 0], false),
            ([0x05, 0, 0, 0, 0, 0, 0, 0], true), ([0x05, 0, 0, 0, 1, 0, 0, 0], false),
            ([0x05, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], false), ([0x34, 0, 0, 0, 0, 0, 0, 0], false),
            ([0x64, 0, 0, 0, 32, 0, 0, 0], false), ([0x02, 0, 0, 0, 16, 0, 0, 0], false),
            ([0x28, 0, 0, 0, 0, 0, 0, 0], false), ([0x94, 0, 0, 0, 1, 0, 0, 0], false), ([1, 2, 3], false),
        ] as [([UInt8], Bool)])
    func malformedFiltersAreRefused(first: [UInt8], isGood: Bool) {
        let mistake = SeccompCheck.mistake(in: SeccompProgram(bytes: first + Self.allow))
        #expect((mistake == nil) == isGood, "\(mistake ?? "none")")
    }

    @Test func aFilterHasOneTo4096Instructions() {
        let many = { (count: Int) in
            SeccompProgram(bytes: [[UInt8]](repeating: Self.allow, count: count).flatMap { $0 })
        }
        #expect(SeccompCheck.mistake(in: many(4096)) == nil)
        #expect(SeccompCheck.mistake(in: many(4097)) != nil)
        #expect(SeccompCheck.mistake(in: SeccompProgram(bytes: [])) != nil)
        #expect(SeccompCheck.mistake(in: SeccompProgram(bytes: [0x20, 0, 0, 0, 0, 0, 0, 0])) != nil)
    }
}

@Suite struct NotificationMessageTests {
    @Test(arguments: [
        ("READY=1", "READY=1\nMAINPID=7", true), ("READY=0", "READY=0", false),
        ("STATUS=a=b", "STATUS=a=b", false), ("MAINPID=1", "", false), ("FDSTORE=1\nFDNAME=x", "", false),
        ("READY=1\nMAINPID=1\nSTATUS=up", "READY=1\nSTATUS=up\nMAINPID=7", true),
        ("RELOADING=1\nMONOTONIC_USEC=5", "RELOADING=1\nMONOTONIC_USEC=5", false),
        ("STOPPING=1\n", "STOPPING=1", false),
        ("WATCHDOG=1", "WATCHDOG=1", false), ("WATCHDOGX=1", "", false),
        ("EXTEND_TIMEOUT_USEC=9", "EXTEND_TIMEOUT_USEC=9", false),
        ("", "", false), ("READY", "", false), ("READY=1\nBARRIER=1", "READY=1\nMAINPID=7", true),
    ])
    func mainPIDIsAddedWhenTheServiceIsReady(text: String, expected: String, isReady: Bool) {
        let message = Notification(Array(text.utf8), pid: 7)
        #expect(String(decoding: message.bytes, as: UTF8.self) == expected)
        #expect(message.isReady == isReady && !message.isBarrier)
    }

    @Test func aBarrierIsNoReadiness() {
        let message = Notification(Array("BARRIER=1".utf8), pid: 7)
        #expect(message.isBarrier && !message.isReady)
    }
}
