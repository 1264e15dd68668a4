import CLinux
import Glibc
import KernelTypes
import Testing

@testable import Kernel

/// Terminals' settings, on a pseudoterminal of the host's.
@Suite struct TerminalTests {
    private func pair() throws -> Pseudoterminal {
        try Pseudoterminal(controller: Files.open("/dev/ptmx", [.readWrite, .noControllingTerminal]))
    }

    private func settings(_ descriptor: borrowing Descriptor) -> termios {
        var value = termios()
        tcgetattr(descriptor.number, &value)
        return value
    }

    @Test func newlinesAreKeptAndTheRestStays() throws {
        let pair = try pair()
        let before = settings(pair.terminal)
        #expect(before.c_oflag & tcflag_t(ONLCR) != 0)
        try Terminals.keepNewlines(of: pair.controller)
        let after = settings(pair.terminal)
        #expect(after.c_oflag == before.c_oflag & ~tcflag_t(ONLCR))
        #expect(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag)
    }

    @Test func rawInputLeavesTheOutput() throws {
        let pair = try pair()
        let before = settings(pair.terminal)
        let kept = try Terminals.makeInputRaw(pair.terminal)
        let raw = settings(pair.terminal)
        #expect(raw.c_oflag == before.c_oflag && raw.c_lflag & tcflag_t(ECHO | ICANON | ISIG) == 0)
        try Terminals.restore(kept, of: pair.terminal)
        #expect(settings(pair.terminal).c_lflag == before.c_lflag)
    }
}

/// What a descriptor was opened for.
@Suite struct AccessModeTests {
    @Test(arguments: [(OpenFlags.readOnly, false), (.writeOnly, true), (.readWrite, true)])
    func onlyWhatWasOpenedForWritingIsWritable(flags: OpenFlags, expected: Bool) throws {
        let file = try Files.open("/dev/null", flags)
        #expect(try Files.isWritable(number: file.number) == expected)
    }
}
