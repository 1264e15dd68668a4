internal import ContainerRuntime
internal import Errors
internal import KernelTypes

extension Command {
    static let wait = Command(
        name: "wait", arguments: "CONTAINER", count: 1...1, summary: "wait for a container to end",
        details: """
            The exit status is that of the container's program, or 128 + the number of the signal that ended
            it. A container that has stopped already is answered for at once. With --timeout, the exit
            status is 124 when the container has not ended by then.

            A time is a number of seconds, or numbers with units: 90, 1.5s, 500ms, 2m, 1h30m.
            """,
        flags: [Flag("timeout", short: "t", value: "TIME", "how long to wait at most")]
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let timeout = try understand(invocation.command) { () throws(UsageError) in
            try invocation.parsed.duration("timeout")
        }
        return try attempt { () throws(RuntimeError) in try container.wait(timeout: timeout) }
    }
}

extension ParsedArguments {
    /// A flag's value as a time.
    func duration(_ name: String) throws(UsageError) -> Duration? {
        guard let text = value(name) else { return nil }
        // What the clock cannot count to is no limit; what cannot even be said in milliseconds is a typing error.
        guard let time = DurationText.duration(text, atMost: .milliseconds(Int64.max), bareFraction: true) else {
            throw UsageError(reason: "invalid value \"\(text)\" for flag --\(name): a time such as 10s, 500ms or 1m30s")
        }
        return time
    }
}
