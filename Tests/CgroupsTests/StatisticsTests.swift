import CLinux
import Kernel
import TestSupport
import Testing

@testable import Cgroups

/// A folder with files as the kernel shows them in a cgroup.
final class FakeCgroup {
    let path: String

    init(_ files: [(name: String, text: String)]) throws {
        var template = Array("/tmp/runbox-cgroup-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
        for (name, text) in files { try Files.write(Array(text.utf8), toNew: "\(path)/\(name)", mode: 0o644) }
    }

    func statistics() throws -> Statistics {
        try Statistics(Files.open(path, [.readOnly, .directory]), names: Files.list(path))
    }

    deinit { try? Files.removeTree(path) }
}

@Suite("What a cgroup has used, read from files that kernels wrote")
struct StatisticsTests {
    private static let recorded = [
        (
            "cpu.stat",
            "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\ncore_sched.force_idle_usec 0\nnr_periods 40\nnr_throttled 3\nthrottled_usec 98765\nnr_bursts 0\nburst_usec 0\n"
        ),
        (
            "cpu.pressure",
            "some avg10=1.50 avg60=0.07 avg300=12.00 total=5358\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4812\n"
        ),
        ("cpuset.cpus.effective", "0-2,7\n"), ("cpuset.mems.effective", "0\n"), ("cpuset.cpus.partition", "member\n"),
        ("memory.current", "10485760\n"), ("memory.max", "67108864\n"), ("memory.peak", "20971520\n"),
        ("memory.events", "low 0\nhigh 0\nmax 17\noom 2\noom_kill 1\noom_group_kill 0\n"),
        ("memory.swap.current", "4096\n"), ("memory.swap.max", "33554432\n"), ("memory.swap.peak", "8192\n"),
        ("memory.swap.events", "high 0\nmax 5\nfail 6\n"),
        ("memory.stat", "anon 1048576\nfile 8388608\nkernel 524288\nsock 4096\npgfault 99\n"),
        (
            "memory.pressure",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=8\n"
        ),
        ("pids.current", "4\n"), ("pids.max", "100\n"),
        (
            "io.stat",
            "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=16 dios=3\n7:1 \n259:5 rbytes=1 wbytes=0 rios=1 wios=0 dbytes=0 dios=0 cost.usage=7\n"
        ),
        (
            "io.pressure",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=74\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=73\n"
        ),
        ("hugetlb.2MB.current", "4194304\n"), ("hugetlb.2MB.events", "max 9\n"), ("hugetlb.2MB.rsvd.current", "1\n"),
        ("hugetlb.1GB.current", "0\n"), ("hugetlb.1GB.events", "max 0\n"),
    ]

    private func read(_ change: (inout [(name: String, text: String)]) -> Void = { _ in }) throws -> Statistics {
        var files: [(name: String, text: String)] = Self.recorded
        change(&files)
        return try FakeCgroup(files).statistics()
    }

    @Test("CPU time is in nanoseconds") func cpu() throws {
        let cpu = try read().cpu
        #expect(cpu.total == 1_234_567_000 && cpu.user == 1_000_000_000 && cpu.kernel == 234_567_000)
        #expect(cpu.periods == 40 && cpu.throttledPeriods == 3 && cpu.throttledTime == 98_765_000)
        #expect(cpu.pressure?.some == .init(average10: 150, average60: 7, average300: 1200, total: 5358))
        #expect(cpu.pressure?.full == .init(average10: 0, average60: 0, average300: 0, total: 4812))
    }

    @Test("Memory and swap are counted together, as in cgroup v1") func memory() throws {
        let memory = try read().memory
        #expect(memory.cache == 8_388_608)
        #expect(memory.usage == .init(limit: 67_108_864, usage: 10_485_760, peak: 20_971_520, failures: 17))
        #expect(memory.swap == .init(limit: 67_108_864 + 33_554_432, usage: 10_489_856, peak: nil, failures: 5))
        #expect(memory.kernel.usage == 524_288 && memory.kernelTCP.usage == 4096)
        #expect(memory.raw.map(\.key) == ["anon", "file", "kernel", "sock", "pgfault"])
        #expect(memory.raw.map(\.value) == [1_048_576, 8_388_608, 524_288, 4096, 99])
        #expect(memory.pressure?.some?.total == 9)
    }

    @Test("No limit is the greatest number", arguments: ["memory.max", "memory.swap.max"])
    func unlimited(file: String) throws {
        let memory = try read { $0 = $0.map { $0.name == file ? ($0.name, "max\n") : $0 } }.memory
        #expect(memory.swap.limit == .max)
        #expect((memory.usage.limit == .max) == (file == "memory.max"))
    }

