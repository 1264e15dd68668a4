internal import ContainerRuntime
internal import Kernel

/// The command line: `runbox [global options] command [options] [arguments]`.
@main
enum Main {
    static func main() {
        let words = CommandLine.arguments
        var log = Log()
        do throws(Failure) {
            Processes.exit(try run(words, &log))
        } catch {
            // The first is the one line that users and engines read.
            log.write(.error, error.messages.first ?? "")
            for message in error.messages.dropFirst() { log.write(.debug, message) }
            Processes.exit(error.exitStatus)
        }
    }

    private static func run(_ words: [String], _ log: inout Log) throws(Failure) -> Int32 {
        do throws(SystemError) {
            try StandardStreams.ensureOpen()
        } catch {
            throw Failure("open standard streams: \(error)")
        }
        do throws(UsageError) {
            let parsed = try ParsedArguments(words.dropFirst(), flags: GlobalOptions.flags, stopsAtArgument: true)
            log = try Log(parsed)
            if parsed.isOn("version") { return version() }
            guard !parsed.isOn("help"), let name = parsed.rest.first, name != "help" else {
                return try help(parsed.rest.dropFirst().first)
            }
            guard let command = Command.named(name) else {
                throw UsageError(reason: "unknown command \"\(name)\"")
            }
            return try run(command, parsed, log, words)
        } catch {
            throw Failure(error, nil)
        }
    }
}
