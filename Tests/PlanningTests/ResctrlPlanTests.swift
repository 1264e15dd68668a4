import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(
    _ rdt: IntelRdt?, id: String = "box", root: String? = "/r"
) -> (plan: ResctrlPlan?, findings: Findings) {
    plan { ResctrlPlan(rdt, id: id, root: root, findings: &$0) }
}

@Suite struct ResctrlPlanTests {
    @Test func withoutASectionNothingIsPlanned() {
        let (plan, findings) = read(nil, root: nil)
        #expect(plan == nil && findings.errorLines == [])
    }

    @Test func aHostWithoutResctrlIsAnError() {
        let (plan, findings) = read(IntelRdt(closID: "x"), root: nil)
        #expect(plan == nil)
        #expect(findings.errorLines.count == 1)
        #expect(findings.errorLines[0].begins(with: "linux.intelRdt: no resctrl file system is mounted on this host;"))
    }

    struct GroupCase: Sendable, CustomTestStringConvertible {
        let rdt: IntelRdt
        let group: String
        let isNamed: Bool
        var monitor: String?
        var testDescription: String { "\(rdt)" }
    }

    @Test(arguments: [
        GroupCase(rdt: IntelRdt(), group: "/r/box", isNamed: false),
        GroupCase(rdt: IntelRdt(closID: ""), group: "/r/box", isNamed: false),
        GroupCase(rdt: IntelRdt(closID: "gold"), group: "/r/gold", isNamed: true),
        GroupCase(rdt: IntelRdt(closID: "/"), group: "/r", isNamed: true),
        GroupCase(rdt: IntelRdt(closID: "..x"), group: "/r/..x", isNamed: true),
        GroupCase(rdt: IntelRdt(enableMonitoring: false), group: "/r/box", isNamed: false),
        GroupCase(
            rdt: IntelRdt(enableMonitoring: true), group: "/r/box", isNamed: false, monitor: "/r/box/mon_groups/box"),
        GroupCase(
            rdt: IntelRdt(closID: "gold", enableMonitoring: true), group: "/r/gold", isNamed: true,
            monitor: "/r/gold/mon_groups/box"),
        GroupCase(
            rdt: IntelRdt(closID: "/", enableMonitoring: true), group: "/r", isNamed: true,
            monitor: "/r/mon_groups/box"),
    ])
    func theGroupFollowsFromTheClosID(rdt: GroupCase) {
        let (plan, findings) = read(rdt.rdt)
        #expect(findings.errorLines == [])
        #expect(plan?.group == rdt.group && plan?.isNamed == rdt.isNamed && plan?.monitor == rdt.monitor)
        #expect(plan?.lines == [])
    }

    @Test(arguments: ["a/b", "/x", "..", ".", "../up", "a\nb", "info", "mon_groups", "mon_data"])
    func malformedNamesAreRefused(name: String) {
        let lines = read(IntelRdt(closID: name)).findings.errors
        #expect(lines.map(\.field) == ["linux.intelRdt.closID"])
    }

    @Test(arguments: ResctrlPlan.reserved)
    func reservedNamesOfContainersAreRefused(id: String) {
        #expect(read(IntelRdt(), id: id).findings.errors.map(\.field) == ["linux.intelRdt"])
        #expect(read(IntelRdt(closID: "gold"), id: id).findings.errors.isEmpty)
    }

    @Test func schemasHaveTheirOrder() {
        let rdt = IntelRdt(
            l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=20", schemata: ["L2:0=1", "", "MB:0=30"])
        #expect(
            read(rdt).plan?.lines == [
                ResctrlPlan.Line(field: "linux.intelRdt.l3CacheSchema", text: "L3:0=f"),
                ResctrlPlan.Line(field: "linux.intelRdt.memBwSchema", text: "MB:0=20"),
                ResctrlPlan.Line(field: "linux.intelRdt.schemata[0]", text: "L2:0=1"),
                ResctrlPlan.Line(field: "linux.intelRdt.schemata[2]", text: "MB:0=30"),
            ])
    }
}
