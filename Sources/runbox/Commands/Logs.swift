internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning
internal import Services

extension Command {
    static let logs = Command(
        name: "logs", arguments: "[CONTAINER]", count: 0...1, summary: "show what a service has written",
        details: """
            What the service has written to its standard output comes on standard output, what it has written
            to its standard error on standard error, also after it has ended. Full log files beside the log
            (NAME.log.1, NAME.log.2.gz and so on) are read as well. Of a service that logs to the journal,
            journalctl shows it.

            A time is RFC 3339 (2026-01-02T03:04:05Z; without a zone it is UTC), seconds since 1970, or how long
            ago (10m, 1h30m). With --follow, the command ends with the service.
            """,
        flags: [
            Flag("follow", short: "f", "go on with what comes"),
            Flag("tail", short: "n", value: "N", "only the last N lines; all (default) for all"),
            Flag("since", value: "TIME", "only what was written from then on"),
            Flag("until", value: "TIME", "only what was written until then"),
            Flag("timestamps", short: "t", "the time before each line"),
            Flag("stream", value: "NAME", choices: "stdout stderr", "only stdout or stderr"),
            Flag("file", value: "FILE", "the log file, where the service is not known any more"),
        ]
    ) { invocation throws(Failure) in
        let selection = try understand(invocation.command) { () throws(UsageError) in
            try LogSelection(invocation.parsed)
        }
        let place = try understand(invocation.command) { () throws(UsageError) in try LogPlace(invocation) }
        let showsTimes = invocation.parsed.isOn("timestamps")
        let isFollowing = invocation.parsed.isOn("follow")
        guard let path = try place.path() else {
            return try showJournal(place.name, selection, showsTimes, isFollowing && place.isSupervised)
        }
        var failure: Failure?
        do throws(SystemError) {
            var reader = try LogReader(path, selection, showsTimes: showsTimes) { text, stream in
                do throws(Failure) {
                    try Output.write(text, toNumber: stream == .stdout ? 1 : 2)
                } catch {
                    failure = error
                }
                return failure == nil
            }
            let isThere = try reader.show()
            guard isThere || isFollowing && place.isSupervised else { throw SystemError("open", path, .noEntry) }
            if isFollowing, failure == nil {
                var end = LogEnd(place.folder)
                try reader.follow(&end)
            }
        } catch {
            throw place.failure(error, path)
        }
        if let failure { throw failure }
        return 0
    }

    /// Becomes journalctl.
    private static func showJournal(
        _ name: String, _ selection: LogSelection, _ showsTimes: Bool, _ isFollowing: Bool
    ) throws(Failure) -> Int32 {
        var words = ["CONTAINER_NAME=\(name)"]
        if let stream = selection.stream { words.append("RUNBOX_STREAM=\(stream.name)") }
        words += ["--no-pager", "--quiet", "--output", showsTimes ? "short-iso-precise" : "cat"]
        if showsTimes { words.append("--utc") }
        if isFollowing { words.append("--follow") }
        if let tail = selection.tail {
            words.append("--lines=\(tail)")
        } else if isFollowing {
            words.append("--lines=all")
        }
        if let since = selection.since { words.append("--since=\(JournalTime.text(since))") }
        if let until = selection.until { words.append("--until=\(JournalTime.text(until))") }
        guard let program = HostProgram("journalctl") else {
            throw Failure(
                "the log of \(name) is in the journal, and journalctl is not installed here; it is shown by: journalctl \(words.joined(separator: " "))"
            )
        }
        let image = ExecImage(
            path: program.path, arguments: [program.path] + words, environment: Processes.environment())
        throw Failure("execute \(program.path): \(image.execute())")
    }
}

/// Where the log is that is asked for.
private struct LogPlace {
    let name: String
    /// nil where no service is known by the name.
    let folder: ServiceFolder?
    private let file: String?
    private let record: ServiceRecord?
    private let root: String

    init(_ invocation: Invocation) throws(UsageError) {
        file = invocation.parsed.value("file").map(Paths.absolute)
        root = invocation.global.root
        guard let given = invocation.parsed.arguments.first else {
            guard file != nil else { throw UsageError(reason: "a service is needed, or --file") }
            (name, folder, record) = ("", nil, nil)
            return
        }
        name = given
        let place = ServiceFolder(root: root, name: given)
        // A name with a slash is no service's, and would lead elsewhere.
        let isName = (try? ContainerID(given)) != nil
        record = isName ? place.view : nil
        folder = record == nil ? nil : place
    }

    var isSupervised: Bool { folder?.isSupervised ?? false }

    /// - Returns: nil for the journal.
    func path() throws(Failure) -> String? {
        if let file { return file }
        switch record?.log {
        case .journal?: return nil
        case .inherit?:
            throw Failure(
                "service \(name) keeps no log: what it writes goes where its supervisor's output goes; run it with --log file or --log journal"
            )
        case .file?, nil: break
        }
        _ = try attempt { () throws(RuntimeError) in try ContainerID(name) }
        return record?.logPath ?? LogDestination.usualPath(of: name)
    }

    func failure(_ error: SystemError, _ path: String) -> Failure {
        guard error.code == .noEntry else { return Failure("show the log \(path): \(error)") }
        guard file == nil, record == nil, let id = try? ContainerID(name) else {
            return Failure("there is no log at \(path); --file names another")
        }
        if (try? Container(id, store: Store(root: root)).state()) == nil { return Failure(.missing(name)) }
        return Failure(
            "container \(name) keeps no log: what it writes goes to where runbox was started; run it with --log file"
        )
    }
}

extension LogSelection {
    fileprivate init(_ parsed: ParsedArguments) throws(UsageError) {
        self.init()
        let now = Timestamp.nanoseconds
        since = try Self.time("since", parsed, now)
        until = try Self.time("until", parsed, now)
        if let text = parsed.value("stream") {
            guard let stream = LogStream(text) else {
                throw UsageError(reason: "invalid value \"\(text)\" for flag --stream: stdout or stderr")
            }
            self.stream = stream
        }
        if let text = parsed.value("tail"), text != "all" {
            guard let count = Int(text), count >= 0 else {
                throw UsageError(reason: "invalid value \"\(text)\" for flag --tail: a number of lines, or all")
            }
            tail = count
        }
    }

    private static func time(_ flag: String, _ parsed: ParsedArguments, _ now: Int64) throws(UsageError) -> Int64? {
        guard let text = parsed.value(flag) else { return nil }
        guard let moment = LogTime.moment(text, now: now) else {
            throw UsageError(
                reason:
                    "invalid value \"\(text)\" for flag --\(flag): a time such as 2026-01-02T03:04:05Z, 1767323045 or 10m"
            )
        }
        return moment
    }
}

/// Times as all versions of journalctl read them: `@1767323045.123456`.
private enum JournalTime {
    static func text(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let digits = String(nanoseconds % 1_000_000_000 / 1000)
        return "@\(seconds).\(String(repeating: "0", count: max(0, 6 - digits.utf8.count)))\(digits)"
    }
}
