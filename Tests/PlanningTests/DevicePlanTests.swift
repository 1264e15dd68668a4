import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct DevicePlanTests {
    private func read(_ device: Device) -> (plan: DevicePlan?, findings: Findings) {
        plan { DevicePlan(device, index: 2, findings: &$0) }
    }

    @Test(
        arguments: [
            (.c, .characterDevice), (.u, .characterDevice), (.b, .blockDevice), (.p, .fifo),
        ] as [(DeviceType, FileKind)])
    func everyDeviceTypeHasItsKind(type: DeviceType, kind: FileKind) {
        let (plan, findings) = read(Device(type: type, path: "/dev/x", major: 10, minor: 200))
        #expect(findings.errorLines == [])
        #expect(plan?.kind == kind)
        #expect(plan?.field == "linux.devices[2]")
    }

    /// The bits of a file type that some engines write mean nothing.
    @Test(arguments: [(nil, 0o666), (0, 0), (0o600, 0o600), (0o20666, 0o666), (0o4755, 0o4755)] as [(UInt32?, UInt32)])
    func onlyPermissionBitsOfAModeCount(written: UInt32?, mode: UInt32) {
        #expect(read(Device(type: .p, path: "/x", fileMode: written)).plan?.mode == mode)
    }

    @Test func theOwnerDefaultsToRoot() throws {
        let plan = try #require(read(Device(type: .p, path: "/x", uid: 5, gid: 6)).plan)
        #expect((plan.owner, plan.group) == (5, 6))
        let other = try #require(read(Device(type: .p, path: "/x")).plan)
        #expect((other.owner, other.group) == (0, 0))
    }

    @Test(arguments: [
        (Device(type: .c, path: "dev/x", major: 1, minor: 1), "path: must be an absolute path, is \"dev/x\""),
        (Device(type: .c, path: "/x", minor: 1), "major: must be a device number, is missing"),
        (Device(type: .b, path: "/x", major: 1), "minor: must be a device number, is missing"),
        (Device(type: .u, path: "/x", major: -1, minor: 1), "major: must be a device number, is -1"),
        (Device(type: .c, path: "/x", major: 1, minor: 4_294_967_296), "minor: must be a device number, is 4294967296"),
    ])
    func mistakesAreRefused(device: Device, line: String) {
        let (plan, findings) = read(device)
        #expect(findings.errorLines == ["linux.devices[2].\(line)"])
        #expect(plan == nil)
    }

    @Test(arguments: [(0, 0), (4_294_967_295, 4_294_967_295), (8, 17)] as [(Int64, Int64)])
    func numbersAreTakenOver(major: Int64, minor: Int64) throws {
        let plan = try #require(read(Device(type: .b, path: "/x", major: major, minor: minor)).plan)
        #expect((Int64(plan.major), Int64(plan.minor)) == (major, minor))
    }

    @Test func aFIFONeedsNoNumbers() {
        #expect(read(Device(type: .p, path: "/x")).findings.errorLines == [])
        #expect(read(Device(type: .p, path: "/x", major: 5, minor: 6)).findings.errorLines == [])
    }

    @Test(arguments: [-1, 4_294_967_296] as [Int64])
    func aFIFOsNumbersMeanNothing(number: Int64) {
        #expect(read(Device(type: .p, path: "/x", major: number)).findings.errorLines == [])
    }

    @Test func linksOfDevLeadIntoProc() {
        #expect(
            DevicePlan.links.map { "\($0.name) \($0.target)" } == [
                "fd /proc/self/fd", "stdin /proc/self/fd/0", "stdout /proc/self/fd/1", "stderr /proc/self/fd/2",
            ])
    }
}
