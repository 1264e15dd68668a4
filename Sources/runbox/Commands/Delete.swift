internal import ContainerRuntime
internal import Errors
internal import KernelTypes

extension Command {
    static let delete = Command(
        name: "delete", arguments: "CONTAINER", count: 1...1,
        summary: "remove a stopped container's cgroup and state",
        details: """
            A container that was created but never started is ended first. With --force a running one is
            killed, and one that does not exist is no error.

            With --regex, CONTAINER is an extended regular expression, and every container with a name of
            which a part matches is deleted; ^ and $ stand for its ends: `runbox delete --regex '^web[0-9]+$'`.
            What cannot be deleted is said, the others go, and the exit status is 1. None is no error.
            """,
        flags: [
            Flag("force", short: "f", "kill a running container"),
            Flag("regex", short: "r", "CONTAINER is a regular expression: all whose names match"),
        ]
    ) { invocation throws(Failure) in
        let isForced = invocation.parsed.isOn("force")
        guard invocation.parsed.isOn("regex") else {
            let container = try invocation.container()
            try attempt { () throws(RuntimeError) in try container.delete(force: isForced, warn: invocation.log.warn) }
            return 0
        }
        return try deleteMatching(invocation, isForced)
    }

    private static func deleteMatching(_ invocation: Invocation, _ isForced: Bool) throws(Failure) -> Int32 {
        let expression: RegularExpression
        do throws(RegularExpression.Mistake) {
            expression = try RegularExpression(invocation.parsed.arguments[0])
        } catch {
            throw Failure(
                UsageError(
                    reason: "invalid regular expression \"\(invocation.parsed.arguments[0])\": \(error.reason)"),
                invocation.command)
        }
        let store = Store(root: invocation.global.root)
        let names = try attempt { () throws(RuntimeError) in try store.all() }
        var exitStatus: Int32 = 0
        for name in names where expression.matches(name) {
            do throws(RuntimeError) {
                try Container(try ContainerID(name), store: store).delete(force: isForced, warn: invocation.log.warn)
            } catch {
                // Somebody else was faster.
                if case .missing = error { continue }
                invocation.log.write(.error, "\(name): \(error)")
                exitStatus = 1
            }
        }
        return exitStatus
    }
}
