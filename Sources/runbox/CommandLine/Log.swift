internal import JSON
internal import Kernel
internal import KernelTypes

/// Where messages go. A failure is one line of level "error" in the log, and one on standard error (engines read both).
struct Log: Sendable {
    enum Level: Int, Sendable, Comparable {
        case error, warning, debug

        var name: String {
            switch self {
            case .error: "error"
            case .warning: "warning"
            case .debug: "debug"
            }
        }

        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    private enum Target: Sendable {
        case standardError
        case file(String)
        case journal(String)
        case syslog(String)
    }

    private let target: Target
    private let isJSON: Bool
    let level: Level

    init() {
        target = .standardError
        isJSON = false
        level = .warning
    }

    init(_ parsed: ParsedArguments) throws(UsageError) {
        target = Self.target(parsed.value("log"))
        switch parsed.value("log-format") {
        case nil, "text", "": isJSON = false
        case "json": isJSON = true
        case .some(let other): throw UsageError(reason: "unknown log-format \"\(other)\"; text and json are known")
        }
        switch parsed.value("log-level") {
        case nil: level = parsed.isOn("debug") ? .debug : .warning
        case "error": level = .error
        case "warning", "warn", "info": level = .warning
        case "debug": level = .debug
        case .some(let other):
            throw UsageError(reason: "unknown log-level \"\(other)\"; error, warning and debug are known")
        }
    }

    /// Whether there can be written to it.
    func check() throws(SystemError) {
        guard case .file(let path) = target else { return }
        _ = try Files.openForAppending(path, mode: 0o644)
    }

    private static func target(_ text: String?) -> Target {
        guard let text, !text.isEmpty else { return .standardError }
        for (prefix, make) in [
            ("file:", { Target.file(Paths.absolute($0)) }), ("journald:", { Target.journal($0) }),
            ("syslog:", { Target.syslog($0) }),
        ] as [(String, (String) -> Target)] where text.begins(with: prefix) {
            return make(String(text.dropFirst(prefix.count)))
        }
        return .file(Paths.absolute(text))
    }

    func warn(_ message: String) { write(.warning, message) }

    /// Writes a message where it belongs; errors to standard error too.
    func write(_ level: Level, _ message: String) {
        guard level <= self.level else { return }
        let message = message.withVisibleControls()
        var isWritten = true
        do throws(SystemError) {
            switch target {
            case .standardError: return Output.writeError(line(level, message))
            case .file(let path): try append(line(level, message), to: path)
            case .journal(let name): try sendToJournal(level, message, name)
            case .syslog(let name): try sendToSyslog(level, message, name)
            }
        } catch {
            // A process that stays beside a program has given up opening files.
            Output.writeError("the log cannot be written: \(error)\n")
            isWritten = false
        }
        if level == .error || !isWritten { Output.writeError("\(message)\n") }
    }

    private func line(_ level: Level, _ message: String) -> String {
        if isJSON {
            var writer = Writer()
            writer.object { object in
                object.member("level", level.name)
                object.member("msg", message)
                object.member("time", Timestamp.now())
            }
            return String(decoding: writer.finish(), as: UTF8.self) + "\n"
        }
        if case .standardError = target {
            if level == .error { return "\(message)\n" }
            return "\(Output.isColored(2) ? Output.colored(level.name, 33) : level.name): \(message)\n"
        }
        var quoted = Writer()
        quoted.string(message)
        return
            "time=\"\(Timestamp.now())\" level=\(level.name) msg=\(String(decoding: quoted.finish(), as: UTF8.self))\n"
    }

    private func append(_ line: String, to path: String) throws(SystemError) {
        let file = try Files.openForAppending(path, mode: 0o644)
        try Files.write(line, to: file, subject: path)
    }

    /// The priorities of syslog(3).
    private func priority(_ level: Level) -> Int {
        switch level {
        case .error: 3
        case .warning: 4
        case .debug: 7
        }
    }

    /// The journal's own protocol: one datagram of fields.
    private func sendToJournal(_ level: Level, _ message: String, _ name: String) throws(SystemError) {
        let fields = "MESSAGE=\(message)\nPRIORITY=\(priority(level))\nSYSLOG_IDENTIFIER=\(name)\n"
        try Files.write(fields, to: Sockets.connect("/run/systemd/journal/socket", .datagram))
    }

    /// RFC 3164, facility "user".
    private func sendToSyslog(_ level: Level, _ message: String, _ name: String) throws(SystemError) {
        try Files.write(
            "<\(8 + priority(level))>\(name)[\(Processes.currentID)]: \(message)",
            to: Sockets.connect("/dev/log", .datagram))
    }
}

extension String {
    /// Names and paths come from configurations and images: a message stays one line, and no terminal takes orders from
    /// it.
    func withVisibleControls() -> String {
        guard unicodeScalars.contains(where: { $0.isControl }) else { return self }
        return unicodeScalars.map { scalar in
            scalar.isControl ? scalar.escaped(asASCII: true) : String(scalar)
        }.joined()
    }
}

/// The standard streams.
enum Output {
    /// Whether this process was begun without a standard output. /dev/null stands in its place then, and takes
    /// everything.
    private static let isMissing = !InheritedDescriptors.isOpen(1)

    /// Takes note of what is open, before anything is opened in its place.
    static func prepare() { _ = isMissing }

    /// Writes all of a text to standard output: what every command prints. It fails where not all of it was taken. A
    /// reader that has left, such as `head`, knows that; as with programs that SIGPIPE ends, nothing is said.
    static func write(_ text: String) throws(Failure) { try write(Array(text.utf8)[...], toNumber: 1) }

    /// Writes what a program has written, to the standard stream that it was for; the same holds for a failure.
    static func write(_ bytes: ArraySlice<UInt8>, toNumber number: Int32) throws(Failure) {
        do throws(SystemError) {
            if number == 1, isMissing { throw SystemError("write", "", .badDescriptor) }
            try Files.write(bytes, toNumber: number)
        } catch {
            if error.code == .brokenPipe { throw Failure(messages: [], exitStatus: Signal.brokenPipe.shellStatus) }
            throw Failure("standard \(number == 1 ? "output" : "error") could not be written: \(error.code)")
        }
    }

    /// Whether what is written there may have colours: a terminal that has some, and a user who has not said no
    /// (https://no-color.org).
    static func isColored(_ number: Int32) -> Bool {
        Terminals.isTerminal(number) && (Processes.environment("NO_COLOR") ?? "").isEmpty
            && Processes.environment("TERM") != "dumb"
    }

    /// A word in one of the eight colours of ECMA-48.
    static func colored(_ word: String, _ color: Int) -> String { "\u{1b}[\(color)m\(word)\u{1b}[0m" }

    /// Writes a message to standard error. A failure of that cannot be reported.
    static func writeError(_ text: String) {
        try? Files.write(text, toNumber: 2)
    }
}
