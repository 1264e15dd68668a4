import Errors
import OCISpec
import Testing

@testable import CgroupPlanning

@Suite("What an update writes")
struct ResourcesUpdateTests {
    private func lines(_ changes: Resources, _ stored: Resources? = nil) -> [String] {
        let update = ResourcesUpdate(changes, stored: stored)
        #expect(update.errors.isEmpty)
        return update.settings.map { "\($0.file)=\($0.value)" }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let stored: Resources
        let changes: Resources
        let lines: [String]

        init(_ description: String, _ stored: Resources, _ changes: Resources, _ lines: [String]) {
            testDescription = description
            self.stored = stored
            self.changes = changes
            self.lines = lines
        }
    }

    private static func cpu(_ cpu: CPUResources) -> Resources { Resources(cpu: cpu) }
    private static func memory(_ memory: MemoryResources) -> Resources { Resources(memory: memory) }

    static let cases: [Case] = [
        Case("nothing", memory(.init(limit: 5)), Resources(), []),
        Case(
            "zeros and empty texts are nothing", memory(.init(limit: 5)),
            Resources(
                memory: .init(limit: 0, reservation: 0, swap: 0, kernel: 0),
                cpu: .init(shares: 0, quota: 0, period: 0, cpus: "", mems: ""), blockIO: .init(weight: 0)), []),
        Case(
            "only what is named", Resources(memory: .init(limit: 5), pids: .init(limit: 9)),
            Resources(pids: .init(limit: 10)), ["pids.max=10"]),
        Case(
            "the same value again is written again", Resources(pids: .init(limit: 9)),
            Resources(pids: .init(limit: 9)), ["pids.max=9"]),
        Case(
            "a period beside the quota that is stored", cpu(.init(quota: 20_000, period: 50_000)),
            cpu(.init(period: 40_000)), ["cpu.max=20000 40000"]),
        Case(
            "a quota beside the period that is stored", cpu(.init(quota: 20_000, period: 50_000)),
            cpu(.init(quota: 10_000)), ["cpu.max.burst=0", "cpu.max=10000 50000"]),
        Case(
            "the burst that is stored comes back behind the quota", cpu(.init(quota: 20_000, burst: 5000)),
            cpu(.init(quota: 10_000)), ["cpu.max.burst=0", "cpu.max=10000 100000", "cpu.max.burst=5000"]),
        Case(
            "no quota any more", cpu(.init(quota: 20_000, period: 50_000)), cpu(.init(quota: -1)),
            ["cpu.max=max 50000"]),
        Case("shares", cpu(.init(shares: 512)), cpu(.init(shares: 1024)), ["cpu.weight=100"]),
        Case("idle takes the weight away", cpu(.init(shares: 512)), cpu(.init(idle: 1)), ["cpu.idle=1"]),
        Case("no longer idle", cpu(.init(shares: 512, idle: 1)), cpu(.init(idle: 0)), ["cpu.idle=0", "cpu.weight=59"]),
        Case(
            "a limit moves the limit of swap", memory(.init(limit: 100, swap: 300)), memory(.init(limit: 200)),
            ["memory.swap.max=100", "memory.max=200"]),
        Case(
            "swap beside the limit that is stored", memory(.init(limit: 100)), memory(.init(swap: 300)),
            ["memory.swap.max=200"]),
        Case(
            "no limit takes that of swap away", memory(.init(limit: 100, swap: 300)), memory(.init(limit: -1)),
            ["memory.swap.max=max", "memory.max=max"]),
        Case(
            "one device of several",
            Resources(
                blockIO: .init(throttleReadBpsDevice: [
                    .init(major: 8, minor: 0, rate: 1), .init(major: 8, minor: 16, rate: 2),
                ])),
            Resources(blockIO: .init(throttleReadBpsDevice: [.init(major: 8, minor: 16, rate: 3)])),
            ["io.max=8:0 rbps=1", "io.max=8:16 rbps=3"]),
        Case(
            "one page size of several",
            Resources(hugepageLimits: [.init(pageSize: "2MB", limit: 1), .init(pageSize: "1GB", limit: 2)]),
            Resources(hugepageLimits: [.init(pageSize: "1GB", limit: 3)]),
            ["hugetlb.1GB.max=3", "hugetlb.1GB.rsvd.max=3"]),
        Case(
            "unified has the last word still",
            Resources(memory: .init(limit: 100), unified: [.init(key: "memory.max", value: "50")]),
            memory(.init(limit: 200)), ["memory.max=200", "memory.max=50"]),
        Case(
            "devices are left alone", Resources(devices: [.init(allow: false)]),
            Resources(devices: [.init(allow: true)], pids: .init(limit: 1)), ["pids.max=1"]),
    ]

    @Test("Changes are laid over what is stored", arguments: cases)
    func changes(example: Case) { #expect(lines(example.changes, example.stored) == example.lines) }

    @Test("What contradicts the limits that are stored is a mistake")
    func contradiction() {
        let update = ResourcesUpdate(
            Resources(memory: .init(limit: 400)), stored: Resources(memory: .init(limit: 100, swap: 300)))
        #expect(
            update.errors.map(\.description) == [
                "linux.resources.memory.swap: limits memory and swap together, so it must not be below memory.limit (400), found 300"
            ])
    }

    @Test("The limit is compared with the usage where that is asked for, now or earlier")
    func checkBeforeUpdate() {
        for (asked, stored) in [(true, nil), (nil, true)] as [(Bool?, Bool?)] {
            let update = ResourcesUpdate(
                Resources(memory: .init(limit: 4, checkBeforeUpdate: asked)),
                stored: Resources(memory: .init(limit: 9, checkBeforeUpdate: stored)))
            #expect(update.settings.map(\.usageFile) == ["memory.current"])
        }
    }

    @Test("Only a limit needs its controller")
    func controllers() {
        let update = ResourcesUpdate(
            Resources(memory: .init(limit: -1), cpu: .init(shares: 2), pids: .init(limit: -1)), stored: nil)
        #expect(update.controllers.map(\.controller.name) == ["cpu"])
    }
}
