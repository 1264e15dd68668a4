internal import ContainerRuntime
internal import Errors

extension Command {
    static let resume = Command(
        name: "resume", arguments: "CONTAINER", count: 1...1, summary: "let the processes of a paused container run on",
        details: """
            Undoes `runbox pause CONTAINER`.
            """,
        flags: []
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        try attempt { () throws(RuntimeError) in try container.resume() }
        return 0
    }
}
