internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import Services

extension Command {
    static let restart = Command(
        name: "restart", arguments: "SERVICE", count: 1...1, summary: "end a service and start it anew",
        details: """
            Its supervisor ends it as `runbox stop` does, and makes the next container at once; the bundle is
            read anew. This returns when the program runs, or with the reason why it does not. A service that
            waits for its next start, or sleeps, is started.
            """,
        flags: [Flag("timeout", short: "t", value: "TIME", "how long to wait at most")]
    ) { invocation throws(Failure) in
        let timeout = try understand(invocation.command) { () throws(UsageError) in
            try invocation.parsed.duration("timeout")
        }
        try ask(invocation, .restart, timeout?.milliseconds)
        return 0
    }

    static let reload = Command(
        name: "reload", arguments: "SERVICE", count: 1...1, summary: "let a service read its configuration anew",
        details: """
            Its supervisor sends the program the signal of its settings: HUP, or that of --reload-signal or
            the annotation org.runbox.service.reload-signal. The container stays the same.
            """,
        flags: []
    ) { invocation throws(Failure) in
        try ask(invocation, .reload, 10_000)
        return 0
    }

    private static func ask(_ invocation: Invocation, _ request: ControlRequest, _ timeout: Int64?) throws(Failure) {
        let container = try invocation.container()
        let folder = ServiceFolder(root: invocation.global.root, name: container.id.description)
        try attempt { () throws(RuntimeError) in try ControlClient.ask(folder, request, timeout: timeout) }
    }
}
