package import CgroupPlanning
package import Errors
package import Kernel
package import KernelTypes

/// The container's cgroup, by whichever means it is managed.
package enum CgroupManager: ~Copyable, Sendable {
    /// A directory made by runbox itself.
    case fs(FSManager)
    /// A unit of systemd's.
    case systemd(ScopeManager)
    /// No cgroup: the container stays where runbox was started. What asks for one fails; what only cleans up has nothing to do.
    case disabled

    /// Makes the cgroup of a new container, with the controllers that the plan needs. When that fails, everything is as before.
    ///
    /// The settings are not written yet: `apply` does that, while the container may already be setting itself up.
    /// - Parameter clearing: the service whose cgroup must hold no processes for that.
    package static func create(
        _ path: CgroupPath, host: CgroupHost, plan: ResourcesPlan, clearing service: OwnService? = nil
    ) throws(CgroupError) -> CgroupManager {
        let root = try Self.root(of: host)
        try service?.clear(root: root)
        var creation = FSCreation(root: root, path: path, isHybrid: host.isHybrid)
        let directory = try creation.run(plan)
        return .fs(FSManager(root: root, path: path, created: creation.created, directory: directory))
    }

    private static func root(of host: CgroupHost) throws(CgroupError) -> String {
        if let root = host.root { return root }
        throw CgroupHost.noTree
    }

    /// Reaches systemd for the scope of a new container. It is made by ``place(_:_:host:)``, for it needs a process.
    package static func create(_ scope: ScopePlan, host: CgroupHost) throws(CgroupError) -> CgroupManager {
        .systemd(try ScopeManager(scope, root: try root(of: host)))
    }

    /// Puts a process of the runtime's cgroup into the container's, where it could not be born there: with systemd. Its children are born there then.
    package mutating func place(
        _ pid: Int32, _ plan: ResourcesPlan, host: CgroupHost
    ) throws(CgroupError) {
        switch consume self {
        case .systemd(var scope):
            do throws(CgroupError) {
                try scope.place(pid, plan, isHybrid: host.isHybrid)
                self = .systemd(scope)
            } catch {
                self = .systemd(scope)
                throw error
            }
        case .fs(let manager): self = .fs(manager)
        case .disabled: self = .disabled
        }
    }

    /// Closes what the runtime keeps open to make the cgroup, in a new process that has a copy of it.
    package func closeInChild() {
        switch self {
        case .fs(let manager):
            switch manager.directory {
            case .some(let directory): directory.closeInChild()
            case .none: break
            }
        case .systemd(let scope): scope.closeInChild()
        case .disabled: break
        }
    }

    /// Finds the cgroup of an earlier call again.
    package static func open(_ record: CgroupRecord) throws(CgroupError) -> CgroupManager {
        switch record.mode {
        case .fs: .fs(try FSManager(record))
        case .systemd: .systemd(try ScopeManager.open(record))
        case .disabled: .disabled
        }
    }

    /// What to keep in the state file.
    package var record: CgroupRecord {
        switch self {
        case .fs(let manager): manager.record
        case .systemd(let scope): scope.record
        case .disabled: .disabled
        }
    }

    /// Lends the cgroup's directory, for `CLONE_INTO_CGROUP`; nil where there is none.
    package func withDirectory<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing Descriptor?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch self {
        case .fs(let manager): try body(manager.directory)
        case .systemd(let scope): try body(scope.cgroup.directory)
        case .disabled: try body(nil)
        }
    }

    package func apply(_ settings: [Setting]) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.apply(settings)
        case .systemd(let scope): try scope.apply(settings)
        case .disabled:
            guard let first = settings.first else { return }
            throw CgroupError(
                field: first.field, controller: first.controller, "needs a cgroup, and cgroups are disabled",
                remedy: "remove the limit, or --cgroup-manager=disabled")
        }
    }

    /// Changes limits of a container that is there: see ``FSManager/update(_:agreed:confirm:)``.
    package func update(_ update: ResourcesUpdate) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.update(update)
        case .systemd(let scope): try scope.update(update)
        case .disabled: throw Self.none("changing its limits")
        }
    }

    package func applyDeviceProgram(_ rules: DeviceRules) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.applyDeviceProgram(rules)
        case .systemd(let scope): try scope.applyDeviceProgram(rules)
        case .disabled:
            // Rules that deny nothing by themselves are what engines always send; without a cgroup they are moot.
            guard rules.hasDenial else { return }
            throw CgroupError(
                field: "linux.resources.devices", "needs a cgroup, and cgroups are disabled",
                remedy: "remove the rules, or --cgroup-manager=disabled")
        }
    }

    package func join(_ pid: Int32) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.join(pid)
        case .systemd(let scope): try scope.cgroup.join(pid)
        case .disabled: break
        }
    }

    /// Words for a clone3 that failed over the cgroup; nil where it failed over something else. See ``FSManager/entryRefused(_:)``.
    package func entryRefused(_ error: SystemError) -> CgroupError? {
        switch self {
        case .fs(let manager): manager.entryRefused(error)
        case .systemd(let scope): scope.cgroup.entryRefused(error)
        case .disabled: nil
        }
    }

    package func freeze() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.freeze()
        case .systemd(let scope): try scope.cgroup.freeze()
        case .disabled: throw Self.none("pausing")
        }
    }

    package func thaw() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.thaw()
        case .systemd(let scope): try scope.cgroup.thaw()
        case .disabled: throw Self.none("resuming")
        }
    }

    package func isFrozen() throws(CgroupError) -> Bool {
        switch self {
        case .fs(let manager): try manager.isFrozen()
        case .systemd(let scope): try scope.cgroup.isFrozen()
        case .disabled: false
        }
    }

    /// Whether a container's processes stand still, found out without opening its cgroup: every question for a status asks this. A cgroup that is gone, or cannot be
    /// looked at, freezes nothing.
    package static func isFrozen(_ record: CgroupRecord) -> Bool {
        guard record.mode != .disabled, let text = try? Files.readText("\(record.root)\(record.path)/cgroup.events")
        else {
            return false
        }
        return FSManager.event("frozen", in: text)
    }

    package func isPopulated() throws(CgroupError) -> Bool {
        switch self {
        case .fs(let manager): try manager.isPopulated()
        case .systemd(let scope): try scope.cgroup.isPopulated()
        case .disabled: false
        }
    }

    package func processes(recursive: Bool) throws(CgroupError) -> [Int32] {
        switch self {
        case .fs(let manager): try manager.processes(recursive: recursive)
        case .systemd(let scope): try scope.cgroup.processes(recursive: recursive)
        case .disabled: throw Self.none("listing its processes")
        }
    }

    package func statistics() throws(CgroupError) -> Statistics {
        switch self {
        case .fs(let manager): try manager.statistics()
        case .systemd(let scope): try scope.cgroup.statistics()
        case .disabled: throw Self.none("counting what it uses")
        }
    }

    /// - Returns: nil where nobody counts the memory.
    package func watchOOM() throws(CgroupError) -> OOMWatch? {
        switch self {
        case .fs(let manager): try manager.watchOOM()
        case .systemd(let scope): try scope.cgroup.watchOOM()
        case .disabled: nil
        }
    }

    package func kill() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.kill()
        case .systemd(let scope): try scope.cgroup.kill()
        case .disabled: break
        }
    }

    package func remove() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.remove()
        case .systemd(let scope): try scope.remove()
        case .disabled: break
        }
    }

    /// Takes back what ``create(_:host:plan:)`` made.
    package func withdraw() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.withdraw()
        case .systemd(let scope): try scope.withdraw()
        case .disabled: break
        }
    }

    /// For a container whose maker died: see ``FSManager/removeIfEmpty(patience:)``.
    package func removeIfEmpty() {
        switch self {
        case .fs(let manager): manager.removeIfEmpty()
        case .systemd(let scope): scope.removeIfEmpty()
        case .disabled: break
        }
    }

    package func delegate(owner: UInt32) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.delegate(owner: owner)
        case .systemd(let scope): try scope.delegate(owner: owner)
        case .disabled: break
        }
    }

    /// See ``FSManager/enterDelegated(_:_:owner:)``.
    package func enterDelegated(_ name: String, _ pid: Int32, owner: UInt32) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.enterDelegated(name, pid, owner: owner)
        case .systemd(let scope): try scope.cgroup.enterDelegated(name, pid, owner: owner)
        case .disabled: throw Self.none("delegating one below it")
        }
    }

    /// Whether this process, in the cgroup `own`, may put one into the container's.
    package func checkEntry(from own: String?) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.checkEntry(from: own)
        case .systemd: break  // systemd itself moves the process
        case .disabled: break
        }
    }

    private static func none(_ doing: String) -> CgroupError {
        CgroupError(
            "the container has no cgroup, which \(doing) needs; it was made with --cgroup-manager=disabled, or by a user who had none",
            remedy: "an ordinary user gets one by: systemd-run --user --scope -p Delegate=yes runbox …")
    }
}
