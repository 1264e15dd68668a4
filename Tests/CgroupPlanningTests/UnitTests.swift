import DBus
import OCISpec
import TestSupport
import Testing

@testable import CgroupPlanning

@Suite struct LimitsOfUnits {
    private func limits(_ json: String, version: Int = 252, devices: [String: String] = [:]) throws -> [String: Value] {
        let plan = try plan(json)
        let list = UnitLimits(plan.settings, version: version, devices: devices).properties.list
        return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.value) })
    }

    private func plan(_ json: String) throws -> ResourcesPlan {
        let document = ResourcesDocument(bytes: Array(json.utf8), file: "test")
        let plan = ResourcesPlan(document.resources)
        #expect(document.findings.isEmpty && plan.errors.isEmpty)
        return plan
    }

    @Test func memoryLimitsBecomeProperties() throws {
        let limits = try limits(
            #"{"memory":{"limit":1000000,"swap":3000000,"reservation":500000},"unified":{"memory.high":"2M","memory.min":"4096"}}"#
        )
        #expect(
            limits == [
                "MemoryMax": .uint64(1_000_000), "MemorySwapMax": .uint64(2_000_000), "MemoryLow": .uint64(500_000),
                "MemoryHigh": .uint64(2 << 20), "MemoryMin": .uint64(4096),
            ])
    }

    @Test func noLimitIsInfinity() throws {
        let limits = try limits(#"{"memory":{"limit":-1},"pids":{"limit":-1},"cpu":{"quota":-1,"period":50000}}"#)
        #expect(limits["MemoryMax"] == .uint64(.max) && limits["MemorySwapMax"] == .uint64(.max))
        #expect(limits["TasksMax"] == .uint64(.max) && limits["CPUQuotaPerSecUSec"] == .uint64(.max))
        #expect(limits["CPUQuotaPeriodUSec"] == .uint64(50_000))
    }

    /// Rounded up to ten milliseconds a second, and the file gets what systemd will write.
    @Test(arguments: [
        (50_000, 100_000, 500_000, "50000 100000"), (33_333, 100_000, 340_000, "34000 100000"),
        (1000, 1_000_000, 10_000, "10000 1000000"), (1000, 1000, 1_000_000, "1000 1000"),
        (250_001, 100_000, 2_510_000, "251000 100000"), (7000, 30_000, 240_000, "7200 30000"),
    ])
    func bandwidthIsRoundedAsSystemdRoundsIt(quota: Int, period: Int, perSecond: UInt64, file: String) throws {
        let json = #"{"cpu":{"quota":\#(quota),"period":\#(period)}}"#
        #expect(try limits(json)["CPUQuotaPerSecUSec"] == .uint64(perSecond))
        #expect(try limits(json, version: 241)["CPUQuotaPeriodUSec"] == nil)
        let settings = UnitLimits.agreeable(try plan(json).settings)
        #expect(settings.map(\.value) == [file])
        #expect(UnitLimits.agreeable(settings) == settings, "agreeing again changes nothing")
    }

    @Test func aLimitOfNoTasksBecomesOne() throws {
        let plan = try plan(#"{"pids":{"limit":0}}"#)
        #expect(UnitLimits.agreeable(plan.settings).map(\.value) == ["1"])
        #expect(try limits(#"{"pids":{"limit":0}}"#) == ["TasksMax": .uint64(1)])
    }

    @Test func cpusAndNodesBecomeMasks() throws {
        let json = #"{"cpu":{"shares":1024,"cpus":"0-2,9","mems":"0"}}"#
        let now = try limits(json)
        #expect(now["CPUWeight"] == .uint64(100))
        #expect(now["AllowedCPUs"] == .bytes([0b111, 0b10]) && now["AllowedMemoryNodes"] == .bytes([1]))
        #expect(try limits(json, version: 243).keys.sorted() == ["CPUWeight"])
    }

    @Test(arguments: ["x", "3-1", "1-2-3", "1,,x", "99999", "-1", "0-10:2/4"])
    func malformedListsHaveNoMask(list: String) { #expect(UnitLimits.mask(list) == nil) }

    /// What the kernel refuses goes to its file as it is, and to systemd not at all.
    @Test(arguments: [
        "1099511627776 10000000000000000", "18446744073709551615 100000", "1 18446744073709551615",
        "max 18446744073709551615",
        "1099511627776 999", "1000 1000001", "1099511627777 100000", "18446744073709551616 100000", "5000 0",
        "0 100000", "-1 100000",
    ])
    func malformedBandwidthIsLeftToTheFile(text: String) throws {
        #expect(UnitLimits.Bandwidth(text) == nil)
        let json = #"{"unified":{"cpu.max":"\#(text)"}}"#
        #expect(try limits(json) == [:])
        #expect(UnitLimits.agreeable(try plan(json).settings).map(\.value) == [text])
    }

    @Test func theLargestBandwidthDoesNotOverflow() {
        #expect(UnitLimits.Bandwidth("1099511627776 1000")?.text == "1099511627780 1000")
        #expect(UnitLimits.Bandwidth("1099511627776 1000000")?.text == "1099511630000 1000000")
        #expect(UnitLimits.Bandwidth("1 1000000")?.text == "10000 1000000")
    }

    @Test func idleIsAWeightOfZero() throws {
        #expect(try limits(#"{"cpu":{"idle":1,"shares":1024}}"#) == ["CPUWeight": .uint64(0)])
        #expect(try limits(#"{"cpu":{"idle":1}}"#, version: 251) == [:])
        #expect(try limits(#"{"cpu":{"idle":0,"shares":1024}}"#) == ["CPUWeight": .uint64(100)])
        #expect(try limits(#"{"cpu":{"idle":0}}"#) == ["CPUWeight": .uint64(.max)])
    }

    @Test func blockDeviceLimitsNameTheirNodes() throws {
        let limits = try limits(
            #"{"blockIO":{"weight":10,"weightDevice":[{"major":8,"minor":0,"weight":500}],"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":7},{"major":9,"minor":1,"rate":0}],"throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":5}]},"unified":{"io.latency":"8:0 target=2000"}}"#,
            devices: ["8:0": "/dev/sda"])
        let type = TypeCode.structure([.string, .uint64])
        func pair(_ node: String, _ number: UInt64) -> Value { .structure([.string(node), .uint64(number)]) }
        #expect(limits["IOWeight"] == .uint64(1))
        #expect(limits["IODeviceWeight"] == .array(of: type, [pair("/dev/sda", 4950)]))
        #expect(limits["IOReadBandwidthMax"] == .array(of: type, [pair("/dev/sda", 7), pair("/dev/block/9:1", .max)]))
        #expect(limits["IOWriteIOPSMax"] == .array(of: type, [pair("/dev/sda", 5)]))
        #expect(limits["IODeviceLatencyTargetUSec"] == .array(of: type, [pair("/dev/sda", 2000)]))
    }

    @Test func propertiesNeedTheirVersionOfSystemd() throws {
        let json = #"{"unified":{"memory.oom.group":"1","memory.zswap.max":"5"}}"#
        #expect(try limits(json) == [:])
        #expect(try limits(json, version: 253) == ["OOMPolicy": .string("kill"), "MemoryZSwapMax": .uint64(5)])
    }

    /// The last word is `unified`'s, and what systemd has no word for is left to the file.
    @Test func unifiedOverridesTheOtherFields() throws {
        let limits = try limits(
            #"{"memory":{"limit":1000000},"unified":{"memory.max":"7M","cpu.max":"max","misc.max":"x 1","memory.high":"nonsense"}}"#
        )
        #expect(limits["MemoryMax"] == .uint64(7 << 20) && limits["CPUQuotaPerSecUSec"] == .uint64(.max))
        #expect(limits["MemoryHigh"] == nil)
    }

}

@Suite struct DevicesOfUnits {
    private func policy(_ rules: [DeviceRule], version: Int = 252) throws -> (policy: String?, allowed: [String]) {
        let properties = UnitDevices.properties(try DeviceRules(rules), version: version)
        var allowed: [String] = []
        if case .array(_, let entries)? = properties.first(where: { $0.name == "DeviceAllow" })?.value {
            for case .structure(let pair) in entries { allowed.append(pair.compactMap(\.text).joined(separator: " ")) }
        }
        return (properties.first { $0.name == "DevicePolicy" }?.value.text, allowed)
    }

    private let denyAll = DeviceRule(allow: false, type: nil, major: nil, minor: nil, access: "rwm")

    @Test func theUsualDevicesStayAllowed() throws {
        let (policy, allowed) = try policy([denyAll])
        #expect(policy == "strict")
        #expect(
            Set(allowed) == [
                "block-* m", "char-* m", "char-136 rwm", "/dev/char/1:3 rwm", "/dev/char/1:5 rwm", "/dev/char/1:7 rwm",
                "/dev/char/1:8 rwm", "/dev/char/1:9 rwm", "/dev/char/5:0 rwm", "/dev/char/5:2 rwm",
                "/dev/char/10:200 rwm",
            ])
    }

    @Test func singleDevicesAreAllowedByNumber() throws {
        let (_, allowed) = try policy([
            denyAll, DeviceRule(allow: true, type: .b, major: 8, minor: 1, access: "rw"),
            DeviceRule(allow: true, type: .c, major: nil, minor: 7, access: "r"),
            DeviceRule(allow: false, type: .b, major: 8, minor: 1, access: "w"),
        ])
        #expect(allowed.contains("/dev/block/8:1 rw") && allowed.contains("char-* r"))
    }

    /// Where everything may be allowed in the end, systemd has nothing to forbid.
    @Test func whereEverythingIsAllowedSystemdForbidsNothing() throws {
        let all = DeviceRule(allow: true, type: nil, major: nil, minor: nil, access: "rwm")
        #expect(try policy([all]).policy == "auto")
        #expect(
            try policy([all, DeviceRule(allow: false, type: .c, major: 1, minor: 11, access: "w")]).policy == "auto")
        #expect(try policy([denyAll], version: 239) == ("auto", []))
    }
}
