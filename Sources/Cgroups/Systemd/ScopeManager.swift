package import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// A container's cgroup as a scope unit of systemd's: systemd makes it around a process that is there already, watches over it, and takes it away with its last process.
///
/// What is done to the cgroup between, is done through its files as in ``FSManager``; limits are told systemd as well, so that it writes the same ones.
package struct ScopeManager: ~Copyable, Sendable {
    /// The scope's cgroup. Until ``place(_:_:)`` it is a guess, and has no directory.
    package private(set) var cgroup: FSManager
    package private(set) var scope: ScopeRecord
    /// Whether there is, or was, a unit of this container's.
    private var isStarted: Bool
    /// What is still to be made, and who is asked for it.
    private var plan: ScopePlan?
    private var bus: SystemdBus?

    /// Reaches systemd for a scope that is to be made: where there is none, nothing has been touched yet.
    init(_ plan: ScopePlan, root: String) throws(CgroupError) {
        let bus = try SystemdBus.connect(isUser: plan.isUser)
        let record = plan.expectedRecord(root: root)
        self.init(
            cgroup: FSManager(root: root, path: CgroupPath(stored: record.path), created: [], directory: nil),
            scope: ScopeRecord(unit: plan.name.unit, subgroup: plan.subgroup, inode: 0), plan: plan, bus: bus)
    }

    private init(cgroup: consuming FSManager, scope: ScopeRecord, plan: ScopePlan?, bus: consuming SystemdBus?) {
        self.cgroup = cgroup
        self.scope = scope
        self.plan = plan
        self.bus = bus
        isStarted = plan == nil
    }

    /// Finds the scope of an earlier call again.
    static func open(_ record: CgroupRecord) throws(CgroupError) -> ScopeManager {
        guard let scope = record.scope else { throw CgroupError("the container's state names no systemd unit") }
        let found = try FSManager(record)
        // A cgroup that another scope of the same name got since is not this container's: its own is gone.
        let isOwn = found.directory == nil || found.inode() == scope.inode
        return ScopeManager(
            cgroup: isOwn ? found : FSManager(root: record.root, path: found.path, created: [], directory: nil),
            scope: scope, plan: nil, bus: nil)
    }

    var record: CgroupRecord {
        CgroupRecord(
            mode: .systemd, root: cgroup.root, path: cgroup.path.description, created: cgroup.created, scope: scope)
    }

    func closeInChild() {
        switch bus {
        case .some(let bus): bus.closeInChild()
        case .none: break
        }
    }

    // MARK: Making

    /// Has systemd make the scope with a process in it, and returns when the process is there.
    mutating func place(_ pid: Int32, _ resources: ResourcesPlan, isHybrid: Bool) throws(CgroupError) {
        guard let plan, case .some(var bus) = bus.take() else { return }
        let limits = UnitLimits(
            resources.settings, version: bus.version, devices: UnitLimits.deviceNodes(resources.settings))
        // A user's systemd may load no program; the container's devices are those of its user namespace anyway.
        let devices = plan.isUser ? nil : resources.devices.map { UnitDevices.properties($0, version: bus.version) }
        let properties = try plan.properties(of: pid, limits: limits.properties.list, devices: devices ?? [])
        try bus.start(plan.name.unit, properties, &isStarted)
        cgroup = try Self.find(pid, plan.name.unit, root: cgroup.root)
        try enter(pid)
        try enableControllers(resources, isHybrid: isHybrid)
    }

    /// The kernel knows where systemd has put the process.
    private static func find(_ pid: Int32, _ unit: String, root: String) throws(CgroupError) -> FSManager {
        do throws(SystemError) {
            let text = try Files.readText("/proc/\(pid)/cgroup")
            guard let path = CgroupHost.ownPath(inProcCgroup: text), path.ends(with: "/\(unit)"),
                !path.begins(with: "/..")
            else {
                throw SystemError(
                    "systemd has made the unit, but process \(pid) of the container is not in its cgroup", "", .noEntry)
            }
            let directory = try Files.open(root + path, [.readOnly, .directory])
            return FSManager(root: root, path: CgroupPath(stored: path), created: [path], directory: directory)
        } catch {
            throw CgroupError("the cgroup of unit \(unit) cannot be used: \(error)", code: error.code)
        }
    }

    private mutating func enter(_ pid: Int32) throws(CgroupError) {
        guard let inode = cgroup.inode() else { throw cgroup.gone }
        let subgroup = scope.subgroup
        scope = ScopeRecord(
            unit: scope.unit, subgroup: subgroup, inode: inode, began: MonotonicClock.milliseconds)
        guard let subgroup else { return }
        do throws(SystemError) {
            let path = "\(cgroup.fullPath)/\(subgroup)"
            try Files.makeDirectory(path, mode: 0o755)
            try Files.write(String(pid), into: "\(path)/cgroup.procs")
            // The limits are the scope's; what the container does with controllers below it is its own affair.
            let controllers = try Files.readText("\(cgroup.fullPath)/cgroup.controllers").parts(by: " ")
            let words = controllers.map { "+\($0)" }.joined(separator: " ")
            if !words.isEmpty { try Files.write(words, into: "\(cgroup.fullPath)/cgroup.subtree_control") }
        } catch {
            throw CgroupError(error, in: "\(cgroup.path)/\(subgroup)")
        }
    }

    /// systemd switches on what it knows; hugetlb and rdma it does not.
    private func enableControllers(_ resources: ResourcesPlan, isHybrid: Bool) throws(CgroupError) {
        let controllers = ControllerSwitch(root: cgroup.root, path: cgroup.path, isHybrid: isHybrid)
        switch cgroup.directory {
        case .some(let directory): try controllers.enable(resources.controllers, directory)
        case .none: throw cgroup.gone
        }
    }

    // MARK: Limits

    func apply(_ settings: [Setting]) throws(CgroupError) { try cgroup.apply(UnitLimits.agreeable(settings)) }

    /// The files first, for the kernel refuses by value; then systemd, which writes them once more. When it refuses, the files are as before.
    func update(_ update: ResourcesUpdate) throws(CgroupError) {
        var bus = try SystemdBus.connect(isUser: SystemdUser.isOwn)
        let settings = UnitLimits.agreeable(update.settings)
        let limits = UnitLimits(settings, version: bus.version, devices: UnitLimits.deviceNodes(settings))
        let unit = scope.unit
        try cgroup.update(update, agreed: settings) { () throws(CgroupError) in
            try bus.set(unit, limits.properties.list)
        }
    }

    /// A user may load no program, and the devices of a user namespace are bound from the host.
    func applyDeviceProgram(_ rules: DeviceRules) throws(CgroupError) {
        do throws(CgroupError) {
            try cgroup.applyDeviceProgram(rules)
        } catch {
            guard error.isPermission, SystemdUser.isOwn else { throw error }
        }
    }

    /// systemd takes the cgroup away with its counters as soon as its last process has ended; then the kernel's log remembers, for who may read it.
    func memoryKills() -> MemoryKills? {
        // systemd may take it away between two of its files: what they say then is only half of it.
        if let kills = cgroup.memoryKills(), Files.exists("\(cgroup.fullPath)/memory.events") { return kills }
        guard scope.began > 0 else { return nil }
        let path = cgroup.path.description
        let kills = KernelLog.memoryKills(below: path, since: scope.began)
        guard let last = kills.last else { return nil }
        let limit: MemoryKills.Limit =
            switch last.limited {
            case nil: .host
            case path: .own(path: path, bytes: last.limit)
            case .some(let other) where other.begins(with: "\(path)/"): .inside
            case .some(let other): .ancestor(path: other, bytes: last.limit)
            }
        return MemoryKills(count: UInt64(kills.count), limit: limit)
    }

    // MARK: Below the scope

    /// The cgroup that the container's processes are in.
    func inner() throws(CgroupError) -> FSManager {
        let path = cgroup.path.description + (scope.subgroup.map { "/\($0)" } ?? "")
        return try FSManager(CgroupRecord(mode: .fs, root: cgroup.root, path: path, created: []))
    }

    func delegate(owner: UInt32) throws(CgroupError) { try inner().delegate(owner: owner) }

    func entry(below sub: String?, initProcess: Int32) throws(CgroupError) -> Descriptor {
        guard cgroup.directory != nil else { throw cgroup.gone }
        return try inner().entry(below: sub, initProcess: initProcess)
    }

    // MARK: The end

    /// Ends all processes, the unit and what systemd keeps of it, and the cgroup.
    func remove() throws(CgroupError) {
        let isThere = cgroup.directory != nil
        // systemd would ask the processes to end, and give them a minute and a half.
        if isThere { try cgroup.kill() }
        end(stop: isThere || plan != nil)
        // Mostly nothing is left; and all is, where systemd cannot be reached.
        if isThere { try cgroup.remove() }
    }

    /// Takes back what ``place(_:_:)`` made.
    func withdraw() throws(CgroupError) {
        if isStarted { try remove() }
    }

    /// Of a container whose maker died before it knew of the unit: its init ends by itself then, and the unit with it. One that has processes still is another's.
    ///
    /// An init that ends while systemd takes it in leaves a unit that never had a process, and systemd waits for ever to see the last one go.
    func removeIfEmpty() {
        // Without systemd there is no unit to wait for.
        guard var bus = try? SystemdBus.connect(isUser: SystemdUser.isOwn) else { return }
        let end = MonotonicClock.milliseconds + 2_000
        var emptySince: Int64?
        while let path = try? bus.controlGroup(of: scope.unit), MonotonicClock.milliseconds < end {
            if !path.isEmpty, isPopulated(path) {
                emptySince = nil
            } else if let since = emptySince, MonotonicClock.milliseconds - since > Self.emptiness {
                try? bus.stop(scope.unit)
                break
            } else if emptySince == nil {
                emptySince = MonotonicClock.milliseconds
            }
            MonotonicClock.sleep(milliseconds: 20)
        }
        try? bus.resetFailed(scope.unit)  // one that has not failed has nothing to forget
    }

    /// So many milliseconds a unit has no process before it counts as one that never will: whoever makes one has its process in it at once.
    private static let emptiness: Int64 = 200

    private func isPopulated(_ path: String) -> Bool {
        // Without its cgroup it has no processes.
        guard let text = try? Files.readText("\(cgroup.root)\(path)/cgroup.events") else { return false }
        return FSManager.event("populated", in: text)
    }

    /// Best effort: a scope whose cgroup is empty ends by itself, whether systemd was told or not.
    private func end(stop: Bool) {
        guard var bus = try? SystemdBus.connect(isUser: SystemdUser.isOwn) else { return }
        if stop { try? bus.stop(scope.unit) }
        try? bus.resetFailed(scope.unit)
    }
}

extension UnitLimits {
    /// The nodes of the block devices that settings name. /dev/block, which would say the same, is udev's, and not everywhere.
    static func deviceNodes(_ settings: [Setting]) -> [String: String] {
        var nodes: [String: String] = [:]
        for setting in settings where setting.file.begins(with: "io.") {
            let value = setting.alternative?.value ?? setting.value
            for line in value.parts(by: "\n") {
                guard let device = line.parts(by: " ").first, device.containsByte(":"), !device.containsByte("/"),
                    // A device that is not there is the kernel's to refuse.
                    let text = try? Files.readText("/sys/dev/block/\(device)/uevent"),
                    let name = text.parts(by: "\n").lazy.compactMap({ $0.rest(after: "DEVNAME=") }).first
                else { continue }
                nodes[device] = "/dev/\(name)"
            }
        }
        return nodes
    }
}
