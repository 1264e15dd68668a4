internal import ContainerRuntime
internal import Errors
internal import KernelTypes

extension Command {
    static let stop = Command(
        name: "stop", arguments: "CONTAINER", count: 1...1,
        summary: "ask a container to end, and kill it when it does not",
        details: """
            Sends the stop signal to the container's first process, waits for its end, and kills it when the
            time is over. The signal is that of --signal, else of the annotation
            org.opencontainers.image.stopSignal, else SIGTERM. A paused container runs on to take it; one
            that was never started is killed; one that has ended is no error. `runbox delete CONTAINER`
            then removes its state; `run` in the foreground does so by itself.

            A time is a number of seconds, or numbers with units: 90, 1.5s, 500ms, 2m, 1h30m.
            """,
        flags: [
            Flag("timeout", short: "t", value: "TIME", "how long it may take before it is killed (default: 10s)"),
            Flag("signal", short: "s", value: "SIGNAL", "another signal than the container's own"),
        ]
    ) { invocation throws(Failure) in
        let parsed = invocation.parsed
        let container = try invocation.container()
        let timeout = try understand(invocation.command) { () throws(UsageError) in try parsed.duration("timeout") }
        let signal = try understand(invocation.command) { () throws(UsageError) -> Signal? in
            guard let text = parsed.value("signal") else { return nil }
            guard let signal = Signal(text), signal != .null else {
                throw UsageError(reason: "invalid value \"\(text)\" for flag --signal: a signal is needed, such as INT")
            }
            return signal
        }
        try attempt { () throws(RuntimeError) in
            try container.stop(signal, timeout: timeout ?? .seconds(10), warn: invocation.log.warn)
        }
        return 0
    }
}
