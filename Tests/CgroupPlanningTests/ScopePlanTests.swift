import DBus
import Errors
import TestSupport
import Testing

@testable import CgroupPlanning

@Suite struct ScopePlans {
    @Test func annotationsAreAddedToTheLimits() throws {
        let name = try ScopeName("system.slice:a:b", id: "i", isUser: false)
        let description = UnitProperty("Description", .string("mine"))
        let plan = ScopePlan(name, isUser: false, subgroup: nil, properties: [description])
        let all = try plan.properties(of: 5, limits: [UnitProperty("MemoryMax", .uint64(1))], devices: [])
        #expect(all.filter { $0.name == "Description" } == [description])
        #expect(all.contains(UnitProperty("PIDs", .array(of: .uint32, [.uint32(5)]))))
        #expect(all.contains(UnitProperty("Delegate", .boolean(true))))
        let clash = ScopePlan(name, isUser: false, subgroup: nil, properties: [UnitProperty("MemoryMax", .uint64(2))])
        let error = #expect(throws: CgroupError.self) {
            _ = try clash.properties(of: 5, limits: [UnitProperty("MemoryMax", .uint64(1))], devices: [])
        }
        #expect(error?.field == #"annotations["org.systemd.property.MemoryMax"]"#)
    }

}
