internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The steps with the init, in the order of ``Creation/run()``. While it sets itself up, the runtime does what does not
/// depend on its progress.
extension Creation {
    mutating func spawn() throws(StepFailure) {
        if let listener = plan.seccomp?.listener, listener.isAsked { try step(.seccompAgent, try listener.check()) }
        try noteHostMounts()
        let spawned = try SpawnedInit.spawn(
            plan, folder: store.folder(plan.id), lock: made.folder, cgroup: made.cgroup)
        made.conversation = .some(InitConversation(plan, spawned, warn: warn))
        onFailure { made in
            guard case .some(let conversation) = made.conversation.take() else { return }
            made.failure = conversation.abandon(after: made.failure, made.cgroup)
        }
    }

    /// With systemd only: the cgroup is made around the new process, the intermediate one or the init, which waits for
    /// that before it does anything.
    mutating func place() throws(StepFailure) {
        guard plan.cgroup.scope != nil else { return }
        do throws(CgroupError) {
            try measured(.cgroup) { () throws(CgroupError) in
                try made.cgroup.place(pid, plan.cgroup.resources, host: plan.cgroup.host)
            }
        } catch {
            throw StepFailure(.cgroup, .refused(error.description))
        }
        made.record.cgroup = made.cgroup.record
        // Only with it written down, the unit is known to be of this container's making.
        try writeRecord()
        try made.conversation?.send(.placed)
    }

    /// Where there is an intermediate process, it sends the init's pidfd, and exits. Then the user namespace gets its
    /// mappings.
    mutating func meetInit() throws(StepFailure) {
        if plan.namespaces.needsIntermediate { try made.conversation?.meetInit() }
        guard plan.namespaces.isAcknowledged else { return }
        if plan.namespaces.new.contains(.user) {
            let writer = IDMapWriter(user: plan.maker.user, group: plan.maker.group)
            try step(
                .mappings,
                try writer.write(uids: plan.namespaces.uidMappings, gids: plan.namespaces.gidMappings, of: pid))
        }
        // Afterwards its files in procfs belong to the host's root.
        if plan.initShieldsItself { try setOOMScoreAdjustment() }
        try made.conversation?.send(.acknowledged)
    }

    mutating func applyLimits() throws(StepFailure) {
        do throws(CgroupError) {
            try measured(.limits) { () throws(CgroupError) in try applyCgroup() }
        } catch {
            throw StepFailure(.limits, .refused(error.description))
        }
        // The caller's own CPU mask is no setting of the container, whose CPUs are those of its cgroup; as in runc and
        // crun. Best effort: a mask that is too narrow makes it slower and nothing else.
        try? Placement.resetAffinity(of: pid)
        if !plan.initShieldsItself { try setOOMScoreAdjustment() }
        if let resctrl = made.record.resctrl { try step(.limits, try ResctrlGroup.enter(pid, resctrl)) }
    }

    func applyCgroup() throws(CgroupError) {
        try made.cgroup.apply(plan.cgroup.earlySettings)
        if !plan.isRootless, let devices = plan.cgroup.deviceRules { try limit(devices) }
        if plan.cgroup.isDelegated, plan.requests.delegatedCgroup == nil {
            try made.cgroup.delegate(owner: hostOwner)
        }
    }

    mutating func compileFilter() throws(StepFailure) {
        if let program = plan.requests.seccompProgram {
            made.filter = SeccompFilter(
                program: program, flags: plan.seccomp?.flags(isHeard: isHeard) ?? SeccompSupport.allowSpeculation)
            return
        }
        guard let seccomp = plan.seccomp else { return }
        let compiler = SeccompCompiler(plan: seccomp, text: seccompText, cache: store.seccompCache)
        // Without a process nothing is ever started.
        let program = try step(
            .seccompFilter, try plan.process == nil ? compiler.program() : compiler.startableProgram())
        made.filter = SeccompFilter(program: program, flags: seccomp.flags(isHeard: isHeard))
    }

    /// The init is in all of its namespaces, and its root file system is mounted.
    mutating func awaitTree() throws(StepFailure) {
        try made.conversation?.awaitTree()
    }

    /// Below the cgroup that the cgroup namespace begins at.
    mutating func enterDelegatedCgroup() throws(StepFailure) {
        guard let name = plan.requests.delegatedCgroup else { return }
        do throws(CgroupError) {
            try made.cgroup.enterDelegated(name, pid, owner: hostOwner)
        } catch {
            throw StepFailure(.delegatedCgroup, .refused(error.description))
        }
    }

    mutating func moveNetDevices() throws(StepFailure) {
        if !plan.netDevices.isEmpty { try made.conversation?.moveNetDevices(plan.netDevices) }
    }

