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
    /// The text of the configuration's seccomp section, the key of the compiled program's cache.
    let seccompText: [UInt8]
    let warn: (String) -> Void
    var made: Made
    private var undo = UndoStack<Made>()

    /// What has been made of the container so far.
    struct Made: ~Copyable {
        var record: Record
        /// Its state folder, locked while the container is being made: a process that finds it unlocked and unfinished
        /// knows that its maker is dead.
        let folder: Descriptor
        var cgroup = CgroupManager.disabled
        /// From ``Creation/spawn()`` on.
        var conversation: InitConversation?
        /// Of a container that is restored: CRIU, and later the init that it has made.
        var otherProcess: Int32 = 0
        var filter: SeccompFilter?
        /// Whether hooks have seen the container begin, so that others are to see its end.
        var hooksBegan = false
        /// Whether the state must stay, because something could not be taken away that only it leads to.
        var keepsState = false
        /// Why the container does not come to be, as far as its process can explain it.
        var failure: StepFailure?
    }

    /// Takes the container's name and writes its record. Nothing is left of that when it fails.
    /// - Parameter configuration: the bundle's, of which a copy is kept.
    init(
        reserving plan: LaunchPlan, in store: Store, configuration: [UInt8], seccompText: [UInt8],
        warn: @escaping (String) -> Void
    ) throws(RuntimeError) {
        self.plan = plan
        self.store = store
        self.seccompText = seccompText
        self.warn = warn
        let record = Record(plan, owner: Credentials.effectiveUser)
        let folder = try measured(.record) { () throws(RuntimeError) in
            try store.reserve(plan.id) { folder throws(SystemError) in
                try Files.write(configuration, toNew: "\(folder)/\(Record.configName)", mode: 0o600)
                try store.writeFirst(record, in: folder)
            }
        }
        made = Made(record: record, folder: folder)
    }

    /// The recipe.
    consuming func run() throws(RuntimeError) -> CreatedContainer {
        do throws(RuntimeError) {
            prepareToForget()
            try makeNotifyFolder()
            try makeResctrlGroup()
            try makeCgroup()
            do throws(StepFailure) {
                try spawn()
                try place()
                try meetInit()
                try applyLimits()
                try compileFilter()
                try awaitTree()
                try enterDelegatedCgroup()
                try moveNetDevices()
                try runHooks()
                try proceed()
                try awaitReady()
                try applyLateLimits()
                try setAttributes()
                try handOver()
            } catch {
                made.failure = error
                throw RuntimeError(error)
            }
        } catch {
            unwindAll()
            throw made.failure.map { RuntimeError($0) } ?? error
        }
        // The kernel does not refuse it. If it did, others would wait until this process ends, and the container is
        // made all the same.
        try? Files.unlock(made.folder)
        return CreatedContainer(made)
    }

    /// Says how the step that was just done is taken back.
    mutating func onFailure(_ step: @escaping (inout Made) -> Void) { undo.push(step) }

    mutating func unwindAll() { undo.unwind(&made) }

    // MARK: Before there is a process

    mutating func prepareToForget() {
        onFailure { [plan, warn] made in
            if made.hooksBegan { StoredHooks(plan.hooks, of: made.record).runPoststop(warn: warn) }
        }
        onFailure { [store, warn] made in
            if made.keepsState { return }
            do throws(SystemError) {
                try store.remove(made.record.id, made.folder)
            } catch {
                warn("the state folder of \(made.record.id) could not be removed: \(error)")
            }
        }
    }

    private func makeNotifyFolder() throws(RuntimeError) {
        guard let notify = plan.caller.notify, !notify.isStanding else { return }
        try operation("write the state") { () throws(SystemError) in try notify.makeFolder() }
    }

    /// Only where the configuration asks for it: otherwise no resctrl is touched, as the specification wants.
    mutating func makeResctrlGroup() throws(RuntimeError) {
        guard let resctrl = plan.resctrl else { return }
        let found = try operation("set resctrl up") { () throws(SystemError) in try ResctrlGroup.inspect(resctrl) }
        made.record.resctrl = found.record
        let record = made.record
        try operation("set resctrl up") { () throws(SystemError) in
            // Written down before it is made, so that `delete` finds it whatever happens.
            try store.write(record)
            try ResctrlGroup.make(found)
        }
        onFailure { [warn] _ in
            do throws(SystemError) {
                try ResctrlGroup.rollBack(found)
            } catch {
                warn("the resctrl group could not be removed: \(error)")
            }
        }
        try operation("set resctrl up") { () throws(SystemError) in try ResctrlGroup.configure(resctrl, found) }
    }

    mutating func makeCgroup() throws(RuntimeError) {
        do throws(CgroupError) {
            made.cgroup = try measured(.cgroup) { () throws(CgroupError) in
                try plan.cgroup.create(asUser: plan.isRootless)
            }
        } catch {
            throw RuntimeError(error)
        }
        made.record.cgroup = made.cgroup.record
        onFailure { [store, warn] made in
            do throws(CgroupError) {
                try made.cgroup.rollBack()
            } catch {
                warn(ContainerEnd.stuckCgroup(error, made.record.id))
                made.keepsState = true
                // Best effort: with the record from before, `delete` finds the cgroup by its path.
                try? store.write(made.record)
            }
        }
    }
}

/// A container whose init waits for its start.
struct CreatedContainer: ~Copyable {
    let record: Record
    let initProcess: ChildProcess
    /// In `run`: the link that starts it. Its end means that the payload runs.
    let link: Link
    /// The terminal's controlling side, where it was not sent to a console socket.
    var terminal: Descriptor?
    /// What the filter forbids of what the init needs to report with; nil where it can.
    let silencedCall: String?
    /// Its state folder, not locked: ending the container must end this one, and no other that has its name by
    /// then.
    let folder: Descriptor

    fileprivate init(_ made: consuming Creation.Made) {
        guard case .some(let conversation) = made.conversation.take() else { preconditionFailure("no init") }
        record = made.record
        silencedCall = made.filter.flatMap { SeccompPreflight.silenced(by: $0.program, byGate: false) }
        let ends = conversation.finish()
        initProcess = ends.initProcess
        link = ends.link
        terminal = ends.terminal
        folder = made.folder
    }
}
