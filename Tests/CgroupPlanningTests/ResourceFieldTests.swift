import OCISpec
import Testing

@testable import CgroupPlanning

/// Every field of `linux.resources` is planned: without it the plan is another one.
@Suite struct ResourceFieldTests {
    /// Of each section: its fields with values of which cgroup v2 takes notice.
    private static let sections: [(name: String, fields: [(name: String, value: String)])] = [
        (
            "memory",
            [
                ("limit", "8000000"), ("reservation", "4000000"), ("swap", "16000000"), ("kernel", "3"),
                ("kernelTCP", "4"), ("swappiness", "5"), ("disableOOMKiller", "true"), ("checkBeforeUpdate", "true"),
                ("useHierarchy", "false"),
            ]
        ),
        (
            "cpu",
            [
                ("shares", "512"), ("quota", "50000"), ("burst", "1000"), ("period", "70000"),
                ("realtimeRuntime", "1"), ("realtimePeriod", "2"), ("cpus", #""0-1""#), ("mems", #""0""#),
                ("idle", "0"),
            ]
        ), ("pids", [("limit", "7")]),
        (
            "blockIO",
            [
                ("weight", "10"), ("leafWeight", "11"), ("weightDevice", #"[{"major":8,"minor":0,"weight":12}]"#),
                ("throttleReadBpsDevice", #"[{"major":8,"minor":0,"rate":13}]"#),
                ("throttleWriteBpsDevice", #"[{"major":8,"minor":0,"rate":14}]"#),
                ("throttleReadIOPSDevice", #"[{"major":8,"minor":0,"rate":15}]"#),
                ("throttleWriteIOPSDevice", #"[{"major":8,"minor":0,"rate":16}]"#),
            ]
        ),
    ]

    /// Without an effect, as docs/coverage.md says: cgroup v2 counts kernel memory and hierarchies always so.
    private static let withoutEffect = ["memory.kernel", "memory.kernelTCP", "memory.useHierarchy"]

    private func plan(without left: String = "") -> String {
        let parts = Self.sections.map { section in
            let fields = section.fields.filter { "\(section.name).\($0.name)" != left }
            return "\"\(section.name)\":{" + fields.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
        }
        let document = ResourcesDocument(bytes: Array("{\(parts.joined(separator: ","))}".utf8), file: "x")
        let plan = ResourcesPlan(document.resources)
        return "\(plan.settings) \(plan.errors)"
    }

    @Test func everyFieldIsPlanned() {
        let whole = plan()
        for section in Self.sections {
            for field in section.fields where !Self.withoutEffect.contains("\(section.name).\(field.name)") {
                #expect(plan(without: "\(section.name).\(field.name)") != whole, "\(section.name).\(field.name)")
            }
        }
    }

    /// A field that is new in the specification has to stand above.
    @Test func everyFieldIsInTheseTests() {
        let sections: [(String, Any)] = [
            ("memory", MemoryResources()), ("cpu", CPUResources()), ("pids", PIDsResources()),
            ("blockIO", BlockIOResources()),
        ]
        for (name, value) in sections {
            let fields = Self.sections.first { $0.name == name }?.fields.map(\.name) ?? []
            #expect(Set(Mirror(reflecting: value).children.compactMap(\.label)) == Set(fields), "\(name)")
        }
    }
}
