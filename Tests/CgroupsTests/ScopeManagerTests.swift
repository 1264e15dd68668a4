import CgroupPlanning
import Errors
import Testing

@testable import Cgroups

@Suite struct ScopeManagerTests {
    /// Without its own cgroup, a record of a scope finds nothing to end.
    @Test func aRecordOfAnothersCgroupFreezesNothing() throws {
        let record = CgroupRecord(
            mode: .systemd, root: "/proc", path: "/self", created: ["/self"],
            scope: ScopeRecord(unit: "x.scope", subgroup: nil, inode: 1))
        #expect(throws: CgroupError.self) { try CgroupManager.open(record).freeze() }
        #expect(try CgroupManager.open(record).processes(recursive: false).isEmpty)
        #expect(try CgroupManager.open(record).record.scope == record.scope)
    }
}
