internal import CgroupPlanning
internal import Cgroups
public import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
public import Planning

extension Container {
    /// Makes a container whose payload waits for ``start(caller:warn:)``. Specification: runtime.md, "Create".
    ///
    /// The container's first process is a child of the caller, who calls ``wait(timeout:)`` for its exit code.
    ///
    /// - Parameters:
    ///   - bundle: what the container is made of. Nothing of the host is touched when its configuration has a mistake.
    ///   - options: what goes beyond the bundle.
    ///   - caller: what this process hands on.
    ///   - warn: takes sentences about what is odd but no error.
    /// - Throws: ``RuntimeError/configuration(_:)`` with all mistakes; ``RuntimeError/exists(_:)``;
    ///   ``RuntimeError/step(_:errno:message:exitStatus:)`` when a step of making it fails, after which nothing of it
    ///   is left; ``RuntimeError/failed(reason:)`` in a process with several threads.
    public func create(
        _ bundle: ContainerBundle, options: LaunchOptions = LaunchOptions(), caller: Caller = .current,
        warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        let caller = try checked(caller, warn)
        let plan = try measured(.plan) { () throws(RuntimeError) in
            try LaunchPlan.make(bundle, id: id, options: options, caller: caller, mode: .create, warn: warn)
        }
        // Dropping the container closes the link, which the init does not wait at: its gate is in the state folder.
        _ = try make(plan, bundle, warn)
    }

    /// `runbox run`: makes a container, starts it and, unless detached, stays with it until it ends and deletes it.
    ///
    /// For a process that does nothing else: in the foreground it blocks all signals of the caller for good, passes on
    /// to the payload those that arrive, takes the caller's terminal where the configuration wants one, and adopts and
    /// reaps the container's orphans. A program with a life of its own calls ``create(_:options:caller:warn:)``,
    /// ``start(caller:warn:)``, ``wait(timeout:)`` and ``delete(force:warn:)``.
    ///
    /// - Parameter started: called when the payload runs, unless detached, and before this process confines itself.
    /// - Returns: the payload's exit code, or 128 + the number of the signal that ended it; 0 when detached.
    /// - Throws: as ``create(_:options:caller:warn:)`` and ``start(caller:warn:)``; the container is gone then.
    package func run(
        _ bundle: ContainerBundle, options: LaunchOptions = LaunchOptions(), caller: Caller = .current,
        started: () -> Void = {}, warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) -> Int32 {
        let caller = try checked(caller, warn)
        var plan = try measured(.plan) { () throws(RuntimeError) in
            try LaunchPlan.make(bundle, id: id, options: options, caller: caller, mode: .run, warn: warn)
        }
        if options.detach { return try runDetached(plan, bundle, warn) }
        // Signals from here on are for the payload: none may end the runtime before it has cleaned up.
        let signals = try operation("prepare for signals") { () throws(SystemError) in
            if options.adoptsOrphans { try Processes.becomeSubreaper() }
            try Signals.blockAll()
            return try Signals.descriptor()
        }
        plan.caller.interrupts = signals.number
        var created = try make(plan, bundle, warn)
        switch created.terminal {
        case .some(let controller): TerminalRelay.prepare(controller)
        case .none: break
        }
        let notify = NotifyProxy.listen(plan.caller.notify, pid: nil, warn: warn)
        try start(created, plan, warn)
        started()
        let terminal = created.terminal.take()
        let reason = try stay(with: created.intoRunning(), terminal, signals, notify, plan, warn)
        return reason.shellStatus
    }

    private func runDetached(
        _ plan: LaunchPlan, _ bundle: ContainerBundle, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        let created = try make(plan, bundle, warn)
        var notify = NotifyProxy.listen(plan.caller.notify, pid: created.record.pid, warn: warn)
        try start(created, plan, warn)
        // Taken by value: what waits here is no part of the container, which runs.
        try operation("wait until the payload is ready") { () throws(SystemError) in
            try notify?.waitUntilReady(created.initProcess.pidfd, warn: warn)
        }
        return 0
    }
}

/// A container whose payload runs, in the hands of the process that stays with it.
struct RunningContainer: ~Copyable {
    let record: Record
    let initProcess: ChildProcess
    /// Its state folder, not locked.
    let folder: Descriptor
}

extension CreatedContainer {
    fileprivate consuming func intoRunning() -> RunningContainer {
        RunningContainer(record: record, initProcess: initProcess, folder: folder)
    }
}

extension Container {
    func checked(_ caller: Caller, _ warn: (String) -> Void) throws(RuntimeError) -> Caller {
        var caller = try caller.settled()
        caller.notify = NotifyPlan(caller.notifySocket, state: store.folder(id.description), warn: warn)
        return caller
    }

