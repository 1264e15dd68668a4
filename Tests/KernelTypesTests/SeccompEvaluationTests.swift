import Kernel
import Testing

@testable import KernelTypes

/// Filters run here as the kernel would run them.
@Suite struct SeccompEvaluationTests {
    private func program(_ verdict: SeccompVerdict, _ rules: [(String, SeccompVerdict)]) throws -> SeccompProgram {
        let builder = try SeccompBuilder(defaultVerdict: verdict)
        for (name, verdict) in rules {
            try builder.add(verdict, call: try #require(SeccompLibrary.number(name)), where: [], name: name)
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
        try builder.add(.errno(22), call: try #require(SeccompLibrary.number("umask")), where: [big], name: "umask")
        let program = try builder.export()
        let number = UInt32(try #require(SeccompLibrary.number("umask")))
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
}
