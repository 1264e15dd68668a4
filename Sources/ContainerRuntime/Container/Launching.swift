internal import CgroupPlanning
internal import Cgroups
public import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
public import Planning

extension Container {
    /// Makes a container whose payload waits for ``start(warn:)``. Specification: runtime.md, "Create".
    ///
    /// The container's first process is a child of the caller: whoever wants its exit code calls ``wait(timeout:)``.
    ///
    /// - Parameters:
    ///   - bundle: what the container is made of. Nothing of the host is touched when its configuration has a mistake.
    ///   - options: what goes beyond the bundle.
    ///   - warn: takes sentences about what is odd but no error.
    /// - Throws: ``RuntimeError/configuration(_:)`` with all mistakes; ``RuntimeError/exists(_:)``; ``RuntimeError/stage(message:exitStatus:)``
    ///   when a step of making it fails, after which nothing of it is left; ``RuntimeError/failed(reason:)`` in a process with
    ///   several threads.
    public func create(
        _ bundle: ContainerBundle, options: LaunchOptions = LaunchOptions(), warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        var caller = try Caller.current(preserved: options.preservedDescriptors)
        caller.notify = NotifyPlan(state: store.folder(id.description), warn: warn)
        let plan = try Launch.plan(bundle, id: id, options: options, caller: caller, mode: .create, warn: warn)
        // Dropping the container closes the link, which the init does not wait at: its gate is in the state folder.
        try replace(options, warn)
        _ = try make(plan, bundle, warn)
    }

    /// Makes a container, starts it and, unless detached, stays with it until it ends and deletes it.
    ///
    /// This is the whole of `runbox run`, made for a process that does nothing else: in the foreground it blocks all signals
    /// of the caller for good, passes on to the payload those that arrive, takes the caller's terminal where the configuration
    /// wants one, and adopts and reaps the container's orphans. A program with a life of its own calls
    /// ``create(_:options:warn:)``, ``start(warn:)``, ``wait(timeout:)`` and ``delete(force:warn:)``.
    ///
    /// - Returns: the payload's exit code, or 128 + the number of the signal that ended it; 0 when detached.
    /// - Throws: as ``create(_:options:warn:)`` and ``start(warn:)``; the container is gone then.
    public func run(
        _ bundle: ContainerBundle, options: LaunchOptions = LaunchOptions(), warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) -> Int32 {
        var caller = try Caller.current(preserved: options.preservedDescriptors)
        caller.notify = NotifyPlan(state: store.folder(id.description), warn: warn)
        var plan = try Launch.plan(bundle, id: id, options: options, caller: caller, mode: .run, warn: warn)
        try replace(options, warn)
        guard !options.detach else {
            let created = try make(plan, bundle, warn)
            var notify = Launch.notifications(plan, created.record, warn)
            try Launch.start(created, plan, store, warn)
            // Taken by value: what waits here is no part of the container, which runs.
            try operation("wait until the payload is ready") { () throws(SystemError) in
                try notify?.waitUntilReady(created.initProcess.pidfd, warn: warn)
            }
            return 0
        }
        // Signals from here on are for the payload: none may end the runtime before it has cleaned up.
        let signals = try operation("prepare for signals") { () throws(SystemError) in
            if !options.noSubreaper { try Processes.becomeSubreaper() }
            try Signals.blockAll()
            return try Signals.descriptor()
        }
        plan.caller.interrupts = signals.number
        let created = try make(plan, bundle, warn)
        switch created.terminal {
        // A terminal without a size is one all the same.
        case .some(let controller): try? TerminalRelay.copyWindowSize(to: controller)
        case .none: break
        }
        let notify = Launch.notifications(plan, created.record, warn)
        try Launch.start(created, plan, store, warn)
        return try Launch.accompany(created, signals, notify, plan, store, warn).shellStatus
    }
}

extension Container {
    private func replace(_ options: LaunchOptions, _ warn: @escaping (String) -> Void) throws(RuntimeError) {
        if options.replace { try delete(force: true, warn: warn) }
    }

    private func make(
        _ plan: LaunchPlan, _ bundle: ContainerBundle, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> CreatedContainer {
        do throws(RuntimeError) {
            return try Launch.sequence(plan, bundle, store, warn).run()
        } catch {
            guard case .exists(let name, _) = error else { throw error }
            throw .exists(name, holder: holder)
        }
    }

    /// What has the name already; empty where that cannot be told.
    private var holder: String {
        guard let state = try? state() else { return "" }
        let delete = state.status.allowsDelete ? "delete" : "delete --force"
        let process = state.pid == 0 ? "" : " (pid \(state.pid))"
        return
            "\(state.status.rawValue)\(process); runbox \(delete) \(id) removes it, and --replace does so before it makes the new one"
    }
}

/// The parts that `create` and `run` share.
enum Launch {
    /// Plans, or tells all that is wrong with the configuration in the order of the file.
    static func plan(
        _ bundle: ContainerBundle, id: ContainerID, options: LaunchOptions, caller: Caller, mode: LaunchMode,
        warn: (String) -> Void
    ) throws(RuntimeError) -> LaunchPlan {
        var keyring: String?
        if !options.noNewKeyring {
            keyring = try operation("name the session keyring") { () throws(SystemError) in
                try SessionKeyring.newName(for: id.description)
            }
        }
        var host: Host
        do throws(CgroupError) {
            host = try Host.current(
                cgroupsPath: bundle.spec.linux?.cgroupsPath, usesResctrl: bundle.spec.linux?.intelRdt != nil,
                usesSystemd: options.cgroupManager == .systemd)
        } catch {
            throw RuntimeError(error)
        }
        // Only for limits does it matter.
        if host.cgroups.ownService != nil, bundle.spec.linux?.resources != nil {
            host.cgroups.ownService?.askUsersManager()
        }
        host.mappings = .wanted(by: bundle.spec, user: host.effectiveUser, group: host.effectiveGroup)
        host.modules = .asked(by: bundle.spec.process, mountLabel: bundle.spec.linux?.mountLabel)
        var findings = Findings()
        let plan = LaunchPlan(
            bundle.spec, id: id.description, bundle: bundle.path, options: options, caller: caller, keyring: keyring, mode: mode,
            host: host,
            findings: &findings)
        if options.strict {
            if let seccomp = bundle.spec.linux?.seccomp { SeccompNames.check(seccomp, &findings) }
            let all = bundle.warnings + bundle.placed(findings.errors + findings.warnings)
            if !all.isEmpty { throw .configuration(all) }
        }
        for finding in bundle.warnings { warn(finding.description) }
        for finding in findings.warnings {
            warn(finding.at(bundle.document.location(ofPath: finding.field), in: bundle.file).description)
        }
        if !findings.errors.isEmpty { throw .configuration(bundle.placed(findings.errors)) }
        if let notice = plan.cgroup.notice { warn(notice) }
        return plan
    }

