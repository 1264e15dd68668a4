internal import ContainerRuntime
internal import Errors
internal import Planning

/// A command as the user sees it, and what it does. Help, manual pages and completions are printed from this table.
struct Command: Sendable {
    let name: String
    /// What follows the flags, for the usage line.
    let arguments: String
    /// How many arguments it takes.
    let count: ClosedRange<Int>
    let summary: String
    /// Paragraphs of the help text.
    let details: String
    let flags: [Flag]
    /// Whether a container's process could get hold of this one's executable, which must then be sealed.
    var touchesContainers = false
    /// Whether the first argument ends the flags: what follows belongs to a program of the container's or the host's,
    /// which has flags of its own.
    var takesProgram = false
    /// Left out of the list of commands: it is for building packages.
    var isHidden = false
    let run: @Sendable (Invocation) throws(Failure) -> Int32

    /// With the one that all commands have.
    var allFlags: [Flag] { flags + [.helpFlag] }
}

extension [Command] {
    /// Those that the help lists.
    var visible: [Command] { filter { !$0.isHidden } }
}

/// One call of a command.
struct Invocation: Sendable {
    let command: Command
    /// All that there are, for those that print them.
    let commands: [Command]
    let parsed: ParsedArguments
    let global: GlobalOptions
    let log: Log
    let steps: StepTimes

    /// The flags of `run` and `create`.
    func launchOptions() throws(Failure) -> LaunchOptions {
        try understand(command) { () throws(UsageError) in try LaunchFlags.options(self) }
    }

    /// The container that the first argument names.
    func container() throws(Failure) -> Container {
        do throws(RuntimeError) {
            return Container(try ContainerID(parsed.arguments[0]), store: Store(root: global.root))
        } catch {
            throw Failure(error)
        }
    }
}

/// Why the command line ends: the line to print and the exit status.
struct Failure: Error {
    /// One for the user; more only for `--debug`.
    let messages: [String]
    let exitStatus: Int32

    init(messages: [String], exitStatus: Int32) {
        self.messages = messages
        self.exitStatus = exitStatus
    }

    init(_ message: String, exitStatus: Int32 = 1) {
        messages = [message]
        self.exitStatus = exitStatus
    }

    init(_ error: RuntimeError) {
        if case .configuration(let findings) = error {
            messages = [error.description] + findings.dropFirst().map { $0.description }
        } else {
            messages = [error.description]
        }
        exitStatus = error.exitStatus
    }

    init(_ error: UsageError, _ command: Command?) {
        let help = command.map { "runbox help \($0.name)" } ?? "runbox --help"
        let foreign = error.unknownFlag.flatMap { flag in command.flatMap { ForeignWords.flag(flag, of: $0.name) } }
        let advice = (foreign ?? error.advice).map { "; \($0)" } ?? ""
        self.init("Incorrect Usage: \(error.reason)\(advice); see \(help)")
    }
}

/// Turns a misunderstanding into the failure that names where to read on.
func understand<Result>(
    _ command: Command?, _ body: () throws(UsageError) -> Result
) throws(Failure) -> Result {
    do throws(UsageError) {
        return try body()
    } catch {
        throw Failure(error, command)
    }
}

/// Turns a runtime's failure into one of the command line.
func attempt<Result>(_ body: () throws(RuntimeError) -> Result) throws(Failure) -> Result {
    do throws(RuntimeError) {
        return try body()
    } catch {
        throw Failure(error)
    }
}
