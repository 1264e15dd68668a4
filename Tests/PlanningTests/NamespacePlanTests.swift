import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(
    _ list: [Namespace]?, uids: [IDMapping]? = nil, gids: [IDMapping]? = nil
) -> (plan: NamespacePlan, findings: Findings) {
    let linux = Linux(namespaces: list, uidMappings: uids, gidMappings: gids)
    let spec = Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), linux: linux)
    return plan { NamespacePlan(spec, findings: &$0) }
}

private let one = [IDMapping(containerID: 0, hostID: 1000, size: 1)]

@Suite struct NamespacePlanTests {
    /// clone(2), linux/sched.h.
    @Test(
        arguments: [
            (.time, 0x80), (.mount, 0x2_0000), (.cgroup, 0x200_0000), (.uts, 0x400_0000), (.ipc, 0x800_0000),
            (.user, 0x1000_0000), (.pid, 0x2000_0000), (.network, 0x4000_0000),
        ] as [(NamespaceType, UInt64)])
    func newNamespacesAreFlags(type: NamespaceType, number: UInt64) {
        let (plan, findings) = read(
            [Namespace(type: type)], uids: type == .user ? one : nil, gids: type == .user ? one : nil)
        #expect(findings.errorLines == [])
        #expect(plan.new.rawValue == number)
        #expect(plan.joined.isEmpty)
        #expect(plan.has(type))
        #expect(!plan.joins(type))
        #expect(!plan.needsIntermediate)
        #expect(plan.cloneFlags.rawValue == (type == .cgroup ? 0 : number))
    }

    @Test(arguments: NamespaceType.allCases)
    func aPathMeansJoining(type: NamespaceType) {
        let (plan, findings) = read([Namespace(type: .mount), Namespace(type: type, path: "/run/ns/x")])
        #expect(findings.errorLines == [])
        #expect(plan.new == .mount)
        #expect(plan.joined.map(\.type) == [type])
        #expect(plan.joined.map(\.path) == ["/run/ns/x"])
        #expect(plan.joined.map(\.field) == ["linux.namespaces[1].path"])
        #expect(plan.has(type))
        #expect(plan.joins(type))
        // Only these two cannot be entered by the process that they are for.
        #expect(plan.needsIntermediate == (type == .user))
        #expect(plan.isSpawnedLast == (type == .pid))
    }

    struct IntermediateCase: Sendable, CustomTestStringConvertible {
        var new: [NamespaceType] = []
        var joined: [NamespaceType] = []
        let needed: Bool
        var testDescription: String { "new \(new.map(\.rawValue)), joined \(joined.map(\.rawValue))" }
    }

    @Test(arguments: [
        IntermediateCase(needed: false),
        IntermediateCase(new: [.mount, .pid, .uts], needed: false),
        IntermediateCase(new: [.user, .mount, .pid], needed: false),
        IntermediateCase(new: [.mount], joined: [.network], needed: false),
        IntermediateCase(new: [.mount, .pid], joined: [.network, .ipc, .uts], needed: false),
        IntermediateCase(new: [.mount], joined: [.pid], needed: false),
        IntermediateCase(new: [.user, .mount], joined: [.pid], needed: true),
        IntermediateCase(new: [.mount, .pid], joined: [.user], needed: true),
        IntermediateCase(new: [.user, .mount], joined: [.network], needed: true),
        IntermediateCase(new: [.user], joined: [.cgroup], needed: true),
        IntermediateCase(joined: [.user, .pid, .network], needed: true),
    ])
    func anIntermediateProcessIsForkedOnlyWhereNeeded(names: IntermediateCase) {
        let list = names.new.map { Namespace(type: $0) } + names.joined.map { Namespace(type: $0, path: "/n") }
        let mappings = names.new.contains(.user) ? one : nil
        let (plan, findings) = read(list, uids: mappings, gids: mappings)
        #expect(findings.errorLines == [])
        #expect(plan.needsIntermediate == names.needed)
    }

