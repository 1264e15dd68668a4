internal import CgroupPlanning
internal import Cgroups
public import Errors
internal import Kernel
public import KernelTypes
public import OCISpec
public import Planning

/// One container below a state root, and what can be done with it. Specification: runtime.md, "Operations".
///
/// A value without a state of its own: everything is read from the store and the kernel when it is asked for, so that
/// any number of processes may hold the same container. Operations that change it take turns by a lock; one that has to
/// wait longer than ten seconds fails.
///
/// The calling process must have one thread wherever it makes a process for the container
/// (``create(_:options:caller:warn:)``, ``run(_:options:caller:warn:)``, ``exec(_:caller:warn:)``), and root's
/// privileges on the host.
public struct Container: Sendable {
    /// Where a container is in its life.
    public typealias Status = ContainerStatus

    /// Its name.
    public let id: ContainerID
    let store: Store

    /// Names a container; whether it exists shows when something is done with it.
    public init(_ id: ContainerID, store: Store) {
        self.id = id
        self.store = store
    }

    // MARK: Queries

    /// The state of the container at this moment. Of a stopped one it also keeps how it ended, for as long
    /// as that can be learnt.
    ///
    /// - Throws: ``RuntimeError/missing(_:)``; ``RuntimeError/failed(reason:)`` when the state is damaged.
    public func state() throws(RuntimeError) -> ContainerState { try state(askedBy: "state") }

    private func state(askedBy command: String) throws(RuntimeError) -> ContainerState {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        let status = try status(of: record)
        let exit =
            status == .stopped ? ExitRecorder(record: record, store: store, command: command).observe() : nil
        return ContainerState(record, status: status, started: StartTime.read(store.folder(record.id)), exit: exit)
    }

    /// All containers of a store, by their names. Those that cannot be read are skipped with a warning.
    ///
    /// - Parameter warn: takes a sentence for each that is left out, with the remedy.
    /// - Throws: ``RuntimeError/failed(reason:)`` when the store's folder cannot be listed; one that is not there has
    ///   no containers.
    public static func all(in store: Store, warn: (String) -> Void = { _ in }) throws(RuntimeError) -> [ContainerState]
    {
        var states: [ContainerState] = []
        for name in try store.all() {
            do throws(RuntimeError) {
                states.append(try Container(ContainerID(name), store: store).state(askedBy: "list"))
            } catch .missing {
                // Just being made or deleted: it has no state yet, or none any more.
                guard (try? store.isAbandoned(name)) == true else { continue }
                warn("\(name) is left out: it was never finished; runbox delete \(name) removes it")
            } catch {
                warn("\(name) is left out: \(error)")
            }
        }
        return states
    }

    /// Computed from what is there, never stored: a container cannot be in a status that its process is not in.
    /// - Throws: ``RuntimeError/failed(reason:)`` where its process cannot be looked at: that is no sign of its end.
    func status(of record: Record) throws(RuntimeError) -> ContainerStatus {
        if record.pid == 0 { return .creating }
        let startTime = try operation("look at the process of container \(record.id)") { () throws(SystemError) in
            try Processes.startTime(record.pid)
        }
        guard startTime == record.startTime else { return .stopped }
        if !record.isReady { return .creating }
        // Before the gate: one that was paused before its start would never answer it.
        if CgroupManager.isFrozen(record.cgroup) { return .paused }
        return StartGate.isClosed(folder: store.folder(record.id)) ? .created : .running
    }

    // MARK: Operations

    /// Opens the gate of a created container: its payload runs when this returns. Specification: runtime.md, "Start".
    /// With a service manager that waits for notifications, here and at ``create(_:options:caller:warn:)``, it returns
    /// when the payload has said that it is ready, or has ended.
    ///
    /// - Parameters:
    ///   - caller: whose ``Caller/notifySocket`` counts.
    ///   - warn: takes sentences about what is odd but no error.
    /// - Throws: ``RuntimeError/status(reason:)`` unless the container waits for its start;
    ///   ``RuntimeError/step(_:errno:message:exitStatus:)`` when a startContainer hook fails, the program cannot be
    ///   executed (127 or 126), or a poststart hook fails, after which nothing of the container is left.
    public func start(caller: Caller = .current, warn: @escaping (String) -> Void = { _ in }) throws(RuntimeError) {
        var pid: Int32 = 0
        // Without the lock: who wants to delete the container meanwhile may.
        switch try openGate(&pid, caller, warn) {
        case .some(var notify):
            try operation("wait until the payload is ready") { () throws(SystemError) in
                try notify.waitUntilReady(of: pid, warn: warn)
            }
        case .none: break
        }
    }

