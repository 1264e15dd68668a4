internal import ContainerRuntime
internal import Errors
internal import JSON

extension Command {
    static let ps = Command(
        name: "ps", arguments: "CONTAINER [PS-OPTION...]", count: 1...Int.max,
        summary: "list a container's processes",
        details: """
            A table as the host's `ps` prints it, with the container's processes alone. What follows the
            container's name is for `ps` (default: -ef); it must print a column PID. With --format json, an
            array of the numbers that the processes have on the host, for which no `ps` is needed.
            """,
        flags: [Flag("format", short: "f", value: "FORMAT", choices: "table json", "table (default) or json")],
        takesProgram: true
    ) { invocation throws(Failure) in
        let format = invocation.parsed.value("format") ?? "table"
        guard format == "table" || format == "json" else {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": table or json"), invocation.command)
        }
        let container = try invocation.container()
        if format == "json" {
            let processes = try attempt { () throws(RuntimeError) in try container.processes() }
            var writer = Writer()
            writer.array { array in
                for pid in processes { array.integer(pid) }
            }
            try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
            return 0
        }
        let words = Array(invocation.parsed.arguments.dropFirst())
        let table = try attempt { () throws(RuntimeError) in
            try container.processTable(words.isEmpty ? ["-ef"] : words)
        }
        try Output.write(table)
        return 0
    }
}
