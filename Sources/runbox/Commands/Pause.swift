internal import ContainerRuntime
internal import Errors

extension Command {
    static let pause = Command(
        name: "pause", arguments: "CONTAINER", count: 1...1, summary: "stop all processes of a container for a while",
        details: """
            Returns when all of them stand still. `runbox resume CONTAINER` lets them run on; SIGKILL ends
            them all the same, other signals wait until then.
            """,
        flags: []
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        try attempt { () throws(RuntimeError) in try container.pause() }
        return 0
    }
}
