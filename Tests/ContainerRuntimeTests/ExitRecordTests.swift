import Cgroups
import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct ExitRecordTests {
    private static func exit(_ reason: ExitReason?, _ change: (inout ContainerExit) -> Void = { _ in }) -> ContainerExit
    {
        var exit = ContainerExit(reason, observedBy: "wait")
        change(&exit)
        return exit
    }

    @Test(arguments: [
        exit(.exited(code: 0)), exit(.exited(code: 255)), exit(.killed(signal: .kill)),
        exit(.exited(code: 3)) { ($0.startedAt, $0.finishedAt) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z") },
        exit(.exited(code: 3)) { $0.finishedBefore = "2026-01-01T00:00:01Z" },
        exit(.killed(signal: .kill)) {
            $0.wasKilledForMemory = true
            $0.memoryLimit = MemoryLimitHit(.own(path: "/a/\"b", bytes: .max))
        },
        exit(.killed(signal: .kill)) {
            $0.wasKilledForMemory = true
            $0.memoryLimit = MemoryLimitHit(.host)
        },
        exit(.killed(signal: .kill)) {
            $0.wasKilledForMemory = true
            $0.memoryLimit = MemoryLimitHit(.ancestor(path: "/a", bytes: nil))
        },
        exit(.exited(code: 1)) { $0.wasKilledForMemory = false },
    ])
    func anExitRecordComesBackAsItWas(exit: ContainerExit) {
        #expect(ContainerExit(Array(exit.json().utf8)) == exit)
    }

    @Test func aSignalIsCountedAsShellsDo() {
        #expect(Self.exit(.killed(signal: .kill)).code == 137 && Self.exit(.killed(signal: .kill)).signal == 9)
        #expect(Self.exit(.exited(code: 137)).signal == nil)
    }

    @Test func anUnknownEndIsNoRecord() {
        let text = Self.exit(nil) { $0.unknown = "why" }.json()
        #expect(text == #"{"unknown":"why","observedBy":"wait"}"#)
        #expect(ContainerExit(Array(text.utf8)) == nil)
    }

    @Test func noCutFileIsARecord() {
        let bytes = Array(Self.exit(.exited(code: 3)).json().utf8)
        for length in 0..<bytes.count { #expect(ContainerExit(Array(bytes[..<length])) == nil) }
    }

    @Test(arguments: [
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.5Z"), ("2026-01-01T0", nil), ("", nil), (nil, nil),
    ])
    func theStartTimeIsReadWhole(text: String?, time: String?) throws {
        let folder = try Folder()
        if let text { try Files.write(Array(text.utf8), toNew: "\(folder.path)/\(StartTime.fileName)", mode: 0o600) }
        #expect(StartTime.read(folder.path) == time)
    }

    /// Without the mount the file is there and says nothing.
    @Test func anEmptyPinShowsNoEnd() throws {
        let folder = try Folder()
        #expect(PidfdPin.end(folder.path) == nil)
        try Files.write([], toNew: "\(folder.path)/\(PidfdPin.fileName)", mode: 0o600)
        #expect(PidfdPin.end(folder.path) == nil)
        try PidfdPin.remove(from: folder.path)
        try PidfdPin.remove(from: folder.path)
        #expect(!Files.exists("\(folder.path)/\(PidfdPin.fileName)"))
    }
}
