internal import ContainerRuntime
internal import Errors

extension Command {
    static let run = Command(
        name: "run", arguments: "BUNDLE/ | NAME", count: 1...1,
        summary: "make a container, start it and wait for it",
        details: """
            `runbox run bundle/` runs the bundle in that folder under the folder's name; where a container
            has that already, it says so, and --replace deletes that one first. `runbox run --bundle DIR
            NAME` is the form engines use.

            In the foreground, signals are passed on to the payload, and the exit status is the payload's,
            or 128 + the signal's number. The container is deleted when it ends, unless --keep is given.
            A failure of runbox itself exits with 1; with 127 or 126 when the program is missing or not
            executable.

            With --detach a standard input that is a terminal stays the caller's, and the program reads
            /dev/null; pipes and files are passed on.
            """,
        flags: LaunchFlags.shared + [
            LaunchFlags.detach, Flag("keep", "keep the container's state when it has ended; delete removes it"),
        ],
        touchesContainers: true
    ) { invocation throws(Failure) in
        let options = try invocation.launchOptions()
        let caller = try understand(invocation.command) { () throws(UsageError) in
            try LaunchFlags.caller(invocation.parsed)
        }
        let target = try LaunchFlags.target(invocation)
        if options.detach { try LaunchFlags.leaveKeyboard() }
        let container = Container(target.id, store: Store(root: invocation.global.root))
        return try attempt { () throws(RuntimeError) in
            try container.run(
                target.bundle, options: options, caller: caller, started: invocation.steps.write,
                warn: invocation.log.warn)
        }
    }
}