    /// The init waits for its mappings, and behind an intermediate process until the runtime knows who it is; else
    /// for nothing.
    @Test(arguments: [
        IntermediateCase(needed: false),
        IntermediateCase(new: [.mount, .pid, .network, .ipc, .uts, .cgroup, .time], needed: false),
        IntermediateCase(new: [.mount, .pid], joined: [.network, .ipc, .uts, .mount, .cgroup, .time], needed: false),
        IntermediateCase(new: [.user], needed: true),
        IntermediateCase(new: [.user, .mount, .pid], needed: true),
        IntermediateCase(new: [.user, .mount], joined: [.network], needed: true),
        IntermediateCase(new: [.mount], joined: [.pid], needed: false),
        IntermediateCase(new: [.mount, .pid], joined: [.user], needed: true),
        IntermediateCase(joined: [.user], needed: true),
        IntermediateCase(joined: [.pid], needed: false),
        IntermediateCase(joined: [.user, .pid], needed: true),
    ])
    func theInitWaitsForAnAnswerWhereItMust(names: IntermediateCase) {
        let list = names.new.map { Namespace(type: $0) } + names.joined.map { Namespace(type: $0, path: "/n") }
        let mappings = names.new.contains(.user) ? one : nil
        let plan = read(list, uids: mappings, gids: mappings).plan
        #expect(plan.isAcknowledged == names.needed)
        if plan.needsIntermediate { #expect(plan.isAcknowledged) }
    }

    /// Into an existing pid namespace the init is spawned when all is done, unless a user namespace keeps them off.
    @Test(arguments: [
        IntermediateCase(new: [.mount], joined: [.pid], needed: true),
        IntermediateCase(joined: [.pid, .network, .ipc], needed: true),
        IntermediateCase(new: [.mount, .pid], needed: false),
        IntermediateCase(new: [.user, .mount], joined: [.pid], needed: false),
        IntermediateCase(new: [.mount], joined: [.user, .pid], needed: false),
    ])
    func theInitIsSpawnedLastInASharedPidNamespace(names: IntermediateCase) {
        let list = names.new.map { Namespace(type: $0) } + names.joined.map { Namespace(type: $0, path: "/n") }
        let mappings = names.new.contains(.user) ? one : nil
        #expect(read(list, uids: mappings, gids: mappings).plan.isSpawnedLast == names.needed)
    }

    @Test func withoutNamespacesTheRuntimesAreUsed() {
        let (plan, findings) = read(nil)
        #expect(findings.errorLines == [])
        #expect(plan.new == [])
        for type in NamespaceType.allCases { #expect(!plan.has(type)) }
    }

    @Test func anEmptyPathMeansANewNamespace() {
        let (plan, _) = read([Namespace(type: .network, path: "")])
        #expect(plan.new == .network)
        #expect(plan.joined.isEmpty)
    }

    @Test func aPathMustBeAbsolute() {
        let (_, findings) = read([Namespace(type: .pid), Namespace(type: .network, path: "run/ns")])
        #expect(findings.errorLines == ["linux.namespaces[1].path: must be an absolute path, is \"run/ns\""])
    }

    // MARK: Mappings

    struct MappingCase: Sendable, CustomTestStringConvertible {
        let name: String
        var list: [Namespace] = [Namespace(type: .user)]
        var uids: [IDMapping]?
        var gids: [IDMapping]?
        let lines: [String]
        var testDescription: String { name }
    }

    private static let needsUser = "needs a user namespace; add {\"type\": \"user\"} to linux.namespaces"
    private static let many = (0..<341).map { IDMapping(containerID: $0, hostID: $0, size: 1) }

    @Test(arguments: [
        MappingCase(name: "both", uids: one, gids: one, lines: []),
        MappingCase(
            name: "neither",
            lines: [
                "linux.uidMappings: a new user namespace needs at least one mapping",
                "linux.gidMappings: a new user namespace needs at least one mapping",
            ]),
        MappingCase(
            name: "no groups", uids: one, gids: [],
            lines: ["linux.gidMappings: a new user namespace needs at least one mapping"]),
        MappingCase(name: "as many as the kernel takes", uids: Array(many.dropLast()), gids: one, lines: []),
        MappingCase(
            name: "one too many", uids: many, gids: one,
            lines: ["linux.uidMappings: has 341 entries; the kernel takes 340"]),
        MappingCase(
            name: "no user namespace", list: [Namespace(type: .mount)], uids: one, gids: one,
            lines: ["linux.uidMappings: \(needsUser)", "linux.gidMappings: \(needsUser)"]),
        MappingCase(name: "nothing at all", list: [], lines: []),
        MappingCase(name: "another's", list: [Namespace(type: .user, path: "/n")], lines: []),
        MappingCase(
            name: "another's, warned of", list: [Namespace(type: .user, path: "/n")], uids: one, gids: one, lines: []),
    ])
    func mappingsGoWithAUserNamespace(mapping: MappingCase) {
        let (plan, findings) = read(mapping.list, uids: mapping.uids, gids: mapping.gids)
        #expect(findings.errorLines == mapping.lines)
        #expect(plan.uidMappings == mapping.uids ?? [])
        #expect(plan.gidMappings == mapping.gids ?? [])
    }

    private static let ranges = [
        IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 100_000, size: 65_535),
        IDMapping(containerID: 4_294_967_290, hostID: 5, size: 6),
    ]

    @Test(
        arguments: [
            (0, 1000), (1, 100_000), (2, 100_001), (65_535, 165_534), (65_536, nil), (1_000_000, nil),
            (4_294_967_289, nil), (4_294_967_290, 5), (4_294_967_295, 10),
        ] as [(UInt32, UInt32?)])
    func anIDIsMappedToTheHosts(id: UInt32, hostID: UInt32?) {
        #expect(NamespacePlan.hostID(of: id, in: Self.ranges) == hostID)
    }

    @Test func withoutMappingsNothingIsMapped() {
        #expect(NamespacePlan.hostID(of: 0, in: []) == nil)
    }

    // MARK: Clocks

    struct ClockCase: Sendable, CustomTestStringConvertible {
        let offsets: TimeOffsets
        var joined = false
        var namespaces: [NamespaceType] = [.time]
        var lines: [String] = []
        var plans: [TimeOffsetPlan] = []
        var testDescription: String { "\(offsets) \(namespaces) \(joined)" }
    }

    @Test(arguments: [
        ClockCase(offsets: TimeOffsets()),
        ClockCase(offsets: TimeOffsets(), namespaces: []),
        ClockCase(offsets: TimeOffsets(monotonic: ClockOffset(), boottime: ClockOffset(secs: 0, nanosecs: 0))),
        ClockCase(
            offsets: TimeOffsets(monotonic: ClockOffset(secs: 100), boottime: ClockOffset(secs: -5, nanosecs: 7)),
            plans: [
                TimeOffsetPlan(clock: "monotonic", seconds: 100, nanoseconds: 0),
                TimeOffsetPlan(clock: "boottime", seconds: -5, nanoseconds: 7),
            ]),
        ClockCase(
            offsets: TimeOffsets(boottime: ClockOffset(nanosecs: 999_999_999)),
            plans: [TimeOffsetPlan(clock: "boottime", seconds: 0, nanoseconds: 999_999_999)]),
        ClockCase(
            offsets: TimeOffsets(boottime: ClockOffset(secs: 1)), namespaces: [.pid],
            lines: ["linux.timeOffsets: needs a time namespace; add {\"type\": \"time\"} to linux.namespaces"],
            plans: [TimeOffsetPlan(clock: "boottime", seconds: 1, nanoseconds: 0)]),
        ClockCase(
            offsets: TimeOffsets(boottime: ClockOffset(secs: 1)), joined: true,
            lines: ["linux.timeOffsets: cannot be set in a time namespace that is joined: its clocks are set already"],
            plans: [TimeOffsetPlan(clock: "boottime", seconds: 1, nanoseconds: 0)]),
        ClockCase(
            offsets: TimeOffsets(
                monotonic: ClockOffset(nanosecs: 1_000_000_000), boottime: ClockOffset(secs: 9_223_372_037)),
            lines: [
                "linux.timeOffsets.monotonic.nanosecs: must be 0 to 999999999, is 1000000000",
                "linux.timeOffsets.boottime.secs: must be -9223372036 to 9223372036, is 9223372037",
            ],
            plans: [
                TimeOffsetPlan(clock: "monotonic", seconds: 0, nanoseconds: 1_000_000_000),
                TimeOffsetPlan(clock: "boottime", seconds: 9_223_372_037, nanoseconds: 0),
            ]),
        ClockCase(
            offsets: TimeOffsets(monotonic: ClockOffset(secs: .min)),
            lines: [
                "linux.timeOffsets.monotonic.secs: must be -9223372036 to 9223372036, is -9223372036854775808"
            ],
            plans: [TimeOffsetPlan(clock: "monotonic", seconds: .min, nanoseconds: 0)]),
    ])
    func timeOffsetsNeedANewTimeNamespace(offsets: ClockCase) {
        let list = offsets.namespaces.map { Namespace(type: $0, path: offsets.joined ? "/run/ns/x" : nil) }
        let linux = Linux(namespaces: list, timeOffsets: offsets.offsets)
        let spec = Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), linux: linux)
        let (plan, findings) = plan { NamespacePlan(spec, findings: &$0) }
        #expect(findings.errorLines == offsets.lines)
        #expect(plan.timeOffsets == offsets.plans)
        #expect(plan.needsIntermediate == !offsets.plans.isEmpty)
    }

    /// A process in a time namespace cannot set its clocks, and its owner must be the container's user namespace.
    @Test func clocksAreSetBeforeTheInitStarts() {
        let list = [NamespaceType.user, .time, .pid, .cgroup].map { Namespace(type: $0) }
        let linux = Linux(
            namespaces: list, uidMappings: one, gidMappings: one,
            timeOffsets: TimeOffsets(boottime: ClockOffset(secs: 1)))
        let spec = Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), linux: linux)
        let plan = plan { NamespacePlan(spec, findings: &$0) }.plan
        #expect(plan.madeByIntermediate == [.user, .time] && plan.cloneFlags == .pid)
    }
}
