import Testing

@testable import Kernel

/// Filters run here as the kernel would run them.
@Suite struct SeccompEvaluationTests {
    private func program(_ verdict: SeccompVerdict, _ rules: [(String, SeccompVerdict)]) throws -> SeccompProgram {
        let builder = try SeccompBuilder(defaultVerdict: verdict)
        for (name, verdict) in rules {
            try builder.add(verdict, call: try #require(SeccompBuilder.number(name)), where: [], name: name)
        }
        return try builder.export()
    }

    @Test(
        arguments: [
            (.allow, .passes), (.log, .passes), (.errno(1), .fails(.notPermitted)), (.errno(38), .fails(.noSystemCall)),
            (.killProcess, .kills), (.killThread, .kills), (.trap, .kills), (.trace(1), .passes),
        ] as [(SeccompVerdict, SeccompProgram.Answer)])
    func aProgramAnswersItsCalls(verdict: SeccompVerdict, answer: SeccompProgram.Answer) throws {
        let byDefault = try program(verdict, [("getpid", verdict == .allow ? .errno(2) : .allow)])
        #expect(byDefault.answer(toCall: "execve") == answer)
        #expect(byDefault.answer(toCall: "getpid") == (verdict == .allow ? .fails(.noEntry) : .passes))
        let named = try program(verdict == .allow ? .errno(1) : .allow, [("execve", verdict)])
        #expect(named.answer(toCall: "execve") == answer)
    }

    @Test func argumentsAreCompared() throws {
        let builder = try SeccompBuilder(defaultVerdict: .allow)
        let big = SeccompComparison(argument: 1, comparison: .greaterOrEqual, value: 1 << 33, second: 0)
        try builder.add(.errno(22), call: try #require(SeccompBuilder.number("umask")), where: [big], name: "umask")
        let program = try builder.export()
        let number = UInt32(try #require(SeccompBuilder.number("umask")))
        #expect(program.answer(to: number, [0, 1 << 33]) == .fails(.invalidArgument))
        #expect(program.answer(to: number, [0, (1 << 33) - 1]) == .passes)
        #expect(program.answer(to: number) == .passes)
    }

    @Test(
        arguments: [
            [], [1, 2, 3], [0x20, 0, 0, 0, 0, 1, 0, 0], [0x05, 0, 0, 0, 255, 255, 0, 0], [0xff, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func whatIsNoProgramHasNoAnswer(bytes: [UInt8]) {
        #expect(SeccompProgram(bytes: bytes).answer(to: 1) == nil)
    }

    @Test func aNameThatIsNoneHasNoAnswer() throws {
        #expect(try program(.allow, [("getpid", .errno(1))]).answer(toCall: "reed") == nil)
    }

    @Test(
        arguments: [
            (
                "5,1,2,-;audit: type=1326 audit(1.2:3): auid=0 uid=0 gid=0 ses=1 pid=77 comm=\"x\" exe=\"/x\" sig=31 arch=c000003e syscall=41 compat=0 ip=0x1 code=0x80000000",
                "socket"
            ),
            ("audit: type=1326 pid=77 sig=31 arch=c000003e syscall=99999", "number 99999"),
            ("audit: type=1326 pid=7 sig=31 arch=c000003e syscall=41", nil),
            ("audit: type=1326 pid=77 sig=0 arch=c000003e syscall=41", nil),
            ("audit: type=1300 pid=77 sig=31 arch=c000003e syscall=41", nil), ("", nil),
        ] as [(String, String?)])
    func theKernelsLogIsRead(record: String, name: String?) {
        #expect(KernelLog.systemCall(in: record, of: 77) == name)
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
