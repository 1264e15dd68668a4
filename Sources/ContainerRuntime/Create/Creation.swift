internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The runtime's side of making a container: from the reserved name to the init waiting for its start.
///
/// Whatever fails, everything that was made is taken down again.
struct Creation: ~Copyable {
    let plan: LaunchPlan
    let store: Store
    /// The bundle's configuration, of which a copy is kept, and its seccomp section as the cache's key.
    let configuration: [UInt8]
    let seccompText: [UInt8]
    let warn: (String) -> Void

    /// Makes the container.
    consuming func run() throws(RuntimeError) -> CreatedContainer {
        var record = Record(plan, owner: Credentials.effectiveUser)
        // Locked while the container is being made: whoever finds it unlocked and unfinished knows that its maker is dead.
        let lock = try store.reserve(plan.id) { [record] folder throws(SystemError) in
            try Files.write(configuration, toNew: "\(folder)/\(Record.configName)", mode: 0o600)
            try store.write(record, in: folder)
        }
        do throws(RuntimeError) {
            try operation("write the state") { () throws(SystemError) in try plan.caller.notify?.makeFolder() }
            var created = try makeResctrlGroup(store.folder(plan.id), lock, &record)
            // The kernel does not refuse it. If it did, others would wait until this process ends, and the container is made all the same.
            try? Files.unlock(lock)
            created.folder = .some(lock)
            return created
        } catch {
            // A cgroup that could not be taken away is found again by its record.
            if record.cgroup.inode == 0 { forget(lock) }
            throw error
        }
    }

    private func forget(_ folder: borrowing Descriptor) {
        do throws(SystemError) {
            try store.remove(plan.id, folder)
        } catch {
            warn("the state folder of \(plan.id) could not be removed: \(error)")
        }
    }

    /// Only where the configuration asks for it: otherwise no resctrl is touched, as the specification wants.
    private func makeResctrlGroup(
        _ folder: String, _ lock: borrowing Descriptor, _ record: inout Record
    ) throws(RuntimeError) -> CreatedContainer {
        guard let resctrl = plan.resctrl else { return try makeCgroup(folder, lock, &record) }
        let prospect = try operation("set resctrl up") { () throws(SystemError) in
            let prospect = try ResctrlGroup.survey(resctrl)
            // Written down before it is made, so that `delete` finds it whatever happens.
            record.resctrl = prospect.record
            try store.write(record)
            try ResctrlGroup.make(prospect)
            return prospect
        }
        do throws(RuntimeError) {
            try operation("set resctrl up") { () throws(SystemError) in
                try ResctrlGroup.configure(resctrl, prospect)
            }
            return try makeCgroup(folder, lock, &record)
        } catch {
            Cleanup.withdrawResctrlGroup(prospect, warn: warn)
            throw error
        }
    }

    private func makeCgroup(
        _ folder: String, _ lock: borrowing Descriptor, _ record: inout Record
    ) throws(RuntimeError) -> CreatedContainer {
        var cgroup: CgroupManager
        do throws(CgroupError) {
            cgroup = try plan.cgroup.create(asUser: plan.isRootless)
        } catch {
            throw RuntimeError(error)
        }
        do throws(RuntimeError) {
            record.cgroup = cgroup.record
            return try makeProcess(folder, lock, record, &cgroup)
        } catch {
            if Cleanup.rollBackCgroup(cgroup, of: plan.id, warn: warn) {
                record.cgroup = plan.cgroup.expectedRecord
            } else {
                // Best effort: with the record from before, `delete` finds the cgroup by its path.
                try? store.write(record)
            }
            throw error
        }
    }

