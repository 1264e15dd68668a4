package import Kernel

/// The container's cgroup, by whichever means it is managed.
package enum CgroupManager: ~Copyable, Sendable {
    /// A directory made by runbox itself.
    case fs(FSManager)
    /// No cgroup: the container stays where runbox was started. What asks for one fails; what only cleans up has nothing to do.
    case disabled

    /// Makes the cgroup of a new container, with the controllers that the plan needs. When that fails, everything is as before.
    ///
    /// The settings are not written yet: `apply` does that, while the container may already be setting itself up.
    package static func create(
        _ path: CgroupPath, host: CgroupHost, plan: ResourcesPlan
    ) throws(CgroupError) -> CgroupManager {
        guard let root = host.root else {
            throw CgroupHost.noTree
        }
        var creation = FSCreation(root: root, path: path, isHybrid: host.isHybrid)
        let directory = try creation.run(plan)
        return .fs(FSManager(root: root, path: path, created: creation.created, directory: directory))
    }

    /// Finds the cgroup of an earlier call again.
    package static func open(_ record: CgroupRecord) throws(CgroupError) -> CgroupManager {
        switch record.mode {
        case .fs: .fs(try FSManager(record))
        case .disabled: .disabled
        }
    }

    /// What to keep in the state file.
    package var record: CgroupRecord {
        switch self {
        case .fs(let manager): manager.record
        case .disabled: .disabled
        }
    }

    /// Lends the cgroup's directory, for `CLONE_INTO_CGROUP`; nil where there is none.
    package func withDirectory<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing Descriptor?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch self {
        case .fs(let manager): try body(manager.directory)
        case .disabled: try body(nil)
        }
    }

    package func apply(_ settings: [Setting]) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.apply(settings)
        case .disabled:
            guard let first = settings.first else { return }
            throw CgroupError(
                field: first.field, controller: first.controller, "needs a cgroup, and cgroups are disabled",
                remedy: "remove the limit, or --cgroup-manager=disabled")
        }
    }

    /// Changes limits of a container that is there: see ``FSManager/update(_:)``.
    package func update(_ update: ResourcesUpdate) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.update(update)
        case .disabled: throw Self.none("changing its limits")
        }
    }

    package func applyDeviceProgram(_ rules: DeviceRules) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.applyDeviceProgram(rules)
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
        case .disabled: break
        }
    }

    package func freeze() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.freeze()
        case .disabled: throw Self.none("pausing")
        }
    }

    package func thaw() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.thaw()
        case .disabled: throw Self.none("resuming")
        }
    }

    package func isFrozen() throws(CgroupError) -> Bool {
        switch self {
        case .fs(let manager): try manager.isFrozen()
        case .disabled: false
        }
    }

    /// Whether a container's processes stand still, found out without opening its cgroup: every question for a status asks this. A cgroup that is gone, or cannot be
    /// looked at, freezes nothing.
    package static func isFrozen(_ record: CgroupRecord) -> Bool {
        guard record.mode == .fs, let text = try? Files.readText("\(record.root)\(record.path)/cgroup.events") else {
            return false
        }
        return FSManager.event("frozen", in: text)
    }

    package func isPopulated() throws(CgroupError) -> Bool {
        switch self {
        case .fs(let manager): try manager.isPopulated()
        case .disabled: false
        }
    }

    package func processes(recursive: Bool) throws(CgroupError) -> [Int32] {
        switch self {
        case .fs(let manager): try manager.processes(recursive: recursive)
        case .disabled: throw Self.none("listing its processes")
        }
    }

    package func statistics() throws(CgroupError) -> Statistics {
        switch self {
        case .fs(let manager): try manager.statistics()
        case .disabled: throw Self.none("counting what it uses")
        }
    }

    /// - Returns: nil where nobody counts the memory.
    package func watchOOM() throws(CgroupError) -> OOMWatch? {
        switch self {
        case .fs(let manager): try manager.watchOOM()
        case .disabled: nil
        }
    }

    package func kill() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.kill()
        case .disabled: break
        }
    }

    package func remove() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.remove()
        case .disabled: break
        }
    }

    /// Takes back what ``create(_:host:plan:)`` made.
    package func withdraw() throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.withdraw()
        case .disabled: break
        }
    }

    /// For a container whose maker died: see ``FSManager/removeIfEmpty(patience:)``.
    package func removeIfEmpty() {
        switch self {
        case .fs(let manager): manager.removeIfEmpty()
        case .disabled: break
        }
    }

    package func delegate(owner: UInt32) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.delegate(owner: owner)
        case .disabled: break
        }
    }

    /// See ``FSManager/enterDelegated(_:_:owner:)``.
    package func enterDelegated(_ name: String, _ pid: Int32, owner: UInt32) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.enterDelegated(name, pid, owner: owner)
        case .disabled: throw Self.none("delegating one below it")
        }
    }

    /// Whether this process, in the cgroup `own`, may put one into the container's.
    package func checkEntry(from own: String?) throws(CgroupError) {
        switch self {
        case .fs(let manager): try manager.checkEntry(from: own)
        case .disabled: break
        }
    }

    private static func none(_ doing: String) -> CgroupError {
        CgroupError(
            "the container has no cgroup, which \(doing) needs; it was made with --cgroup-manager=disabled, or by a user who had none",
            remedy: "an ordinary user gets one by: systemd-run --user --scope -p Delegate=yes runbox …")
    }
}
