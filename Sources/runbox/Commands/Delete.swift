internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import Services

extension Command {
    static let delete = Command(
        name: "delete", arguments: "CONTAINER", count: 1...1,
        summary: "remove a stopped container's cgroup and state",
        details: """
            A container that was created but never started is ended first. With --force a running one is
            killed, and one that does not exist is no error.

            A service is removed as well: one that runs is ended first with --force, at once and with its
            supervisor, and refused without.

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
            try attempt { () throws(RuntimeError) in try delete(container, invocation, isForced) }
            return 0
        }
        return try deleteMatching(invocation, isForced)
    }

    /// A service goes before its container, or it would make another one.
    private static func delete(
        _ container: Container, _ invocation: Invocation, _ isForced: Bool
    ) throws(RuntimeError) {
        let folder = ServiceFolder(root: invocation.global.root, name: container.id.description)
        let isService = folder.exists
        if isService { try Service.delete(folder, force: isForced, warn: invocation.log.warn) }
        do throws(RuntimeError) {
            try container.delete(force: isForced, warn: invocation.log.warn)
        } catch {
            if isService, case .missing = error { return }
            throw error
        }
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
        let containers = try attempt { () throws(RuntimeError) in try store.all() }
        let services = ServiceFolder.names(in: invocation.global.root).filter { !containers.contains($0) }
        let names = (containers + services).sorted()
        var exitStatus: Int32 = 0
        for name in names where expression.matches(name) {
            do throws(RuntimeError) {
                try delete(Container(try ContainerID(name), store: store), invocation, isForced)
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
