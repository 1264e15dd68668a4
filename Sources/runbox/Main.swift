internal import CSeal
internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// The command line: `runbox [global options] command [options] [arguments]`.
@main
enum Main {
    static func main() {
        Output.prepare()
        // Set by seal.c, for the Swift runtime of this process alone.
        Processes.unsetEnvironment("SWIFT_BACKTRACE")
        var log = Log()
        // A reader of messages that has left must not end the runtime half-way.
        Signals.ignoreBrokenPipe()
        do throws(Failure) {
            Processes.exit(try run(givenWords(), &log))
        } catch {
            // The first is the one line that users and engines read; a failure without one is known to its cause.
            if let first = error.messages.first { log.write(.error, first) }
            for message in error.messages.dropFirst() { log.write(.debug, message) }
            Processes.exit(error.exitStatus)
        }
    }

    private static func givenWords() -> [String] {
        (0..<Int(cseal_count())).compactMap { index in cseal_words()[index].map { String(cString: $0) } }
    }

    private static func run(_ words: [String], _ log: inout Log) throws(Failure) -> Int32 {
        do throws(SystemError) {
            try StandardStreams.ensureOpen()
        } catch {
            throw Failure("open the standard streams: \(error)")
        }
        let global = try understand(nil) { () throws(UsageError) in
            try ParsedArguments(words.dropFirst(), flags: GlobalOptions.flags, stopsAtArgument: true)
        }
        log = try openedLog(global)
        if global.isOn("version") { return try version(calledAs: words.first ?? "") }
        guard !global.isOn("help"), let name = global.rest.first, name != "help" else {
            return try help(global.rest.dropFirst().first)
        }
        guard let command = Command.named(name) else { throw Failure(unknown(name), nil) }
        return try run(command, global, log, words)
    }

    private static func openedLog(_ global: ParsedArguments) throws(Failure) -> Log {
        let log = try understand(nil) { () throws(UsageError) in try Log(global) }
        // A log that cannot be written would be missed only when it is needed.
        do throws(SystemError) {
            try log.check()
        } catch {
            throw Failure("the log cannot be opened: \(error); --log names it")
        }
        return log
    }

    private static func run(
        _ command: Command, _ global: ParsedArguments, _ log: Log, _ words: [String]
    ) throws(Failure) -> Int32 {
        let parsed = try understand(command) { () throws(UsageError) in
            try ParsedArguments(
                global.rest.dropFirst(), flags: command.allFlags, stopsAtArgument: command.takesProgram)
        }
        if parsed.isOn("help") {
            try Output.write(Help.text(command))
            return 0
        }
        guard command.count.contains(parsed.arguments.count) else {
            throw Failure(countError(command, parsed.arguments.count), command)
        }
        let options = try understand(nil) { () throws(UsageError) in try GlobalOptions(global) }
        if command.touchesContainers {
            try attempt { () throws(RuntimeError) in try SealedExecutable.ensure(arguments: words) }
        }
        let steps = StepTimes(log)
        defer { steps.write() }
        return try command.run(
            Invocation(
                command: command, commands: Command.all, parsed: parsed, global: options, log: log, steps: steps))
    }

    private static func unknown(_ name: String) -> UsageError {
        let near = Spelling.nearest(to: name, in: Command.all.visible.map { $0.name })
        return UsageError(
            reason: "unknown command \"\(name)\"",
            advice: ForeignWords.command(name) ?? near.map { "did you mean \($0)?" })
    }

    private static func countError(_ command: Command, _ given: Int) -> UsageError {
        let count = command.count
        let words =
            switch count.upperBound {
            case count.lowerBound: "exactly \(count.lowerBound)"
            case .max: "a minimum of \(count.lowerBound)"
            default: "\(count.lowerBound) to \(count.upperBound)"
            }
        return UsageError(
            reason: "\"\(command.name)\" requires \(words) argument(s): runbox \(command.name) \(command.arguments)",
            advice: ForeignWords.count(command.name, isTooFew: given < command.count.lowerBound))
    }

    private static func help(_ name: String?) throws(Failure) -> Int32 {
        guard let name else {
            try Output.write(Help.overview(Command.all))
            return 0
        }
        guard let command = Command.named(name) else { throw Failure(unknown(name), nil) }
        try Output.write(Help.text(command))
        return 0
    }

    /// Engines read the first line; no other may hold the word "version".
    /// A link named runc answers as runc, for engines that recognise no other name.
    private static func version(calledAs path: String) throws(Failure) -> Int32 {
        let name = path.parts(by: "/").last == "runc" ? "runc" : "runbox"
        var text = "\(name) version \(Release.version)\n"
        text += "commit: \(Build.commit)\n"
        text += "spec: \(OCIVersion.implemented)\n"
        text += "libseccomp: \(SeccompLibrary.version)\n"
        try Output.write(text)
        return 0
    }
}