    func make(
        _ plan: LaunchPlan, _ bundle: ContainerBundle, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> CreatedContainer {
        if plan.options.replace { try delete(force: true, warn: warn) }
        do throws(RuntimeError) {
            return try reserve(plan, bundle, warn).run()
        } catch {
            throw placed(error, in: bundle)
        }
    }

    func reserve(
        _ plan: LaunchPlan, _ bundle: ContainerBundle, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> Creation {
        try Creation(
            reserving: plan, in: store, configuration: bundle.bytes,
            seccompText: bundle.document.text(atPath: "linux.seccomp").map(Array.init) ?? [], warn: warn)
    }

    /// A failure to make the container, with what has its name already.
    func placed(_ error: RuntimeError, in bundle: ContainerBundle) -> RuntimeError {
        guard case .exists(let name, _) = error else { return error.placed(in: bundle) }
        return .exists(name, holder: holder)
    }

    /// What has the name already; empty where that is unknown.
    private var holder: String {
        guard let state = try? state() else { return "" }
        let delete = state.status.allowsDelete ? "delete" : "delete --force"
        let process = state.pid == 0 ? "" : " (pid \(state.pid))"
        return
            "\(state.status.rawValue)\(process); runbox \(delete) \(id) removes it, and --replace does so before it makes the new one"
    }

    /// Lets the payload of `run` begin. When that fails, nothing of the container is left.
    func start(
        _ created: borrowing CreatedContainer, _ plan: LaunchPlan, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) {
        let record = created.record
        let signals = plan.caller.interrupts
        do throws(RuntimeError) {
            let start = ContainerStart(
                record: record, folder: store.folder(record.id), hooks: StoredHooks(plan.hooks, of: record),
                signals: signals)
            try start.run { () throws(RuntimeError) in
                do throws(StepFailure) {
                    try created.link.startProgram(
                        of: created.initProcess, silencedCall: created.silencedCall,
                        serving: record.listenerService(.created, signals: signals))
                } catch {
                    throw RuntimeError(error)
                }
            }
        } catch {
            try? Processes.kill(created.initProcess)  // it may have ended by itself
            _ = try? Processes.wait(created.initProcess)
            _ = end(record, created.folder, plan, warn)
            throw error
        }
    }

    /// Stays with a running container until its init ends, and deletes it unless it is to be kept.
    func stay(
        with running: consuming RunningContainer, _ terminal: consuming Descriptor?, _ signals: consuming Descriptor,
        _ notify: consuming NotifyProxy?, _ plan: LaunchPlan, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> ExitReason {
        let record = running.record
        let folder = running.folder
        let pid = running.initProcess.pid
        let foreground = Foreground(
            running.initProcess, doing: "supervise the container", terminal: terminal, signals: signals,
            notify: notify, warn: warn)
        if plan.options.confinesCaller {
            SupervisorConfinement.ofRun(
                changesHost: plan.hooks?.poststop?.isEmpty == false
                    || !plan.namespaces.has(.mount) && !plan.rootfs.mounts.isEmpty)
        }
        let reason: ExitReason
        do throws(RuntimeError) {
            reason = try foreground.stay()
        } catch {
            _ = end(record, folder, plan, warn)
            throw error
        }
        if let words = ExitDiagnosis.sentence(reason, pid: pid, seccomp: plan.seccomp != nil, cgroup: record.cgroup) {
            warn(words)
        }
        if plan.options.keep || !end(record, folder, plan, warn) {
            _ = ExitRecorder(record: record, store: store, command: "run").note(reason)
        }
        return reason
    }

    /// Takes down a container whose init has ended. What the payload has ended with is not lost over what goes wrong
    /// here.
    /// - Parameter folder: its state folder. Somebody may have deleted the container meanwhile, and another may have
    ///   its name.
    /// - Returns: whether the container is gone.
    func end(
        _ record: Record, _ folder: borrowing Descriptor, _ plan: LaunchPlan, _ warn: @escaping (String) -> Void
    ) -> Bool {
        do throws(RuntimeError) {
            try store.lock(record.id, folder)
        } catch {
            if case .missing = error { return true }
            warn("the container is not removed: \(error); runbox delete \(record.id) does that")
            return false
        }
        do throws(ContainerEnd.Obstacle) {
            try ContainerEnd(
                record: record, store: store, hooks: StoredHooks(plan.hooks, of: record), warn: warn
            ).run(folder)
            return true
        } catch {
            warn(error.warning(record.id))
            try? Files.unlock(folder)  // closing does the same a little later
            return false
        }
    }
}