    static func sequence(
        _ plan: LaunchPlan, _ bundle: ContainerBundle, _ store: Store, _ warn: @escaping (String) -> Void
    ) -> Creation {
        Creation(
            plan: plan, store: store, configuration: bundle.bytes,
            seccompText: bundle.document.text(atPath: "linux.seccomp").map(Array.init) ?? [], warn: warn)
    }

    /// Begins to listen for notifications of the payload, if a service manager waits for them. It is not worth a container if that fails.
    static func notifications(_ plan: LaunchPlan, _ record: Record, _ warn: (String) -> Void) -> NotifyProxy? {
        guard let notify = plan.caller.notify else { return nil }
        do throws(SystemError) {
            return try NotifyProxy.open(notify, pid: record.pid)
        } catch {
            warn("notifications of the payload are not passed on: \(error)")
            return nil
        }
    }

    /// Opens the gate of `run` and waits until the payload runs; then the poststart hooks are called.
    static func start(
        _ created: borrowing CreatedContainer, _ plan: LaunchPlan, _ store: Store, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        do throws(StepFailure) {
            let record = created.record
            try created.link.startProgram(
                of: created.initProcess, silencedCall: created.silencedCall,
                serving: record.listenerService(.created, signals: plan.caller.interrupts))
            StartTime.write(store.folder(record.id))
            let hooks = HookRunner(
                .poststart, plan.hooks, directory: plan.bundle, output: record.hookOutput,
                interruption: Interruption(signals: plan.caller.interrupts))
            try hooks.runAll(record.state(.running))
        } catch {
            try? Processes.kill(created.initProcess)  // it may have ended by itself
            _ = try? Processes.wait(created.initProcess)
            _ = end(created.record, created.folder, plan, store, warn)
            throw RuntimeError(error)
        }
    }

    /// Stays with a running container until its init ends, and deletes it unless it is to be kept.
    static func accompany(
        _ created: consuming CreatedContainer, _ signals: consuming Descriptor,
        _ notify: consuming NotifyProxy?, _ plan: LaunchPlan, _ store: Store, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> ExitReason {
        let record = created.record
        let folder = created.folder.take()
        let pid = created.initProcess.pid
        let foreground = Foreground(
            created.initProcess, doing: "supervise the container", terminal: created.terminal.take(), signals: signals,
            notify: notify, warn: warn)
        if plan.options.confinesCaller {
            SupervisorConfinement.ofRun(hasHooks: plan.hooks?.poststop?.isEmpty == false)
        }
        let reason: ExitReason
        do throws(RuntimeError) {
            reason = try foreground.stay()
        } catch {
            _ = end(record, folder, plan, store, warn)
            throw error
        }
        if let words = ExitDiagnosis.sentence(reason, pid: pid, seccomp: plan.seccomp != nil, cgroup: record.cgroup) {
            warn(words)
        }
        if plan.options.keep || !end(record, folder, plan, store, warn) {
            _ = ExitRecorder(record: record, store: store, command: "run").note(reason)
        }
        return reason
    }

    /// Takes down a container whose init has ended. What the payload has ended with is not lost over what goes wrong here.
    /// - Parameter folder: its state folder. Somebody may have deleted the container meanwhile, and another may have its name.
    /// - Returns: whether the container is gone.
    static func end(
        _ record: Record, _ folder: borrowing Descriptor?, _ plan: LaunchPlan, _ store: Store, _ warn: (String) -> Void
    ) -> Bool {
        switch folder {
        case .some(let folder): return end(record, folder, plan, store, warn)
        case .none: return false
        }
    }

    private static func end(
        _ record: Record, _ folder: borrowing Descriptor, _ plan: LaunchPlan, _ store: Store, _ warn: (String) -> Void
    ) -> Bool {
        do throws(RuntimeError) {
            try store.lock(record.id, folder)
        } catch {
            if case .missing = error { return true }
            warn("the container is not removed: \(error); runbox delete \(record.id) does that")
            return false
        }
        guard Cleanup.removeCgroup(record, warn: warn) else {
            try? Files.unlock(folder)  // closing does the same a little later
            return false
        }
        Cleanup.removeResctrlGroup(record, warn: warn)
        do throws(SystemError) {
            try store.remove(record.id, folder)
        } catch {
            warn(
                "the state of the container could not be removed: \(error); runbox delete --force \(record.id) tries again"
            )
        }
        HookRunner(.poststop, plan.hooks, directory: nil, output: record.hookOutput)
            .runEach(record.state(.stopped), warn: warn)
        return true
    }
}
