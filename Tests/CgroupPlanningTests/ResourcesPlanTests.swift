import Errors
import OCISpec
import TestSupport
import Testing

@testable import CgroupPlanning

/// What a plan writes, as `file=value`.
private func writes(_ resources: Resources, updating: Bool = false) -> [String] {
    let plan = ResourcesPlan(resources, updating: updating)
    #expect(plan.errors == [])
    return plan.settings.map { "\($0.file)=\($0.value)" }
}

private func mistakes(_ resources: Resources) -> [String] { ResourcesPlan(resources).errors.map(\.description) }

@Suite("Resources to cgroup v2 settings")
struct ResourcesPlanTests {
    @Test("No resources, or empty ones, ask for nothing")
    func nothing() {
        #expect(ResourcesPlan(nil).settings == [])
        let empty = ResourcesPlan(
            Resources(devices: [], memory: .init(), cpu: .init(), pids: .init(), blockIO: .init(), network: .init()))
        #expect(empty.settings == [] && empty.errors == [] && empty.devices == nil && empty.controllers.isEmpty)
    }

    @Test(
        "Memory and swap have their files",
        arguments: [
            (MemoryResources(limit: 1000), ["memory.max=1000"]),
            (MemoryResources(limit: -1), ["memory.swap.max=max", "memory.max=max"]),
            (MemoryResources(limit: -1, swap: 0), ["memory.swap.max=max", "memory.max=max"]),
            (MemoryResources(limit: 0, reservation: 0, swap: 0), []),
            (MemoryResources(limit: 1000, swap: 1000), ["memory.swap.max=0", "memory.max=1000"]),
            (MemoryResources(limit: 1000, swap: 3000), ["memory.swap.max=2000", "memory.max=1000"]),
            (MemoryResources(limit: 1000, swap: -1), ["memory.swap.max=max", "memory.max=1000"]),
            (MemoryResources(limit: 1000, swap: 0), ["memory.max=1000"]),
            (MemoryResources(swap: -1), ["memory.swap.max=max"]),
            (MemoryResources(reservation: 500), ["memory.low=500"]),
            (MemoryResources(reservation: -1), ["memory.low=max"]),
            (
                MemoryResources(kernel: 5, kernelTCP: 6, disableOOMKiller: false, useHierarchy: true), []
            ),
        ])
    func memory(memory: MemoryResources, expected: [String]) {
        #expect(writes(Resources(memory: memory)) == expected)
    }

    @Test("Swap that nothing or everything is taken from needs no swap accounting")
    func optionalSwap() {
        for (swap, optional) in [(Int64(1000), true), (-1, true), (3000, false)] {
            let plan = ResourcesPlan(Resources(memory: .init(limit: 1000, swap: swap)))
            #expect(plan.settings.first?.optional == optional)
        }
    }

    @Test("checkBeforeUpdate compares the limit with the usage")
    func usage() {
        let plan = ResourcesPlan(Resources(memory: .init(limit: 1000, checkBeforeUpdate: true)))
        #expect(plan.settings.map(\.usageFile) == ["memory.current"])
    }

    @Test(
        "CPU limits have their files",
        arguments: [
            (CPUResources(shares: 1024), false, ["cpu.weight=100"]),
            (CPUResources(shares: 0), false, []),
            (CPUResources(quota: 50_000), false, ["cpu.max=50000 100000"]),
            (CPUResources(quota: 50_000, period: 20_000), false, ["cpu.max=50000 20000"]),
            (CPUResources(quota: -1, period: 20_000), false, ["cpu.max=max 20000"]),
            (CPUResources(period: 20_000), false, ["cpu.max=max 20000"]),
            (CPUResources(quota: 0), false, []),
            (CPUResources(quota: 9000, burst: 10), false, ["cpu.max=9000 100000", "cpu.max.burst=10"]),
            (
                CPUResources(quota: 9000, burst: 10), true,
                ["cpu.max.burst=0", "cpu.max=9000 100000", "cpu.max.burst=10"]
            ),
            (CPUResources(shares: 2, idle: 0), false, ["cpu.idle=0", "cpu.weight=1"]),
            (CPUResources(shares: 2, idle: 1), false, ["cpu.idle=1"]),
            (CPUResources(realtimeRuntime: 0, realtimePeriod: 0), false, []),
            (CPUResources(cpus: "0-1", mems: "0"), false, ["cpuset.cpus=0-1", "cpuset.mems=0"]),
            (CPUResources(cpus: "", mems: ""), false, []),
        ])
    func cpu(cpu: CPUResources, updating: Bool, expected: [String]) {
        #expect(writes(Resources(cpu: cpu), updating: updating) == expected)
    }

