internal import Cgroups
internal import Criu
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// What is done of a restore while CRIU makes the processes, and after that.
extension Creation {
    // MARK: While CRIU restores

    mutating func answer(
        _ notification: CriuNotification, _ descriptor: consuming Descriptor?, _ options: RestoreOptions,
        _ restored: inout Restored
    ) throws(SystemError) {
        do throws(StepFailure) {
            switch notification.script {
            case .orphanTerminal: restored.terminal = descriptor
            case .setupNamespaces:
                try hold(notification.pid, &restored)
                try runHooks()
                try runContainerHooks()
            case .postRestore:
                try hold(notification.pid, &restored)
                try applyRestoredLimits()
                try noteRestored()
            // Only now the processes have their rights again, and none has run on yet.
            case .preResume:
                try checkRights()
                if options.lsmProfile == nil { try checkLabels() }
            default: break
            }
        } catch {
            made.failure = error
            // CRIU does not give up any more then.
            if notification.script == .preResume { killBeforeResume(restored) }
            throw error.cause
        }
    }

    /// What fails here ends the restore, which kills what is left; but by then the processes would have run.
    private func killBeforeResume(_ restored: borrowing Restored) {
        if made.cgroup.record.mode != .disabled { try? made.cgroup.kill() }
        switch restored.process {
        case .some(let process): try? Processes.kill(process)
        case .none: break
        }
    }

    /// From now on it is known which process is to be killed should all this fail.
    private mutating func hold(_ pid: Int32, _ restored: inout Restored) throws(StepFailure) {
        made.otherProcess = pid
        if restored.process != nil { return }
        restored.process = ChildProcess(
            pid: pid,
            pidfd: try step(.clone) { () throws(SystemError) in
                try Processes.open(pid)
            })
    }

    /// The mounts come from the image, so there is no moment before the pivot; they run, as with runc, where CRIU's
    /// caller is.
    private func runContainerHooks() throws(StepFailure) {
        let runner = HookRunner(
            .createContainer, plan.hooks, directory: plan.bundle, output: made.record.hookOutput,
            interruption: Interruption(signals: plan.caller.interrupts))
        try runner.runAll(made.record.state(.creating))
    }

    private mutating func applyRestoredLimits() throws(StepFailure) {
        do throws(CgroupError) {
            try applyCgroup()
            try made.cgroup.apply(plan.cgroup.lateSettings)
        } catch {
            throw StepFailure(.limits, .refused(error.description))
        }
        guard let resctrl = made.record.resctrl else { return }
        let processes = (try? made.cgroup.processes(recursive: true)) ?? []
        for process in processes where process > 0 {
            try step(.limits, try ResctrlGroup.enter(process, resctrl))
        }
    }

    /// What older CRIUs do not save of a process's rights.
    private func checkRights() throws(StepFailure) {
        guard plan.noNewPrivileges || !plan.capabilities.ambient.isEmpty else { return }
        let status = try step(.credentials, try Files.readText("/proc/\(pid)/status")).parts(by: "\n")
        func field(_ name: String) -> String? {
            status.first { $0.begins(with: name) }?.parts(by: "\t").last
        }
        if plan.noNewPrivileges, field("NoNewPrivs:") == "0" {
            try lose(
                "no_new_privs is lost: a program of the container may gain privileges by a file's set-user-ID bit; it is saved from CRIU 3.19 on"
            )
        }
        if !plan.capabilities.ambient.isEmpty, field("CapAmb:").flatMap({ UInt64($0, radix: 16) }) == 0 {
            try lose(
                "ambient capabilities are lost: programs that the container starts do not have them; they are saved from CRIU 4.1 on"
            )
        }
    }

    /// A CRIU that was built without a security module restores processes as its own, which that does not confine.
    private func checkLabels() throws(StepFailure) {
        if plan.labels.isEmpty { return }
        func label(_ process: String) throws(StepFailure) -> String {
            let text = try step(.credentials, try Files.readText("/proc/\(process)/attr/current"))
            return text.parts(by: "\n").first?.parts(by: "\0").first ?? ""
        }
        let now = try label("\(pid)")
        guard now == (try label("self")) else { return }
        for wanted in [plan.labels.profile, plan.labels.label] {
            guard let wanted, now != wanted, !now.begins(with: "\(wanted) (") else { continue }
            throw StepFailure(
                .credentials,
                .refused(
                    "the label \"\(wanted)\" is lost, and it would run as \"\(now)\": this CRIU was built without that security module; use one that was built with it, or leave the label out of config.json"
                ))
        }
    }

    private func lose(_ what: String) throws(StepFailure) {
        if plan.options.strict { throw StepFailure(.credentials, .refused("restored, \(what)")) }
        warn("restored, \(what)")
    }

    private mutating func noteRestored() throws(StepFailure) {
        made.record.restored = Timestamp.now()
        try noteInit()
        try writeRecord()
    }

    func refuseFormerCgroup() throws(StepFailure) {
        let record = made.cgroup.record
        if record.mode == .disabled || record.created.contains(record.path) { return }
        throw StepFailure(
            .cgroup,
            .refused(
                "cgroup \(record.path) was there before, which --manage-cgroups-mode strict does not take; name another one, or soft"
            ))
    }

    mutating func writeRestoreRecord() throws(StepFailure) {
        made.record.cgroup = made.cgroup.record
        try writeRecord()
    }

    mutating func finishRestore(_ restored: borrowing Restored) throws(StepFailure) {
        made.record.isReady = true
        try writeRecord()
        if let socket = plan.terminal?.socket {
            switch restored.terminal {
            case .some(let terminal):
                try step(.terminal, try ConsoleSocket.hand(terminal, to: socket))
            case .none:
                warn("the checkpoint has no terminal that --console-socket could be given")
            }
        }
        if let path = plan.options.pidFile {
            try step(.pidFile, try Files.deliver("\(made.record.pid)", to: path, mode: 0o644))
        }
        guard PidfdPin.isWanted(plan) else { return }
        switch restored.process {
        case .some(let process): PidfdPin.make(store.folder(plan.id), process.pidfd)
        case .none: break
        }
    }
}
