import CgroupPlanning
import Errors
import Kernel
import OCISpec
import Testing

@testable import Cgroups

@Suite("Limits are changed all together or not at all", .needsHugeTLB, .serialized)
struct FSUpdateTests {
    private func update(_ unified: [(String, String)], huge: UInt64? = nil) -> ResourcesUpdate {
        ResourcesUpdate(
            Resources(
                hugepageLimits: huge.map { [HugepageLimit(pageSize: "2MB", limit: $0)] },
                unified: unified.map { KeyValue(key: $0.0, value: $0.1) }), stored: nil)
    }

    @Test("Limits are written, and their controller is switched on") func written() throws {
        let place = try Place()
        let manager = try place.create("/a/b")
        try manager.update(update([("cgroup.max.depth", "3")], huge: 4 << 20))
        let folder = place.root + place.top + "/a/b"
        #expect(try Files.readText("\(folder)/hugetlb.2MB.max") == "4194304")
        #expect(try Files.readText("\(folder)/hugetlb.2MB.rsvd.max") == "4194304")
        #expect(try Files.readText("\(folder)/cgroup.max.depth") == "3")
    }

    @Test("Limits are set back when a later value is refused") func setBack() throws {
        let place = try Place()
        let manager = try place.create()
        try manager.update(update([("cgroup.max.depth", "3")], huge: 4 << 20))
        let wrong = update([("cgroup.max.depth", "9"), ("cgroup.max.descendants", "none")], huge: 8 << 20)
        let error = #expect(throws: CgroupError.self) { try manager.update(wrong) }
        #expect(error?.field == "linux.resources.unified[\"cgroup.max.descendants\"]")
        #expect(error?.reason == "cgroup.max.descendants does not take \"none\": invalid argument")
        let folder = place.root + place.top + "/c"
        #expect(try Files.readText("\(folder)/hugetlb.2MB.max") == "4194304")
        #expect(try Files.readText("\(folder)/hugetlb.2MB.rsvd.max") == "4194304")
        #expect(try Files.readText("\(folder)/cgroup.max.depth") == "3")
        #expect(try Files.readText("\(folder)/cgroup.max.descendants") == "max")
    }

    @Test("A controller that is nowhere is named before anything is written", .needsMemoryInVersion1)
    func missingController() throws {
        let place = try Place()
        let manager = try place.create("/c", Resources(hugepageLimits: [.init(pageSize: "2MB", limit: 1)]))
        let file = "\(place.root)\(place.top)/c/hugetlb.2MB.max"
        let before = try Files.readText(file)
        let update = ResourcesUpdate(
            Resources(
                memory: .init(limit: 1 << 30), hugepageLimits: [.init(pageSize: "2MB", limit: 2 << 20)]), stored: nil)
        let error = #expect(throws: CgroupError.self) { try manager.update(update) }
        #expect(error?.controller == .memory && error?.remedy?.contains("unified_cgroup_hierarchy") == true)
        #expect(try Files.readText(file) == before && before != "2097152")
    }

    @Test(
        "A file's text becomes what to write so that it holds the same again",
        arguments: [
            ("memory.max", "5", ["7"], ["5"]), ("cpuset.cpus", "", ["0"], [""]),
            (
                "io.max", "8:0 rbps=1 wbps=max", ["8:0 rbps=2", "8:16 rbps=3", "8:16 wbps=4"],
                ["8:0 rbps=1 wbps=max", "8:16 rbps=max wbps=max riops=max wiops=max"]
            ),
            ("io.max", "", ["8:0 rbps=2"], ["8:0 rbps=max wbps=max riops=max wiops=max"]),
            ("io.weight", "default 100", ["8:0 50", "70"], ["default 100", "8:0 default"]),
            (
                "rdma.max", "a hca_handle=1\nb hca_handle=max", ["a hca_handle=2"],
                ["a hca_handle=1", "b hca_handle=max"]
            ),
        ])
    func putBack(file: String, held: String, written: [String], lines: [String]) {
        let settings = written.map { Setting(file: file, value: $0, controller: .io, field: "x") }
        #expect(FSManager.Remembered(file: file, value: held).lines(after: settings) == lines)
    }
}
