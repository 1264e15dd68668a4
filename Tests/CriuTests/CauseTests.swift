import Testing

@testable import Criu

/// What is taken from CRIU's log for the one line that the user reads.
@Suite struct CauseTests {
    @Test func theFirstErrorIsTheCause() {
        let log = """
            (00.000022) Version: 3.17.1 (gitid 0)
            (00.140931) sockets: Found 1 sockets
            (00.140970) Warn  (criu/files.c:1): nothing bad
            (00.141000) Error (criu/sk-inet.c:191): inet: Connected TCP socket, consider using --tcp-established option.
            (00.141022) Error (criu/cr-dump.c:1635): Dump files (pid: 175) failed with -1
            (00.150000) Error (criu/cr-dump.c:2053): Dumping FAILED.
            """
        #expect(
            CriuCause(log: log)
                == CriuCause(
                    text: "inet: Connected TCP socket, consider using --tcp-established option.", remedy: nil))
    }

    @Test func messagesOfRestoredProcessesHaveTheirNumberInFront() {
        let log = "(00.030000)    214: Error (criu/mount.c:2042): mnt: Can't mount at ./proc: Operation not permitted"
        #expect(CriuCause(log: log)?.text == "mnt: Can't mount at ./proc: Operation not permitted")
        #expect(CriuCause.sentence("(00.1)pie: 1: Error (criu/pie/restorer.c:273): Unable: -1") == nil)
        #expect(CriuCause.sentence("Error (criu/vdso.c:381): vdso: bounds") == "vdso: bounds")
    }

    @Test func anErrorThatSaysNothingIsNotTheCause() {
        let log = """
            Error (criu/util.c:642): exited, status=1
            Error (criu/vdso.c:381): vdso: Unexpected rt vDSO area bounds
            """
        let cause = CriuCause(log: log)
        #expect(cause?.text == "vdso: Unexpected rt vDSO area bounds")
        #expect(cause?.remedy == "this CRIU is too old for this kernel: install a newer CRIU")
        #expect(CriuCause(log: "Error (criu/util.c:642): exited, status=1")?.text == "exited, status=1")
    }

    @Test func theRemedyMayBeThatOfALaterError() {
        let log = """
            (00.1) Error (criu/files-reg.c:1710): Can't lookup mount=33 for fd=0 path=/dev/pts/0
            (00.2) Error (criu/cr-dump.c:1635): Dump files (pid: 175) failed with -1
            """
        #expect(CriuCause(log: log)?.remedy == "--shell-job saves a container with a terminal from the outside")
    }

    @Test(arguments: [
        "", "Error", "Error (", "Error (x", "Error ()", "Error ():", "(", "(1", "(1)", "(1) ", "( ) Error (a):", "1:",
        "Warn  (criu/x.c:1): Error", ": Error (a): b c",
    ])
    func whatIsNoErrorIsNone(_ line: String) {
        #expect(CriuCause.sentence(line) == nil)
    }

    /// A container chooses names that CRIU writes into its log.
    @Test func controlCharactersDoNotReachTheMessage() {
        #expect(CriuCause.sentence("Error (a:1): x\u{1b}[2Jy") == "x?[2Jy")
    }
}
