internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// `start`: opens the gate, waits until the payload runs, and calls the poststart hooks.
struct ContainerStart: Sendable {
    let record: Record
    let store: Store

    /// - Returns: where the payload's notifications come in, if a service manager waits for them.
    func run(warn: (String) -> Void) throws(RuntimeError) -> NotifyProxy? {
        let folder = store.folder(record.id)
        let notify = notifications(folder, warn)
        let record = record
        let failure = try operation("start") { () throws(SystemError) in
            try StartGate.open(folder: folder, of: record.pid, serving: record.listenerService(.created))
        }
        if let failure { throw RuntimeError(failure) }
        StartTime.write(folder)
        guard record.hasLaterHooks else { return notify }
        let hooks = try LaterHooks(record, store: store)
        do throws(StepFailure) {
            try hooks.runPoststart()
        } catch {
            // Specification since 1.2: the container is stopped.
            try? ContainerKill(record: record, status: .running).run(.kill, all: false)  // it may be gone already
            throw RuntimeError(error)
        }
        return notify
    }

    /// The container must have been created with a place for the socket; the manager is that of this call.
    private func notifications(_ state: String, _ warn: (String) -> Void) -> NotifyProxy? {
        guard let plan = NotifyPlan(state: state, warn: warn), Files.exists(plan.folder) else { return nil }
        do throws(SystemError) {
            return try NotifyProxy.open(plan, pid: record.pid)
        } catch {
            warn("notifications of the payload are not passed on: \(error)")
            return nil
        }
    }
}

/// Hooks that are called when the bundle may have changed: they come from the copy of its configuration.
struct LaterHooks: Sendable {
    private let hooks: Hooks?
    private let record: Record

    init(_ record: Record, store: Store) throws(RuntimeError) {
        self.record = record
        hooks = try StoredConfiguration(record, store: store).spec.hooks
    }

    func runPoststart() throws(StepFailure) {
        try HookRunner(.poststart, hooks, directory: record.bundle, output: record.hookOutput)
            .runAll(record.state(.running))
    }

    func runPoststop(warn: (String) -> Void) {
        HookRunner(.poststop, hooks, directory: nil, output: record.hookOutput)
            .runEach(record.state(.stopped), warn: warn)
    }
}
