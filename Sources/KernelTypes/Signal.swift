internal import CLinux

/// A signal, by number, with the names of signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The kernel's number.
    public let rawValue: Int32

    /// A signal by its number; signal(7).
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Delivers nothing: asks whether the process is there. kill(2).
    package static let null = Signal(rawValue: 0)
    /// Ends a process at once.
    public static let kill = Signal(rawValue: SIGKILL)
    /// Stops a process until SIGCONT.
    public static let stop = Signal(rawValue: SIGSTOP)
    /// Lets a stopped process go on.
    public static let `continue` = Signal(rawValue: SIGCONT)
    /// Asks a process to end.
    public static let terminate = Signal(rawValue: SIGTERM)
    /// Says that a terminal hung up; many services read their configuration again.
    public static let hangUp = Signal(rawValue: SIGHUP)
    /// What a terminal sends for Ctrl-C.
    public static let interrupt = Signal(rawValue: SIGINT)
    /// Ends a process that is to leave its memory behind to be looked at.
    package static let abort = Signal(rawValue: SIGABRT)
    package static let brokenPipe = Signal(rawValue: SIGPIPE)
    package static let badSystemCall = Signal(rawValue: SIGSYS)
    package static let childEnded = Signal(rawValue: SIGCHLD)
    /// Something has come in, where that is to be announced; SIGIO.
    package static let arrival = Signal(rawValue: SIGIO)
    package static let terminalStop = Signal(rawValue: SIGTSTP)
    package static let windowChanged = Signal(rawValue: SIGWINCH)

    /// Names without the prefix, in the order of their numbers on this architecture.
    private static let names: [(name: String, number: Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
        ("IOT", SIGABRT), ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV),
        ("USR2", SIGUSR2), ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("STKFLT", SIGSTKFLT),
        ("CHLD", SIGCHLD), ("CLD", SIGCHLD), ("CONT", SIGCONT), ("STOP", SIGSTOP), ("TSTP", SIGTSTP),
        ("TTIN", SIGTTIN), ("TTOU", SIGTTOU), ("URG", SIGURG), ("XCPU", SIGXCPU), ("XFSZ", SIGXFSZ),
        ("VTALRM", SIGVTALRM), ("PROF", SIGPROF), ("WINCH", SIGWINCH), ("IO", SIGIO), ("POLL", SIGIO), ("PWR", SIGPWR),
        ("SYS", SIGSYS),
    ]

    /// Every name that there is, without its prefix.
    package static var allNames: [String] { names.map { $0.name } }

    /// Reads a number, or a name with or without `SIG` in any case; also `RTMIN+n` and `RTMAX-n`. nil when there is no
    /// such signal.
    public init?(_ text: String) {
        // Letters with marks, and others that Unicode takes for the same, are no letters of names.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        if let number = Self.plainNumber(text) {
            guard (0...64).contains(number) else { return nil }
            rawValue = number
            return
        }
        var name = text.inCapitals
        if name.begins(with: "SIG") { name.removeFirst(3) }
        if let entry = Self.names.first(where: { $0.name == name }) {
            rawValue = entry.number
        } else if let number = Self.realTime(name) {
            rawValue = number
        } else {
            return nil
        }
    }

    /// Digits alone: no sign, no blanks.
    private static func plainNumber(_ text: some StringProtocol) -> Int32? {
        text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ? Int32(text) : nil
    }

    private static func realTime(_ name: String) -> Int32? {
        let low = clinux_sigrtmin()
        let high = clinux_sigrtmax()
        if name == "RTMIN" { return low }
        if name == "RTMAX" { return high }
        if name.begins(with: "RTMIN+"), let offset = plainNumber(name.dropFirst(6)), (0...(high - low)).contains(offset)
        {
            return low + offset
        }
        if name.begins(with: "RTMAX-"), let offset = plainNumber(name.dropFirst(6)), (0...(high - low)).contains(offset)
        {
            return high - offset
        }
        return nil
    }

    /// The exit status that a shell has for a process that the signal ended.
    package var shellStatus: Int32 { 128 + rawValue }

    /// Whether the default action is to end the process; signal(7).
    package var endsProcess: Bool {
        ![SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH].contains(rawValue)
    }

    /// The name with `SIG`, or the number where the signal has none.
    public var description: String {
        Self.names.first { $0.number == rawValue }.map { "SIG\($0.name)" } ?? "signal \(rawValue)"
    }
}