    /// - Parameter pid: the init's, once it is known.
    private func openGate(
        _ pid: inout Int32, _ caller: Caller, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> NotifyProxy? {
        let folder = try store.lock(id.description)
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        try status(of: record).check(.start, of: record.id)
        guard record.hasProcess else { throw .status(reason: "cannot start: process property must not be empty") }
        pid = record.pid
        let notify = notifications(of: record, caller, warn)
        try ContainerStart(
            record: record, folder: store.folder(record.id), hooks: try StoredHooks.read(record, store: store)
        ).openGate {
            do throws(RuntimeError) {
                try ContainerDelete(record: record, store: store, warn: warn).run(folder)
            } catch {
                warn("the container is not removed: \(error); runbox delete --force \(record.id) does that")
            }
        }
        extendLifetime(folder)
        return notify
    }

    /// The container must have been created with a place for the socket; the manager is that of this call.
    private func notifications(
        of record: Record, _ caller: Caller, _ warn: (String) -> Void
    ) -> NotifyProxy? {
        guard let plan = NotifyPlan(caller.notifySocket, state: store.folder(record.id), warn: warn),
            Files.exists(plan.folder)
        else {
            return nil
        }
        return NotifyProxy.listen(plan, pid: record.pid, warn: warn)
    }

    /// Sends a signal to the init, or to every process of the container. Specification: runtime.md, "Kill"; signal(7).
    ///
    /// - Parameters:
    ///   - all: sends it to every process in the container's cgroup; also succeeds when the init has ended already, as
    ///     engines expect of runc.
    /// - Throws: ``RuntimeError/status(reason:)`` with the words engines look for when the container has stopped.
    public func kill(_ signal: Signal = .terminate, all: Bool = false) throws(RuntimeError) {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        let status = try status(of: record)
        // Whoever comes to kill may be the last to see how it ended.
        if status == .stopped { _ = ExitRecorder(record: record, store: store, command: "kill").observe() }
        try ContainerKill(record: record, status: status).run(signal, all: all)
    }

    /// Takes the container down: its processes, its cgroup, its state; then its poststop hooks run. Specification:
    /// runtime.md, "Delete".
    ///
    /// - Parameters:
    ///   - force: kills a running one; a container that does not exist is fine. Without it, only a stopped one and one
    ///     that was never started can be deleted.
    ///   - warn: takes sentences about what could not be taken down but keeps nothing alive, and failing poststop
    ///     hooks.
    /// - Throws: ``RuntimeError/status(reason:)`` for a running container without `force`.
    public func delete(force: Bool = false, warn: @escaping (String) -> Void = { _ in }) throws(RuntimeError) {
        do throws(RuntimeError) {
            let folder = try store.lock(id.description) { folder in if force { endHolder(folder) } }
            try deleteLocked(folder, force, warn)
            extendLifetime(folder)
        } catch {
            guard force, case .missing = error else { throw error }
            // Best effort: what a runtime that was killed has left without a name is in no one's way.
            try? store.sweep()
        }
    }

    /// Whoever holds the container by a hook or a program that hangs lets go when the init is killed.
    private func endHolder(_ folder: borrowing Descriptor) {
        // By the record in this very folder: another container may have got the name. What cannot be killed is left to
        // the one who holds the lock.
        guard let record = try? store.load(id.description, at: folder), let status = try? status(of: record) else {
            return
        }
        try? ContainerKill(record: record, status: status).run(.kill, all: true)
    }

    private func deleteLocked(
        _ folder: borrowing Descriptor, _ force: Bool, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) {
        guard let record = try loadForDeletion(folder, force, warn) else {
            do throws(SystemError) {
                return try store.remove(id.description, folder)
            } catch {
                throw RuntimeError(error, doing: "remove the state")
            }
        }
        // With the lock in our hands, a container that is "creating" has lost its maker.
        let status = try status(of: record)
        guard force || status.allowsDelete || status == .creating else {
            throw .status(
                reason: "cannot delete container \(id) that is not stopped: \(status.rawValue); use --force to kill it")
        }
        try ContainerDelete(record: record, store: store, warn: warn).run(folder)
    }

    /// - Returns: nil where there is nothing to go by, so that the folder alone is removed.
    private func loadForDeletion(
        _ folder: borrowing Descriptor, _ force: Bool, _ warn: (String) -> Void
    ) throws(RuntimeError) -> Record? {
        do throws(RuntimeError) {
            return try store.load(id.description, at: folder)
        } catch {
            // Gone while we waited for the lock, or without --force: no more to do here.
            if case .missing = error { throw error }
            // What cannot be read now can be tried again; to forget it would leave the container alive.
            guard force, store.isDamaged(folder) else { throw error }
            warn(error.description)
            return nil
        }
    }
}

/// What `state` and `list` show of a container.
public struct ContainerState: Sendable {
    /// The version of the specification that its configuration keeps to.
    public let ociVersion: String
    /// Its name.
    public let id: String
    /// Where it is in its life.
    public let status: ContainerStatus
    /// Its init as the host counts it; 0 when there is none.
    public let pid: Int32
    /// The bundle's folder, absolute.
    public let bundle: String
    /// The root file system, absolute.
    public let rootfs: String
    /// When it was made, RFC 3339 in UTC.
    public let created: String
    /// When its payload began; nil when it has not.
    public let started: String?
    /// When it was last saved, or the checkpoint was that it is made of; nil for every other.
    public let checkpointed: String?
    /// When it was made of a checkpoint; nil for every other.
    public let restored: String?
    /// How it ended; nil while it has not.
    public let exit: ContainerExit?
    /// Who made it.
    public let owner: UInt32
    /// The annotations of its configuration.
    public let annotations: [String: String]
    /// The systemd unit of its cgroup; empty where systemd did not make it.
    public let systemdScope: String

    /// Of a service that has no container at this moment.
    package init(id: String, bundle: String, created: String, exit: ContainerExit?, owner: UInt32) {
        ociVersion = OCIVersion.implemented
        self.id = id
        status = .stopped
        pid = 0
        self.bundle = bundle
        rootfs = ""
        self.created = created
        started = exit?.startedAt
        checkpointed = nil
        restored = nil
        self.exit = exit
        self.owner = owner
        systemdScope = ""
        annotations = [:]
    }

    init(_ record: Record, status: ContainerStatus, started: String?, exit: ContainerExit?) {
        ociVersion = record.ociVersion
        id = record.id
        self.status = status
        pid = status.hasProcess ? record.pid : 0
        bundle = record.bundle
        rootfs = record.rootfs
        created = record.created
        self.started = started
        checkpointed = record.checkpointed
        restored = record.restored
        self.exit = exit
        owner = record.owner
        systemdScope = record.cgroup.scope?.unit ?? ""
        annotations = record.annotations.reduce(into: [:]) { $0[$1.key] = $1.value }
    }
}
