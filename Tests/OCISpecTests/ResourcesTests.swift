import OCISpec
import Testing

@Suite struct ResourcesTextTests {
    private func read(_ bytes: [UInt8]) throws -> Resources {
        let document = ResourcesDocument(bytes: bytes, file: "resources.json")
        #expect(document.findings.isEmpty)
        return try #require(document.resources)
    }

    private static let everything = Resources(
        memory: MemoryResources(
            limit: -1, reservation: 2, swap: -1, kernel: 4, kernelTCP: 5, swappiness: 6, disableOOMKiller: false,
            useHierarchy: true, checkBeforeUpdate: true),
        cpu: CPUResources(
            shares: 1, quota: -1, burst: 0, period: .max, realtimeRuntime: 5, realtimePeriod: 6, cpus: "0-1", mems: "0",
            idle: 0),
        pids: PIDsResources(limit: 0),
        blockIO: BlockIOResources(
            weight: 10, leafWeight: 11,
            weightDevice: [
                WeightDevice(major: 8, minor: 0, weight: 12), WeightDevice(major: 8, minor: 1, leafWeight: 13),
            ], throttleReadBpsDevice: [ThrottleDevice(major: 8, minor: 0, rate: .max)], throttleWriteBpsDevice: [],
            throttleReadIOPSDevice: [ThrottleDevice(major: 8, minor: 0, rate: 1)],
            throttleWriteIOPSDevice: [ThrottleDevice(major: 8, minor: 0, rate: 2)]),
        hugepageLimits: [HugepageLimit(pageSize: "2MB", limit: 0), HugepageLimit(pageSize: "1GB", limit: .max)],
        network: NetworkResources(classID: 7, priorities: [InterfacePriority(name: "eth0", priority: 1)]),
        rdma: [RDMALimit(device: "a\"b", hcaHandles: 1, hcaObjects: 2), RDMALimit(device: "c", hcaObjects: 3)],
        unified: [KeyValue(key: "memory.high", value: "1\n2"), KeyValue(key: "a.b", value: "")])

    @Test func resourcesComeBackAsTheyWere() throws {
        #expect(try read(Self.everything.json()) == Self.everything)
        #expect(try read(Resources().json()) == Resources())
        #expect(!Self.everything.json().contains(10))
    }

    @Test func deviceRulesAreLeftOut() throws {
        var resources = Self.everything
        resources.devices = [DeviceRule(allow: false)]
        #expect(try read(resources.json()) == Self.everything)
    }

    @Test func theLastOfMergedResourcesHold() {
        var changes = Self.everything
        changes.devices = [DeviceRule(allow: true)]
        #expect(Resources().merging(changes) == Self.everything)
        #expect(Self.everything.merging(Resources()) == Self.everything)
        #expect(Self.everything.merging(Self.everything) == Self.everything)
    }

    /// A field that is new in the specification has to be merged and written, too: with a value above, these tests see
    /// whether it is.
    @Test func everyFieldHasAValueInTheseTests() {
        #expect(Self.missing(in: Self.everything, "") == ["devices"])
    }

    /// The paths of fields without a value; in a list, of those that no entry has.
    private static func missing(in value: Any, _ path: String) -> [String] {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { missing(in: $0.value, path) } ?? [path]
        case .collection:
            let entries = mirror.children.map { Set(missing(in: $0.value, path)) }
            return entries.dropFirst().reduce(entries.first ?? []) { $0.intersection($1) }.sorted()
        case .struct:
            return mirror.children.flatMap { field in
                missing(in: field.value, (path.isEmpty ? "" : "\(path).") + (field.label ?? ""))
            }
        default: return []
        }
    }
}
