internal import ContainerRuntime
internal import Errors

extension Command {
    static let start = Command(
        name: "start", arguments: "CONTAINER", count: 1...1, summary: "start the program of a created container",
        details: """
            Returns when the program runs; with NOTIFY_SOCKET in the environment of create and start, when the
            program has said that it is ready (sd_notify) or has ended. A program that cannot be executed is reported here, with exit
            status 127 or 126.
            """,
        flags: []
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        try attempt { () throws(RuntimeError) in try container.start(warn: invocation.log.warn) }
        return 0
    }
}
