internal import ContainerRuntime
internal import Errors
internal import KernelTypes

extension Command {
    static let kill = Command(
        name: "kill", arguments: "CONTAINER [SIGNAL]", count: 1...2, summary: "send a signal to a container's init",
        details: """
            SIGNAL is a number, or a name with or without SIG (default: SIGTERM); real-time signals are
            RTMIN+n and RTMAX-n.
            """,
        flags: [Flag("all", short: "a", "send it to every process of the container")]
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let text = invocation.parsed.arguments.count > 1 ? invocation.parsed.arguments[1] : "TERM"
        try attempt { () throws(RuntimeError) in
            guard let signal = Signal(text) else {
                // Of a container that is not there, that is the first thing to say.
                _ = try container.state()
                throw .failed(reason: "unknown signal \"\(text)\"")
            }
            try container.kill(signal, all: invocation.parsed.isOn("all"))
        }
        return 0
    }
}
