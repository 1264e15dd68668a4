internal import ContainerRuntime
internal import Errors

extension Command {
    static let delete = Command(
        name: "delete", arguments: "CONTAINER", count: 1...1,
        summary: "remove a stopped container's cgroup and state",
        details: """
            A container that was created but never started is ended first. With --force a running one is
            killed, and one that does not exist is no error.
            """,
        flags: [Flag("force", short: "f", "kill a running container")]
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        try attempt { () throws(RuntimeError) in
            try container.delete(force: invocation.parsed.isOn("force"), warn: invocation.log.warn)
        }
        return 0
    }
}
