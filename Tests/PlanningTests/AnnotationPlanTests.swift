import CgroupPlanning
import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct AnnotationPlanTests {
    private func read(_ annotations: (String, String)...) -> (plan: AnnotationPlan, findings: Findings) {
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
            plan: AnnotationPlan, findings: Findings
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
        // What Podman adds by itself.
        for (name, value) in [("KillSignal", "15"), ("TimeoutStopUSec", "uint64 10000000")] {
            let added = read("org.systemd.property.\(name)", value, systemd: false)
            #expect(added.findings.errorLines == [] && added.findings.warningLines == [], "\(name)")
        }
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

}
