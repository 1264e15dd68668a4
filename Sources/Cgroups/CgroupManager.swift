package import CgroupPlanning
package import Errors
package import Kernel
package import KernelTypes

/// The container's cgroup, by whichever means it is managed: a directory, which runbox has made itself or systemd for a
/// unit. A container without cgroups has neither, and stays where runbox was started: what asks for a cgroup fails
/// then, and what only cleans up has nothing to do.
package struct CgroupManager: ~Copyable, Sendable {
    /// The cgroup's directory; nil for a container that has no cgroup. With systemd it is a guess until
    /// ``place(_:_:host:)``.
    private(set) var directory: FSManager?
    /// The unit, where systemd manages the cgroup.
    private(set) var unit: ScopeManager?
    /// The connection to systemd, for a unit that is still to be made.
    private var bus: SystemdBus?

    private init(_ directory: consuming FSManager?, unit: ScopeManager? = nil, bus: consuming SystemdBus? = nil) {
        self.directory = directory
        self.unit = unit
        self.bus = bus
    }

    package static var disabled: CgroupManager { CgroupManager(nil) }

    // MARK: Making

    /// Makes the cgroup of a new container, with the controllers that the plan needs. When that fails, everything is as
    /// before.
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
        return CgroupManager(FSManager(root: root, path: path, created: creation.created, directory: directory))
    }

    private static func root(of host: CgroupHost) throws(CgroupError) -> String {
        if let root = host.root { return root }
        throw CgroupHost.noTree
    }

    /// Reaches systemd for the scope of a new container: where there is none, nothing has been touched yet. The scope
    /// is made by ``place(_:_:host:)``, for it needs a process.
    package static func create(_ scope: ScopePlan, host: CgroupHost) throws(CgroupError) -> CgroupManager {
        let root = try Self.root(of: host)
        let bus = try SystemdBus.connect(isUser: scope.isUser)
        let path = CgroupPath(stored: scope.expectedRecord(root: root).path)
        return CgroupManager(
            FSManager(root: root, path: path, created: [], directory: nil), unit: ScopeManager(scope), bus: bus)
    }

    /// Puts a process of the runtime's cgroup into the container's, where it could not be cloned into it: with systemd.
    /// Its children start there then.
    package mutating func place(_ pid: Int32, _ plan: ResourcesPlan, host: CgroupHost) throws(CgroupError) {
        guard case .some(var bus) = bus.take(), var unit, let root = host.root else { return }
        defer { self.unit = unit }
        directory = try unit.start(pid, plan, root: root, &bus)
        try ifPresent { cgroup throws(CgroupError) in
            try unit.enter(pid, cgroup)
            try ScopeManager.enableControllers(plan, cgroup, isHybrid: host.isHybrid)
        }
    }

    /// Closes what the runtime keeps open to make the cgroup, in a new process that has a copy of it.
    package func closeInChild() {
        withDirectory { directory in
            switch directory {
            case .some(let directory): directory.closeInChild()
            case .none: break
            }
        }
        switch bus {
        case .some(let bus): bus.closeInChild()
        case .none: break
        }
    }

    /// Finds the cgroup of an earlier call again.
    package static func open(_ record: CgroupRecord) throws(CgroupError) -> CgroupManager {
        switch record.mode {
        case .cgroupfs: return CgroupManager(try FSManager(record))
        case .systemd:
            let unit = try ScopeManager(record)
            return CgroupManager(try FSManager(record), unit: unit)
        case .disabled: return .disabled
        }
    }

    /// What to keep in the state file.
    package var record: CgroupRecord {
        ifPresent { cgroup in unit?.record(of: cgroup) ?? cgroup.record } ?? .disabled
    }

    // MARK: Entering

    /// Lends the cgroup's directory, for `CLONE_INTO_CGROUP`; nil where there is none.
    package func withDirectory<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing Descriptor?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch directory {
        case .some(let cgroup): try body(cgroup.directory)
        case .none: try body(nil)
        }
    }

    func join(_ pid: Int32) throws(CgroupError) {
        try ifPresent { cgroup throws(CgroupError) in try cgroup.join(pid) }
    }

    /// The error for a clone3 that failed because of the cgroup; nil where it failed for another reason. See
    /// ``FSManager/entryRefused(_:)``.
    package func entryRefused(_ error: SystemError) -> CgroupError? {
        ifPresent { cgroup in cgroup.entryRefused(error) } ?? nil
    }

    /// Whether this process, in the cgroup `own`, may put one into the container's. With systemd it is systemd that
    /// moves the process.
    package func checkEntry(from own: String?) throws(CgroupError) {
        if unit != nil { return }
        try ifPresent { cgroup throws(CgroupError) in try cgroup.checkEntry(from: own) }
    }

    /// Where a process that joins the container starts; nil without a cgroup. See
    /// ``FSManager/entry(below:initProcess:)``.
    package func entry(below sub: String?, initProcess: Int32) throws(CgroupError) -> Descriptor? {
        if directory == nil, sub != nil {
            throw CgroupError(
                "--cgroup: the container has no cgroup; it was made with --cgroup-manager=disabled, or by a user who had none"
            )
        }
        return try ifPresent { cgroup throws(CgroupError) in
            try inner(of: cgroup) { cgroup throws(CgroupError) in try cgroup.entry(below: sub, initProcess: initProcess)
            }
        }
    }

    package func delegate(owner: UInt32) throws(CgroupError) {
        try ifPresent { cgroup throws(CgroupError) in
            try inner(of: cgroup) { cgroup throws(CgroupError) in try cgroup.delegate(owner: owner) }
        }
    }

    /// See ``FSManager/enterDelegated(_:_:owner:)``.
    package func enterDelegated(_ name: String, _ pid: Int32, owner: UInt32) throws(CgroupError) {
        try required(for: "delegating one below it") { cgroup throws(CgroupError) in
            try cgroup.enterDelegated(name, pid, owner: owner)
        }
    }

    // MARK: Limits

    /// Writes settings; systemd's unit agrees with them already.
    package func apply(_ settings: [Setting]) throws(CgroupError) {
        if directory == nil, let first = settings.first {
            throw CgroupError(
                field: first.field, controller: first.controller, "needs a cgroup, and cgroups are disabled",
                remedy: "remove the limit, or --cgroup-manager=disabled")
        }
        try ifPresent { cgroup throws(CgroupError) in
            try cgroup.apply(unit == nil ? settings : UnitLimits.agreeable(settings))
        }
    }

    /// Changes limits of a container that is there: see ``FSManager/update(_:agreed:confirm:)``.
    package func update(_ update: ResourcesUpdate) throws(CgroupError) {
        try required(for: "changing its limits") { cgroup throws(CgroupError) in
            if let unit { try unit.update(update, of: cgroup) } else { try cgroup.update(update) }
        }
    }

    package func applyDeviceProgram(_ rules: DeviceRules) throws(CgroupError) {
        // Rules that deny nothing by themselves are what engines always send; without a cgroup they have no effect.
        if directory == nil, rules.hasDenial {
            throw CgroupError(
                field: "linux.resources.devices", "needs a cgroup, and cgroups are disabled",
                remedy: "remove the rules, or --cgroup-manager=disabled")
        }
        do throws(CgroupError) {
            try ifPresent { cgroup throws(CgroupError) in try cgroup.applyDeviceProgram(rules) }
        } catch {
            // A user's systemd may load no program, and the devices of a user namespace are bound from the host.
            guard error.isPermission, unit != nil, SystemdUser.isOwn else { throw error }
        }
    }

    /// Waits until the cgroup uses less memory than a limit that is to be written: see
    /// ``FSManager/awaitMemory(below:)``. A unit has had its limit from the beginning.
    package func awaitMemory(below limit: UInt64) {
        if unit == nil { ifPresent { cgroup in cgroup.awaitMemory(below: limit) } }
    }

    // MARK: The processes

    package func freeze() throws(CgroupError) {
        try required(for: "pausing") { cgroup throws(CgroupError) in try cgroup.freeze() }
    }

    package func thaw() throws(CgroupError) {
        try required(for: "resuming") { cgroup throws(CgroupError) in try cgroup.thaw() }
    }

    package func isFrozen() throws(CgroupError) -> Bool {
        try ifPresent { cgroup throws(CgroupError) in try cgroup.isFrozen() } ?? false
    }

    /// Whether a container's processes are frozen, found out without opening its cgroup: every question for a status
    /// asks this. A cgroup that is gone, or cannot be looked at, freezes nothing.
    package static func isFrozen(_ record: CgroupRecord) -> Bool {
        guard record.mode != .disabled, let text = try? Files.readText("\(record.root)\(record.path)/cgroup.events")
        else {
            return false
        }
        return FSManager.event("frozen", in: text)
    }

    func isPopulated() throws(CgroupError) -> Bool {
        try ifPresent { cgroup throws(CgroupError) in try cgroup.isPopulated() } ?? false
    }

    package func processes(recursive: Bool) throws(CgroupError) -> [Int32] {
        try required(for: "listing its processes") { cgroup throws(CgroupError) in
            try cgroup.processes(recursive: recursive)
        }
    }

    package func statistics() throws(CgroupError) -> Statistics {
        try required(for: "counting what it uses") { cgroup throws(CgroupError) in try cgroup.statistics() }
    }

    /// - Returns: nil where the memory is not counted.
    package func watchOOM() throws(CgroupError) -> OOMWatch? {
        try ifPresent { cgroup throws(CgroupError) in try cgroup.watchOOM() } ?? nil
    }

    /// How often the kernel has killed for memory; nil where the cgroup is gone or has no memory controller.
    package func memoryKills() -> MemoryKills? {
        ifPresent { cgroup in
            if let unit { unit.memoryKills(of: cgroup) } else { cgroup.memoryKills() }
        } ?? nil
    }

    package func kill() throws(CgroupError) {
        try ifPresent { cgroup throws(CgroupError) in try cgroup.kill() }
    }

    // MARK: The end

    /// Ends all processes, and takes away the unit with what systemd keeps of it, and the cgroup.
    package func remove() throws(CgroupError) {
        try ifPresent { cgroup throws(CgroupError) in
            if let unit { try unit.end(cgroup) }
            // Of a unit's cgroup mostly nothing is left; and all is, where systemd cannot be reached.
            try cgroup.remove()
        }
    }

    /// Takes back what ``create(_:host:plan:clearing:)`` or ``place(_:_:host:)`` made.
    package func rollBack() throws(CgroupError) {
        if let unit {
            if unit.isStarted { try remove() }
        } else {
            try ifPresent { cgroup throws(CgroupError) in try cgroup.rollBack() }
        }
    }

    /// For a container whose maker died: see ``FSManager/removeIfEmpty(timeout:)`` and
    /// ``ScopeManager/removeIfEmpty(root:)``.
    package func removeIfEmpty() {
        ifPresent { cgroup in
            if let unit { unit.removeIfEmpty(root: cgroup.root) } else { cgroup.removeIfEmpty() }
        }
    }

    // MARK: Lending the cgroup

    /// Lends the cgroup, for what is nothing to a container without.
    @discardableResult
    func ifPresent<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing FSManager) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        switch directory {
        case .some(let cgroup): try body(cgroup)
        case .none: nil
        }
    }

    /// Lends the cgroup, for what cannot be done without.
    private func required<Result>(
        for purpose: String, _ body: (borrowing FSManager) throws(CgroupError) -> Result
    ) throws(CgroupError) -> Result {
        if let result = try ifPresent(body) { return result }
        throw CgroupError(
            "the container has no cgroup, which \(purpose) needs; it was made with --cgroup-manager=disabled, or by a user who had none",
            remedy: "an ordinary user gets one by: systemd-run --user --scope -p Delegate=yes runbox …")
    }

    /// Lends the cgroup that the container's processes are in, which may be one below that of its unit.
    func inner<Result: ~Copyable>(
        of cgroup: borrowing FSManager, _ body: (borrowing FSManager) throws(CgroupError) -> Result
    ) throws(CgroupError) -> Result {
        guard let subgroup = unit?.scope.subgroup else { return try body(cgroup) }
        guard cgroup.directory != nil else { throw cgroup.gone }
        return try body(
            try FSManager(
                CgroupRecord(mode: .cgroupfs, root: cgroup.root, path: "\(cgroup.path)/\(subgroup)", created: [])))
    }
}
