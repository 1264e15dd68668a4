internal import Kernel
internal import OCISpec

/// `start`: opens the gate, waits until the payload runs, and calls the poststart hooks.
struct StartSequence: Sendable {
    let record: Record
    let store: Store

    func run() throws(RuntimeError) {
        let folder = store.folder(record.id)
        let record = record
        let failure = try operation("start") { () throws(SystemError) in
            try StartGate.open(folder: folder, of: record.pid, serving: record.listenerService(.created))
        }
        if let failure { throw RuntimeError(failure) }
        StartNote.write(folder)
        guard record.hasLaterHooks else { return }
        let hooks = try LaterHooks(record, store: store)
        do throws(StageFailure) {
            try hooks.runPoststart()
        } catch {
            // Specification since 1.2: the container is stopped.
            try? KillSequence(record: record, status: .running).run(.kill, all: false)  // it may be gone already
            throw RuntimeError(error)
        }
    }
}

/// Hooks that are called when the bundle may have changed: they come from the copy of its configuration.
struct LaterHooks: Sendable {
    private let hooks: Hooks?
    private let record: Record

    init(_ record: Record, store: Store) throws(RuntimeError) {
        self.record = record
        hooks = try KeptConfiguration(record, store: store).spec.hooks
    }

    func runPoststart() throws(StageFailure) {
        try HookRunner(.poststart, hooks, directory: record.bundle).runAll(record.state(.running))
    }

    func runPoststop(warn: (String) -> Void) {
        HookRunner(.poststop, hooks, directory: nil).runEach(record.state(.stopped), warn: warn)
    }
}
