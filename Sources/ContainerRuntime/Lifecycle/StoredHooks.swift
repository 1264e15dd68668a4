internal import Errors
internal import Kernel
internal import OCISpec
internal import Planning

/// The hooks for the time after `create`. There are no other places than these where poststart and poststop hooks are
/// called.
struct StoredHooks: Sendable {
    private let hooks: Hooks?
    private let record: Record

    init(_ hooks: Hooks?, of record: Record) {
        self.hooks = hooks
        self.record = record
    }

    /// Reads them from the copy of the configuration, because the bundle may have changed.
    /// - Returns: nil where there are none.
    static func read(_ record: Record, store: Store) throws(RuntimeError) -> StoredHooks? {
        guard record.hasLaterHooks else { return nil }
        return StoredHooks(try StoredConfiguration(record, store: store).spec.hooks, of: record)
    }

    /// - Parameter signals: where signals for the runtime can be read, which end a hook.
    func runPoststart(signals: Int32? = nil) throws(StepFailure) {
        try HookRunner(
            .poststart, hooks, directory: record.bundle, output: record.hookOutput,
            interruption: Interruption(signals: signals)
        ).runAll(record.state(.running))
    }

    /// They begin in the bundle, or where this process is when that is gone.
    func runPoststop(warn: (String) -> Void) {
        guard hooks?.poststop?.isEmpty == false else { return }
        let directory = Files.exists(record.bundle) ? record.bundle : nil
        HookRunner(.poststop, hooks, directory: directory, output: record.hookOutput)
            .runEach(record.state(.stopped), warn: warn)
    }
}

extension Record {
    /// Where the container's hooks write to.
    var hookOutput: HookOutput { HookOutput(annotations, bundle: bundle) }
}