    @Test("No limit of tasks is 0", arguments: [("100\n", 100), ("max\n", 0), ("0\n", 0)] as [(String, UInt64)])
    func pids(text: String, limit: UInt64) throws {
        let pids = try read { $0 = $0.map { $0.name == "pids.max" ? ($0.name, text) : $0 } }.pids
        #expect(pids.current == 4 && pids.limit == limit)
    }

    @Test("Block I/O is shown in the words of cgroup v1") func io() throws {
        let io = try read().io
        func line(_ entry: IOStatistics.Entry) -> String {
            "\(entry.major):\(entry.minor) \(entry.operation) \(entry.value)"
        }
        #expect(
            io.bytes.map(line) == [
                "8:0 Read 4096", "8:0 Write 8192", "8:0 Discard 16", "259:5 Read 1", "259:5 Write 0", "259:5 Discard 0",
            ])
        #expect(io.operations.map(line).prefix(3) == ["8:0 Read 1", "8:0 Write 2", "8:0 Discard 3"])
        #expect(io.pressure?.full?.total == 73)
    }

    @Test("Huge pages are counted by their size") func hugePages() throws {
        #expect(
            try read().hugePages == [
                .init(pageSize: "1GB", usage: 0, failures: 0), .init(pageSize: "2MB", usage: 4_194_304, failures: 9),
            ])
    }

    @Test(
        "CPUs and nodes are listed",
        arguments: [("member", false, true), ("root", true, true), ("isolated", true, false)])
    func cpuset(partition: String, isExclusive: Bool, isBalanced: Bool) throws {
        let cpuset = try read {
            $0 = $0.map { $0.name == "cpuset.cpus.partition" ? ($0.name, "\(partition)\n") : $0 }
        }.cpuset
        #expect(cpuset.cpus == [0, 1, 2, 7] && cpuset.mems == [0])
        #expect(cpuset.isExclusive == isExclusive && cpuset.isBalanced == isBalanced)
    }

    @Test(
        "Lists of CPUs are read",
        arguments: [("", []), ("0", [0]), ("1-3", [1, 2, 3]), ("0,2-3,9", [0, 2, 3, 9])] as [(String, [UInt16])])
    func lists(text: String, numbers: [UInt16]) { #expect(CpusetStatistics.list(text) == numbers) }

    @Test("Malformed lists of CPUs are refused", arguments: ["x", "3-1", "1-2-3", "70000", "1-x", "-"])
    func noLists(text: String) { #expect(CpusetStatistics.list(text) == nil) }

    @Test("Files that are not there are left out") func nothing() throws {
        #expect(try FakeCgroup([]).statistics() == Statistics())
        let bare = try read { $0 = $0.filter { $0.name == "cpu.stat" || $0.name == "cpu.pressure" } }
        #expect(bare.cpu.total == 1_234_567_000 && bare.memory == MemoryStatistics() && bare.hugePages.isEmpty)
    }

    @Test(
        "Half a line is no value",
        arguments: ["", "usage_usec", "usage_usec x", "usage_usec -1", "usage_usec 1 2", "\0"])
    func damaged(text: String) throws {
        #expect(try FakeCgroup([("cpu.stat", text)]).statistics().cpu.total == nil)
    }

    @Test(
        "Malformed pressure is none",
        arguments: [
            "", "some", "some avg10=0.00", "some avg10=x avg60=0.00 avg300=0.00 total=0",
            "some avg10=0.0 avg60=0.00 avg300=0.00 total=0",
        ])
    func noPressure(text: String) { #expect(Pressure(text) == nil) }

    @Test("Times beyond 64 bits are the greatest number") func overflow() throws {
        let cpu = try FakeCgroup([("cpu.stat", "usage_usec 18446744073709551615\n")]).statistics().cpu
        #expect(cpu.total == .max)
    }

    @Test("A process that was killed for want of memory is news once") func outOfMemory() throws {
        let fake = try FakeCgroup([("memory.events", "oom 0\noom_kill 1\n")])
        guard var watch = try OOMWatch.open(Files.open(fake.path, [.readOnly, .directory])) else {
            Issue.record("the file is there")
            return
        }
        var counts = [try watch.newKills()]
        for text in ["oom 1\noom_kill 3\n", "oom 2\noom_kill 3\n", "oom 2\noom_kill 4\n"] {
            try Files.write(text, into: "\(fake.path)/memory.events")
            counts.append(try watch.newKills())
        }
        #expect(counts == [0, 2, 0, 1])
    }

    @Test("Without the memory controller there is nothing to watch") func noOutOfMemory() throws {
        let fake = try FakeCgroup([])
        if try OOMWatch.open(Files.open(fake.path, [.readOnly, .directory])) != nil {
            Issue.record("there is nothing to watch")
        }
    }
}