    /// prestart and createRuntime, in the runtime's namespaces.
    mutating func runHooks() throws(StepFailure) {
        try noteInit()
        let interruption = Interruption(
            signals: plan.caller.interrupts, initProcess: made.conversation?.processDescriptor)
        let runners = [HookTiming.prestart, .createRuntime].map {
            HookRunner(
                $0, plan.hooks, directory: plan.bundle, output: made.record.hookOutput, interruption: interruption)
        }
        made.hooksBegan = true
        guard runners.contains(where: { !$0.hooks.isEmpty }) else { return }
        try writeRecord()
        // prestart hooks are older than the division of create and start, and see what they saw before it.
        for runner in runners {
            try runner.runAll(made.record.state(runner.timing == .prestart ? .created : .creating))
        }
    }

    mutating func proceed() throws(StepFailure) {
        try made.conversation?.send(
            .proceed(program: made.filter?.program.bytes ?? [], flags: made.filter?.flags ?? 0))
    }

    /// Answers what the init asks until it has nothing left that could fail.
    mutating func awaitReady() throws(StepFailure) {
        try made.conversation?.awaitReady()
        try noteInit()
    }

    /// A memory limit of a few pages more than a program needs is for the program: what the set-up had in use for a
    /// moment, and the kernel frees in its own time, does not count. An init that has too much now is killed at once.
    mutating func applyLateLimits() throws(StepFailure) {
        guard let limit = plan.cgroup.lateSettings.last else { return }
        if let bytes = UInt64(limit.value) { made.cgroup.awaitMemory(below: bytes) }
        do throws(CgroupError) {
            try made.cgroup.apply(plan.cgroup.lateSettings)
        } catch {
            throw StepFailure(.limits, .refused(error.description))
        }
        try made.conversation?.checkLife()
    }

    mutating func setAttributes() throws(StepFailure) {
        guard let process = plan.process else { return }
        try ProcessSetup.setAttributes(process, of: pid, limits: plan.namespaces.has(.user))
    }

    /// Sends the pidfd where one is asked for, completes the record, and writes the PID file.
    mutating func handOver() throws(StepFailure) {
        if let path = plan.options.pidfdSocket ?? plan.requests.pidfdReceiver {
            try made.conversation?.handPidfd(to: path)
        }
        made.record.hostMounts?.note(below: plan.rootfs.path)
        made.record.isReady = true
        try writeRecord()
        if let path = plan.options.pidFile {
            try step(.pidFile, try Files.deliver("\(made.record.pid)", to: path, mode: 0o644))
        }
        if PidfdPin.isWanted(plan) { made.conversation?.pin(in: store.folder(plan.id)) }
        if plan.mode == .create { try made.conversation?.send(.recorded) }
    }

    // MARK: Parts

    /// Whether an agent gets the filter's listener.
    private var isHeard: Bool { plan.seccomp?.listener != nil }

    /// Written down before anything is mounted, so that `delete` finds it whatever happens.
    private mutating func noteHostMounts() throws(StepFailure) {
        guard let mounts = HostMounts(plan) else { return }
        made.record.hostMounts = mounts
        try writeRecord()
        onFailure { [warn] made in mounts.detach(below: made.record.rootfs, warn: warn) }
    }

    /// The init's number on the host; the intermediate process's until ``meetInit()``.
    var pid: Int32 {
        switch made.conversation {
        case .some(let conversation): conversation.pid
        case .none: made.otherProcess
        }
    }

    mutating func noteInit() throws(StepFailure) {
        let pid = pid
        made.record.pid = pid
        made.record.startTime = try step(.record, try Processes.startTime(pid)) ?? 0
    }

    func writeRecord() throws(StepFailure) {
        let record = made.record
        try step(.record, try store.write(record))
    }

    private func setOOMScoreAdjustment() throws(StepFailure) {
        guard let process = plan.process else { return }
        try step(.processAttributes, try ProcessSetup.setOOMScoreAdjustment(process, of: pid))
    }

    /// Root of a user namespace only may not load programs, and can open no more devices in the container than
    /// outside of it: neither can an ordinary user.
    private func limit(_ devices: DeviceRules) throws(CgroupError) {
        do throws(CgroupError) {
            try made.cgroup.applyDeviceProgram(devices)
        } catch {
            guard error.isPermission, Credentials.isInUserNamespace else { throw error }
        }
    }

    /// The host's number of the payload's user, who may manage a delegated cgroup.
    private var hostOwner: UInt32 {
        let user = plan.process?.user ?? 0
        guard plan.namespaces.new.contains(.user) else { return user }
        return NamespacePlan.hostID(of: user, in: plan.namespaces.uidMappings) ?? user
    }
}
