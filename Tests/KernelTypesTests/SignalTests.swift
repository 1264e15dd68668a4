import Testing

@testable import KernelTypes

@Suite struct SignalTests {
    /// Names and numbers of signal(7) for x86, arm and most other architectures.
    static let known: [(name: String, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7), ("FPE", 8),
        ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
        ("STKFLT", 16), ("CHLD", 17), ("CLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21),
        ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28),
        ("IO", 29), ("POLL", 29), ("PWR", 30), ("SYS", 31), ("RTMIN", 34), ("RTMIN+0", 34), ("RTMIN+1", 35),
        ("RTMIN+30", 64), ("RTMAX", 64), ("RTMAX-0", 64), ("RTMAX-1", 63), ("RTMAX-30", 34),
    ]

    @Test(arguments: known)
    func namesAreRead(name: String, number: Int32) {
        for text in [name, "SIG\(name)", name.lowercased(), "sig\(name.lowercased())", "Sig\(name)"] {
            #expect(Signal(text)?.rawValue == number, "\(text)")
        }
    }

    @Test(arguments: [("0", 0), ("1", 1), ("9", 9), ("15", 15), ("032", 32), ("64", 64)] as [(String, Int32)])
    func numbersAreRead(text: String, number: Int32) {
        #expect(Signal(text)?.rawValue == number)
    }

    @Test(arguments: [
        "", " ", "SIG", "sig", "-1", "65", "1000", "99999999999", "9 ", " 9", "9x", "0x9", "1.0", "KILLS", "SIGKIL",
        "SIGSIGKILL", "SIG9", "KILL TERM", "TERM,", "RT", "RTMIN+", "RTMIN-1", "RTMIN+31", "RTMIN+x", "RTMAX+1",
        "RTMAX-31", "RTMAX-", "RTMIN1", "RTMIN+99999999999", "SIGKILL\n", "RTMIN++1", "RTMIN+-1", "RTMIN+ 1",
        "RTMAX-+1", "RTMAX--1",
        "+9", "KILL\u{301}",
    ])
    func unknownSignalsAreRefused(text: String) {
        #expect(Signal(text) == nil)
    }

    /// Names are ASCII; a letter that Swift makes or takes for one of these is another, and nothing is swallowed by
    /// the letter before it.
    @Test(arguments: [
        "RTMIN+\u{301}1", "RTMAX-\u{301}1", "SIG\u{301}KILL", "k\u{131}ll", "\u{17f}igkill", "\u{212a}ILL",
    ])
    func lettersOutsideASCIIAreRefused(text: String) {
        #expect(Signal(text) == nil)
    }

    /// What ends the container at its gate: all but those that stop, go on or are ignored by default.
    @Test func onlySomeSignalsEndAProcess() {
        let harmless: Set<Int32> = [17, 18, 19, 20, 21, 22, 23, 28]
        for number in 1...64 as ClosedRange<Int32> {
            #expect(Signal(rawValue: number).endsProcess == !harmless.contains(number), "signal \(number)")
        }
    }

    @Test(
        arguments: [
            (1, "SIGHUP"), (6, "SIGABRT"), (9, "SIGKILL"), (17, "SIGCHLD"), (29, "SIGIO"), (31, "SIGSYS"),
            (34, "signal 34"), (64, "signal 64"), (0, "signal 0"),
        ] as [(Int32, String)])
    func everySignalHasItsName(number: Int32, name: String) {
        #expect(Signal(rawValue: number).description == name)
    }
}
