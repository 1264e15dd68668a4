import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct ProcessTests {
    /// A line of proc_pid_stat(5) whose program has a name and whose start time is 4242.
    static func stat(
        _ name: String, state: String = "S", threads: String = "1", last: String = "4242", status: String = "0"
    ) -> [UInt8] {
        var fields = [state] + (4...21).map { "\($0)" } + [last] + (23...51).map { "\($0)" } + [status]
        fields[17] = threads
        return Array("17 (\(name)) \(fields.joined(separator: " "))\n".utf8)
    }

    /// A process may call itself anything, also what looks like the fields behind the name.
    @Test(arguments: [
        "sh", "", ")", "))", "(", "a b", ") S 1 1", ") Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21", "a\nb",
        "x) (y", " ", "\u{e9}",
    ])
    func theStartTimeIsFoundBehindAnyName(name: String) throws {
        #expect(try Processes.startTime(ofStat: Self.stat(name)) == 4242)
    }

    @Test func theStartTimeIsFoundBehindANameThatIsNoUTF8() throws {
        let line = Array("1 (".utf8) + [0xff, 0xfe, 0x80] + Self.stat("").dropFirst(4)
        #expect(try Processes.startTime(ofStat: line) == 4242)
    }

    @Test(arguments: ["R", "S", "D", "T", "t", "I"])
    func aLivingProcessHasAStartTime(state: String) throws {
        #expect(try Processes.startTime(ofStat: Self.stat("x", state: state)) == 4242)
    }

    @Test func aProcessLivesOnWithoutItsFirstThread() throws {
        #expect(try Processes.startTime(ofStat: Self.stat("x", state: "Z", threads: "2")) == 4242)
    }

    @Test(arguments: [
        ("0", ExitReason.exited(code: 0)), ("1792", .exited(code: 7)), ("65280", .exited(code: 255)),
        ("9", .killed(signal: .kill)), ("139", .killed(signal: Signal(rawValue: 11))),
    ])
    func aZombieShowsHowItEnded(status: String, reason: ExitReason) {
        #expect(Processes.zombieEnd(ofStat: Self.stat(") Z (", state: "Z", status: status), startTime: 4242) == reason)
    }

    @Test(arguments: [
        stat("x", state: "S", status: "0"), stat("x", state: "X", status: "0"), stat("x", state: "Z", threads: "2"),
        stat("x", state: "Z", last: "4243"), stat("x", state: "Z", status: "?"), Array("1 (x) Z 1 2".utf8), [],
    ])
    func onlyAZombieOfTheStartTimeShowsItsEnd(line: [UInt8]) {
        #expect(Processes.zombieEnd(ofStat: line, startTime: 4242) == nil)
    }

    @Test(arguments: ["Z", "X"])
    func aDeadProcessHasNone(state: String) throws {
        #expect(try Processes.startTime(ofStat: Self.stat("x", state: state)) == nil)
    }

    @Test(arguments: [
        "", "1", "1 (x", "1 (x)", "1 (x) S", "1 (x) S 1 2 3",
        "1 x S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23",
    ])
    func damagedLinesAreNoEnd(line: String) {
        let failure = failure { () throws(SystemError) in
            _ = try Processes.startTime(ofStat: Array(line.utf8))
        }
        #expect(failure?.description == "stat has no start time in it")
    }

    @Test func aStartTimeMustBeANumber() throws {
        #expect(throws: SystemError.self) { try Processes.startTime(ofStat: Self.stat("x", last: "4242x")) }
        #expect(try Processes.startTime(ofStat: Self.stat("x", last: "18446744073709551615")) == .max)
        #expect(throws: SystemError.self) {
            try Processes.startTime(ofStat: Self.stat("x", last: "18446744073709551616"))
        }
    }

    @Test func theOwnStartTimeIsFound() throws {
        let own = try #require(try Processes.startTime(Processes.currentID))
        #expect(own > 0)
        #expect(try Processes.startTime(Processes.currentID) == own)
        #expect(try Processes.startTime(at: try Files.open("/proc/self", [.path, .directory])) == own)
        // Above the largest number that the kernel gives.
        #expect(try Processes.startTime(4_194_305) == nil)
        #expect(try Processes.startTime(0) == nil)
        #expect(try Processes.startTime(-1) == nil)
    }

    @Test func theOwnProcessIsFoundByPidfd() throws {
        let own = try Processes.open(Processes.currentID)
        let pid = try Processes.pid(of: own)
        #expect(pid == Processes.currentID)
        try Processes.send(.null, to: own)
    }

    @Test func aNumberWithoutProcessIsNoProcess() {
        #expect(failure { () throws(SystemError) in _ = try Processes.open(4_194_305) }?.code == .noProcess)
        #expect(failure { () throws(SystemError) in try Processes.kill(4_194_305, .null) }?.code == .noProcess)
    }

    /// wait(2): the code is the second byte, a signal the low seven bits, and bit 7 means a core file.
    @Test(
        arguments: [
            (0x0000, .exited(code: 0), 0), (0x0100, .exited(code: 1), 1), (0x7f00, .exited(code: 127), 127),
            (0xff00, .exited(code: 255), 255), (0x0009, .killed(signal: .kill), 137),
            (0x000f, .killed(signal: Signal(rawValue: 15)), 143),
            (0x008b, .killed(signal: Signal(rawValue: 11)), 139), (0x0040, .killed(signal: Signal(rawValue: 64)), 192),
        ] as [(Int32, ExitReason, Int32)])
    func waitStatusesAreRead(status: Int32, reason: ExitReason, shell: Int32) {
        #expect(ExitReason(waitStatus: status) == reason)
        #expect(ExitReason(waitStatus: status).shellStatus == shell)
    }

    @Test func theOwnEnvironmentIsRead() throws {
        let entry = try #require(Processes.environment().first { $0.hasPrefix("PATH=") })
        #expect(Processes.environment("PATH") == String(entry.dropFirst(5)))
        #expect(Processes.environment("RUNBOX_NOBODY_SETS_THIS") == nil)
    }

    @Test(
        arguments: [
            ("7 (a) b) S 1 2 3 4 5 4194560 0", true), ("7 (x) Z 1 2 3 4 5 64 0", false), ("7 (x) S 1 2", nil),
            ("", nil),
        ] as [(String, Bool?)])
    func anExecutedProgramIsRecognised(stat: String, expected: Bool?) {
        #expect(Processes.hasExecuted(ofStat: Array(stat.utf8)) == expected)
    }
}
