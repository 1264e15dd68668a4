import Errors
import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite(.serialized) struct StartGateTests {
    /// FIFOs without a reader are what a container leaves that died while it waited.
    @Test func aGateWithoutAWaiterSaysSo() throws {
        try withFolder { folder throws in
            try Files.makeFIFO(folder.path(StartGate.startName), mode: 0o600)
            try Files.makeFIFO(folder.path(StartGate.resultName), mode: 0o600)
            var error: SystemError?
            do throws(SystemError) {
                _ = try StartGate.open(folder: folder.path, of: 1)
            } catch let thrown {
                error = thrown
            }
            #expect(error?.description == "container process is already dead")
            #expect(try folder.names() == [StartGate.resultName, StartGate.startName].sorted())
        }
    }

    @Test func aGateIsMadeOnce() throws {
        try withFolder { folder throws in
            let gate = try StartGate.make(folder: folder.path)
            for name in [StartGate.startName, StartGate.resultName] {
                let status = try Files.status(folder.path(name), follow: false)
                #expect(status.kind == .fifo)
                #expect(status.permissions == 0o600)
            }
            #expect(failure { _ = try StartGate.make(folder: folder.path) } != nil)
            extendLifetime(gate)
        }
    }

    @Test func withoutAGateThereIsNothingToOpen() throws {
        try withFolder { folder throws in
            #expect(failure { _ = try StartGate.open(folder: folder.path, of: 1) }?.hasSuffix("not found") == true)
        }
    }

    /// Both sides at once: `start` opens, the init reports and goes, and every word of the report arrives.
    @Test(
        arguments: [
            StepFailure(.program, .refused("exec: \"x\": not found"), exitStatus: 127),
            StepFailure(.gate, SystemError("call", "/a b\u{e9}", .accessDenied), exitStatus: -1),
            StepFailure(.mounts, SystemError(String(repeating: "x", count: 8000), "", .busy)),
            nil,
        ] as [StepFailure?])
    func aReportComesBack(report: StepFailure?) async throws {
        let folder = try Folder()
        defer { try? Files.removeTree(folder.path) }  // what is left of a failed test is not the failure
        let path = folder.path
        let gate = try StartGate.make(folder: path)
        let opening = Task.detached { try StartGate.open(folder: path, of: 1) }
        // The byte is written before the name goes.
        while Files.exists("\(path)/\(StartGate.startName)") { try await Task.sleep(for: .milliseconds(2)) }
        try Self.play(gate, report)
        let answer = try await opening.value
        #expect(answer == report)
        #expect(try folder.names() == [])
    }

    /// The init's part; its end closes the gate, as exec does.
    private static func play(_ gate: consuming StartGate, _ report: StepFailure?) throws(SystemError) {
        try gate.waitForStart()
        if let report { try gate.report(report) }
    }

    /// Whatever is no failure, or only half of one, is no report.
    @Test(
        arguments: [[10], [7], [9, 0], [9], [0], [1], Message.warning("w").encode(), Message.recorded.encode()]
            as [[UInt8]])
    func aGarbledReportIsAnError(bytes: [UInt8]) async throws {
        let folder = try Folder()
        defer { try? Files.removeTree(folder.path) }  // what is left of a failed test is not the failure
        let path = folder.path
        let gate = try StartGate.make(folder: path)
        let opening = Task.detached { failure { _ = try StartGate.open(folder: path, of: 1) } }
        while Files.exists("\(path)/\(StartGate.startName)") { try await Task.sleep(for: .milliseconds(2)) }
        try Files.write(String(decoding: bytes, as: UTF8.self), into: "\(path)/\(StartGate.resultName)")
        Self.leave(gate)
        let words = await opening.value
        #expect(words == "the container's report is garbled")
    }

    private static func leave(_ gate: consuming StartGate) {}
}
