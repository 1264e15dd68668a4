internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import Services

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

            A service is ended with its supervisor, and not started again. Its settings say the signal, and
            the time where --timeout does not.

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
        let folder = ServiceFolder(root: invocation.global.root, name: container.id.description)
        if folder.isSupervised {
            if signal != nil {
                throw Failure(
                    "\(container.id) is a service: its stop signal is that of its settings; leave --signal out")
            }
            try attempt { () throws(RuntimeError) in
                try ControlClient.ask(folder, .stop(timeout: timeout?.milliseconds))
            }
            return 0
        }
        // A service that has ended, of which no container is left.
        if folder.exists, !Store(root: invocation.global.root).contains(container.id) { return 0 }
        try attempt { () throws(RuntimeError) in
            try container.stop(signal, timeout: timeout ?? .seconds(10), warn: invocation.log.warn)
        }
        return 0
    }
}
