internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes

extension Command {
    static let kill = Command(
        name: "kill", arguments: "CONTAINER [SIGNAL]", count: 1...2, summary: "send a signal to a container's init",
        details: """
            SIGNAL is a number, or a name with or without SIG (default: SIGTERM); real-time signals are
            RTMIN+n and RTMAX-n.

            An interactive shell ignores SIGTERM, and the first process of a pid namespace gets only signals
            that it handles, but for SIGKILL: on a terminal, a warning says so. `runbox stop CONTAINER` waits
            for the end, and kills what is left then.
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
            // For people alone: an engine knows what it sends, and goes on with SIGKILL.
            let note = Terminals.isTerminal(2) ? container.indifference(to: signal) : nil
            try container.kill(signal, all: invocation.parsed.isOn("all"))
            if let note { invocation.log.warn(note) }
        }
        return 0
    }
}