    private func makeProcess(
        _ folder: String, _ lock: borrowing Descriptor, _ record: Record, _ cgroup: inout CgroupManager
    ) throws(RuntimeError) -> CreatedContainer {
        do throws(StepFailure) {
            if let listener = plan.seccomp?.listener { try step(.seccompListener, try listener.check()) }
            let birth = try SpawnedInit.give(plan, folder: folder, lock: lock, cgroup: cgroup)
            return try accompany(birth, record, &cgroup)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Goes through the phases with the init; on failure the init is killed, and hooks that saw the container begin see its end.
    private func accompany(
        _ birth: consuming SpawnedInit, _ record: Record, _ cgroup: inout CgroupManager
    ) throws(StepFailure) -> CreatedContainer {
        var companion = InitConversation(self.plan, birth, record: record, warn: warn)
        do throws(StepFailure) {
            try companion.enter(&cgroup, store: store)
            try companion.meetInit()
            try prepare(&companion, cgroup)
            if let resctrl = record.resctrl {
                let pid = companion.pid
                try step(.limits, try ResctrlGroup.enter(pid, resctrl))
            }
            let filter = try step(.seccompFilter, try compileFilter())
            try companion.converse(filter, store: store) { companion throws(StepFailure) in
                try self.settle(&companion, cgroup)
            } tighten: { companion throws(StepFailure) in
                try self.tighten(companion, cgroup)
            }
            return companion.intoContainer(
                silencedCall: filter.flatMap { SeccompPreflight.silenced(by: $0.program, byGate: false) })
        } catch {
            throw companion.abandon(error, cgroup)
        }
    }

    /// What does not depend on the init's progress is done while it mounts.
    private func prepare(
        _ companion: inout InitConversation, _ cgroup: borrowing CgroupManager
    ) throws(StepFailure) {
        do throws(CgroupError) {
            try cgroup.apply(plan.cgroup.earlySettings)
            if !plan.isRootless, let devices = plan.cgroup.deviceRules { try limit(devices, cgroup) }
            if plan.cgroup.isDelegated, plan.requests.delegatedCgroup == nil { try cgroup.delegate(owner: hostOwner) }
        } catch {
            throw StepFailure(.limits, .refused(error.description))
        }
        let pid = companion.pid
        // The caller's own CPU mask is no setting of the container, whose CPUs are those of its cgroup; as in runc and crun. Best effort: a mask that is
        // too narrow makes it slower and nothing else.
        try? Placement.resetAffinity(of: pid)
        if !plan.initShieldsItself { try companion.setOOMScoreAdjustment() }
    }

    /// A memory limit of a few pages more than a program needs is for the program: what the set-up had in use for a moment, and the kernel frees in its own time, does not
    /// count. An init that has too much now is killed at once.
    private func tighten(_ companion: borrowing InitConversation, _ cgroup: borrowing CgroupManager) throws(StepFailure) {
        guard let limit = plan.cgroup.lateSettings.last else { return }
        if let bytes = UInt64(limit.value) { cgroup.awaitMemory(below: bytes) }
        do throws(CgroupError) {
            try cgroup.apply(plan.cgroup.lateSettings)
        } catch {
            throw StepFailure(.limits, .refused(error.description))
        }
        try companion.checkLife()
    }

    /// Who is root of a user namespace only may not load programs, and can open no more devices in the container than outside of it: neither can an ordinary user.
    private func limit(_ devices: DeviceRules, _ cgroup: borrowing CgroupManager) throws(CgroupError) {
        do throws(CgroupError) {
            try cgroup.applyDeviceProgram(devices)
        } catch {
            guard error.isPermission, Credentials.isInUserNamespace else { throw error }
        }
    }

    /// What waits until the init is in all of its namespaces: interfaces, and the cgroup below that which the cgroup namespace begins at.
    private func settle(_ companion: inout InitConversation, _ cgroup: borrowing CgroupManager) throws(StepFailure) {
        if let name = plan.requests.delegatedCgroup {
            do throws(CgroupError) {
                try cgroup.enterDelegated(name, companion.pid, owner: hostOwner)
            } catch {
                throw StepFailure(.delegatedCgroup, .refused(error.description))
            }
        }
        if !plan.netDevices.isEmpty { try companion.moveNetDevices() }
    }

    /// The host's number of the payload's user, who may manage a delegated cgroup.
    private var hostOwner: UInt32 {
        let user = plan.process?.user ?? 0
        guard plan.namespaces.new.contains(.user) else { return user }
        return NamespacePlan.hostID(of: user, in: plan.namespaces.uidMappings) ?? user
    }

    private func compileFilter() throws(SystemError) -> SeccompFilter? {
        if let program = plan.requests.seccompProgram {
            return SeccompFilter(program: program, flags: plan.seccomp?.flags ?? SeccompSupport.allowSpeculation)
        }
        guard let seccomp = plan.seccomp else { return nil }
        let compiler = SeccompCompiler(plan: seccomp, text: seccompText, cache: store.seccompCache)
        // Without a process nothing is ever started.
        let program = try plan.process == nil ? compiler.program() : compiler.startableProgram()
        return SeccompFilter(program: program, flags: seccomp.flags)
    }
}

/// A container whose init waits for its start.
struct CreatedContainer: ~Copyable {
    var record: Record
    let initProcess: ChildProcess
    /// In `run`: the link that starts it. Its end tells that the payload runs.
    let link: Link
    /// The terminal's controlling side, where it was not sent to a console socket.
    var terminal: Descriptor?
    /// What the filter forbids of what the init needs to report with; nil where it can.
    let silencedCall: String?
    /// Its state folder, not locked: whoever ends the container must end this one, and no other that has its name by then.
    var folder: Descriptor?
}