    @Test("Block I/O limits have their files")
    func blockIO() {
        let plan = ResourcesPlan(
            Resources(
                blockIO: .init(
                    weight: 500, weightDevice: [.init(major: 8, minor: 0, weight: 10)],
                    throttleReadBpsDevice: [.init(major: 8, minor: 0, rate: 600)],
                    throttleWriteBpsDevice: [.init(major: 8, minor: 0, rate: 0)],
                    throttleReadIOPSDevice: [.init(major: 8, minor: 16, rate: 7)],
                    throttleWriteIOPSDevice: [.init(major: 8, minor: 16, rate: 8)])))
        #expect(
            plan.settings.map { "\($0.file)=\($0.value)" } == [
                "io.bfq.weight=500", "io.bfq.weight=8:0 10", "io.max=8:0 rbps=600", "io.max=8:0 wbps=max",
                "io.max=8:16 riops=7", "io.max=8:16 wiops=8",
            ])
        #expect(
            plan.settings.compactMap { $0.alternative.map { "\($0.file)=\($0.value)" } } == [
                "io.weight=4950", "io.weight=8:0 1",
            ])
        #expect(writes(Resources(blockIO: .init(weight: 0, leafWeight: 0))) == [])
    }

    @Test("PID limits have their files", arguments: [(Int64(-1), "max"), (0, "0"), (32_771, "32771")])
    func pids(limit: Int64, value: String) {
        #expect(writes(Resources(pids: .init(limit: limit))) == ["pids.max=\(value)"])
    }

    @Test("Huge pages and RDMA have their files")
    func hugePages() {
        #expect(
            writes(
                Resources(
                    hugepageLimits: [.init(pageSize: "2MB", limit: 4_194_304)],
                    rdma: [.init(device: "mlx5_1", hcaHandles: 3, hcaObjects: 4), .init(device: "rxe3", hcaObjects: 5)])
            ) == [
                "hugetlb.2MB.max=4194304", "hugetlb.2MB.rsvd.max=4194304", "rdma.max=mlx5_1 hca_handle=3 hca_object=4",
                "rdma.max=rxe3 hca_object=5",
            ])
    }

    @Test("Settings have their order, their fields and their controllers")
    func order() {
        let plan = ResourcesPlan(
            Resources(
                memory: .init(limit: 1), cpu: .init(quota: 1000, cpus: "0"), pids: .init(limit: 5),
                blockIO: .init(weight: 10), hugepageLimits: [.init(pageSize: "2MB", limit: 0)],
                rdma: [.init(device: "d", hcaHandles: 1)],
                unified: [.init(key: "memory.high", value: "9"), .init(key: "cgroup.freeze", value: "0")]))
        #expect(
            plan.settings.map(\.file) == [
                "pids.max", "memory.max", "io.bfq.weight", "cpu.max", "cpuset.cpus", "hugetlb.2MB.max",
                "hugetlb.2MB.rsvd.max", "rdma.max", "memory.high", "cgroup.freeze",
            ])
        #expect(
            plan.controllers.map(\.controller.name) == ["pids", "memory", "io", "cpu", "cpuset", "hugetlb", "rdma"])
        #expect(
            plan.controllers.map(\.field).prefix(2) == ["linux.resources.pids.limit", "linux.resources.memory.limit"])
        #expect(plan.settings[8].field == "linux.resources.unified[\"memory.high\"]")
    }

    @Test("All that exists in cgroup v1 only is refused, all of it in one go")
    func onlyInVersion1() {
        let found = mistakes(
            Resources(
                memory: .init(swappiness: 0, disableOOMKiller: true),
                cpu: .init(realtimeRuntime: 1, realtimePeriod: 1),
                blockIO: .init(leafWeight: 10, weightDevice: [.init(major: 8, minor: 0, leafWeight: 10)]),
                network: .init(classID: 1, priorities: [.init(name: "eth0", priority: 1)])))
        #expect(
            found
                == [
                    "memory.swappiness", "memory.disableOOMKiller", "blockIO.leafWeight",
                    "blockIO.weightDevice[0].leafWeight", "cpu.realtimeRuntime", "cpu.realtimePeriod",
                    "network.classID", "network.priorities",
                ].map { "linux.resources.\($0): exists only in cgroup v1; remove it" })
    }

    @Test(
        "Mistakes are named by their field",
        arguments: [
            (
                Resources(memory: .init(limit: 10, swap: 5)),
                "memory.swap: limits memory and swap together, so it must not be below memory.limit (10), found 5"
            ),
            (
                Resources(memory: .init(swap: 5)),
                "memory.swap: limits memory and swap together, so it needs memory.limit beside it"
            ),
            (
                Resources(memory: .init(limit: -2)),
                "memory.limit: expected a number of bytes, or -1 for no limit, found -2"
            ),
            (Resources(cpu: .init(quota: 999)), "cpu.quota: expected at least 1000 microseconds, found 999"),
            (Resources(cpu: .init(period: 5)), "cpu.period: expected 1000 to 1000000 microseconds, found 5"),
            (
                Resources(cpu: .init(quota: 1000, burst: 1001)),
                "cpu.burst: must not be above cpu.quota (1000), found 1001"
            ),
            (Resources(cpu: .init(idle: 2)), "cpu.idle: expected 0 or 1, found 2"),
            (Resources(blockIO: .init(weight: 9)), "blockIO.weight: expected 10 to 1000, found 9"),
            (
                Resources(hugepageLimits: [.init(pageSize: "../2MB", limit: 1)]),
                "hugepageLimits[0].pageSize: expected a size such as 64KB, 2MB or 1GB, found \"../2MB\""
            ),
            (
                Resources(unified: [.init(key: "../x.y", value: "")]),
                "unified[\"../x.y\"]: expected the name of a cgroup v2 file, such as memory.high"
            ),
            (
                Resources(unified: [.init(key: "memory", value: "")]),
                "unified[\"memory\"]: expected the name of a cgroup v2 file, such as memory.high"
            ),
            (Resources(rdma: [.init(device: "d")]), "rdma.d: needs hcaHandles, hcaObjects or both"),
            (
                Resources(devices: [.init(allow: true, major: -2)]),
                "devices[0].major: expected a device number, or -1 for all, found -2"
            ),
            (
                Resources(devices: [.init(allow: true, access: "rx")]),
                "devices[0].access: expected a composition of r, w and m, found \"rx\""
            ),
        ])
    func mistake(resources: Resources, expected: String) {
        #expect(mistakes(resources) == ["linux.resources.\(expected)"])
    }
}
