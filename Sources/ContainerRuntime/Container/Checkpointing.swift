internal import CgroupPlanning
internal import Cgroups
package import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
package import Planning

extension Container {
    /// Saves the container's processes by CRIU. Unless they are to run on, they end with that, and the container is
    /// deleted.
    ///
    /// - Parameter warn: takes sentences about what could not be taken down afterwards.
    /// - Throws: ``RuntimeError/status(reason:)`` unless the container runs or is paused;
    ///   ``RuntimeError/failed(reason:errno:)`` with CRIU's reason, after which the container runs on.
    package func checkpoint(
        _ options: CheckpointOptions, warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        let folder = try store.lock(id.description)
        guard var record = try store.load(id.description, at: folder) else { throw .missing(id.description) }
        let status = try status(of: record)
        guard status == .running || status == .paused else {
            throw .status(reason: "Container cannot be checkpointed in \(status.rawValue) state")
        }
        try ContainerCheckpoint(
            record: record, store: store, options: options, wasPaused: status == .paused, warn: warn
        )
        .run()
        guard options.leavesRunning || options.isPreDump else {
            return try ContainerDelete(record: record, store: store, warn: warn).run(folder)
        }
        record.checkpointed = Timestamp.now()
        let marked = record
        try operation("write the state") { () throws(SystemError) in try store.write(marked) }
        extendLifetime(folder)
    }

    /// Makes the container of a checkpoint and, unless detached, stays with it as
    /// ``run(_:options:caller:started:warn:)`` does.
    ///
    /// - Returns: the payload's exit code, or 128 + the number of the signal that ended it; 0 when detached.
    /// - Throws: ``RuntimeError/failed(reason:errno:)`` with CRIU's reason; nothing of the container is left then.
    package func restore(
        _ bundle: ContainerBundle, options: LaunchOptions, restoring: RestoreOptions, caller: Caller = .current,
        started: () -> Void = {}, warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) -> Int32 {
        var options = options
        // Its keyring is not in a checkpoint, and nothing else is to be named like it.
        options.sessionKeyring = false
        if !options.pivotRoot {
            let reason =
                "--no-pivot has no effect on a restore: CRIU makes the mounts, and changes the root its own way"
            if options.strict { throw .failed(reason: "restore \(id): \(reason)") }
            warn(reason)
        }
        let caller = try checked(caller, warn)
        var plan = try LaunchPlan.make(bundle, id: id, options: options, caller: caller, mode: .run, warn: warn)
        if options.detach {
            let restored = try make(plan, bundle, restoring, warn)
            try begin(restored, plan, warn)
            return 0
        }
        let signals = try operation("prepare for signals") { () throws(SystemError) in
            if options.adoptsOrphans { try Processes.becomeSubreaper() }
            try Signals.blockAll()
            return try Signals.descriptor()
        }
        plan.caller.interrupts = signals.number
        var restored = try make(plan, bundle, restoring, warn)
        switch restored.terminal {
        case .some(let controller): TerminalRelay.prepare(controller)
        case .none: break
        }
        try begin(restored, plan, warn)
        started()
        let terminal = restored.terminal.take()
        return try stay(with: restored.intoRunning(), terminal, signals, nil, plan, warn).shellStatus
    }

    private func make(
        _ plan: LaunchPlan, _ bundle: ContainerBundle, _ restoring: RestoreOptions, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> RestoredContainer {
        do throws(RuntimeError) {
            return try reserve(plan, bundle, warn).restore(restoring)
        } catch {
            throw placed(error, in: bundle)
        }
    }

    /// The payload runs already: what is left is what a start notes, and calls.
    private func begin(
        _ restored: borrowing RestoredContainer, _ plan: LaunchPlan, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) {
        let record = restored.record
        do throws(RuntimeError) {
            try ContainerStart(
                record: record, folder: store.folder(record.id), hooks: StoredHooks(plan.hooks, of: record),
                signals: plan.caller.interrupts
            ).run { () throws(RuntimeError) in }
        } catch {
            try? Processes.kill(restored.initProcess)  // it may have ended by itself
            _ = try? Processes.wait(restored.initProcess)
            _ = end(record, restored.folder, plan, warn)
            throw error
        }
    }
}

extension RestoredContainer {
    fileprivate consuming func intoRunning() -> RunningContainer {
        RunningContainer(record: record, initProcess: initProcess, folder: folder)
    }
}
