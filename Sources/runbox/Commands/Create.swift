internal import ContainerRuntime
internal import Errors

extension Command {
    static let create = Command(
        name: "create", arguments: "BUNDLE/ | NAME", count: 1...1,
        summary: "make a container whose program waits for start",
        details: """
            Everything is set up when this returns: namespaces, mounts, limits, hooks. The program itself
            runs when `runbox start NAME` is called. This is what engines call. A standard input that is a
            terminal stays the caller's, as with `run --detach`.
            """,
        // go-runc may pass --detach here, where it says nothing new.
        flags: LaunchFlags.shared + [LaunchFlags.detach],
        touchesContainers: true
    ) { invocation throws(Failure) in
        let options = try invocation.launchOptions()
        let caller = try understand(invocation.command) { () throws(UsageError) in
            try LaunchFlags.caller(invocation.parsed)
        }
        let target = try LaunchFlags.target(invocation)
        try LaunchFlags.leaveKeyboard()
        let container = Container(target.id, store: Store(root: invocation.global.root))
        try attempt { () throws(RuntimeError) in
            try container.create(target.bundle, options: options, caller: caller, warn: invocation.log.warn)
        }
        return 0
    }
}
