internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// The scope unit of a container whose cgroup systemd manages: systemd makes it around a process that is there already,
/// watches over it, and takes it away with its last process.
///
/// What is done to the cgroup between, is done through its files by ``FSManager``; limits are passed to systemd as
/// well, so that it writes the same ones.
struct ScopeManager: Sendable {
    private(set) var scope: ScopeRecord
    /// Whether there is, or was, a unit of this container's.
    private(set) var isStarted: Bool
    /// What is still to be made.
    private let plan: ScopePlan?

    /// A scope that is to be made.
    init(_ plan: ScopePlan) {
        scope = ScopeRecord(unit: plan.name.unit, subgroup: plan.subgroup, inode: 0)
        self.plan = plan
        isStarted = false
    }

    /// The scope of an earlier call.
    init(_ record: CgroupRecord) throws(CgroupError) {
        guard let scope = record.scope else { throw CgroupError("the container's state names no systemd unit") }
        self.scope = scope
        plan = nil
        isStarted = true
    }

    func record(of cgroup: borrowing FSManager) -> CgroupRecord {
        CgroupRecord(
            mode: .systemd, root: cgroup.root, path: cgroup.path.description, created: cgroup.created, scope: scope)
    }

    // MARK: Making

    /// Has systemd make the scope with a process in it, and returns its cgroup when the process is there; nil where no
    /// scope is to be made.
    mutating func start(
        _ pid: Int32, _ resources: ResourcesPlan, root: String, _ bus: inout SystemdBus
    ) throws(CgroupError) -> FSManager? {
        guard let plan else { return nil }
        let limits = UnitLimits(
            resources.settings, version: bus.version, devices: UnitLimits.deviceNodes(resources.settings))
        // A user's systemd may load no program; the container's devices are those of its user namespace anyway.
        let devices = plan.isUser ? nil : resources.devices.map { UnitDevices.properties($0, version: bus.version) }
        let properties = try plan.properties(of: pid, limits: limits.properties.list, devices: devices ?? [])
        try bus.start(plan.name.unit, properties, &isStarted)
        return try Self.find(pid, plan.name.unit, root: root)
    }

    /// The kernel knows where systemd has put the process.
    private static func find(_ pid: Int32, _ unit: String, root: String) throws(CgroupError) -> FSManager {
        do throws(SystemError) {
            let text = try Files.readText("/proc/\(pid)/cgroup")
            guard let path = CgroupHost.ownPath(inProcCgroup: text), path.ends(with: "/\(unit)"),
                !path.begins(with: "/..")
            else {
                throw .failed(
                    "systemd has made the unit, but process \(pid) of the container is not in its cgroup", "", .noEntry)
            }
            let directory = try Files.open(root + path, [.readOnly, .directory])
            return FSManager(root: root, path: CgroupPath(stored: path), created: [path], directory: directory)
        } catch {
            throw CgroupError("the cgroup of unit \(unit) cannot be used: \(error)", code: error.code)
        }
    }

    /// Takes note of the scope's cgroup, and moves the process into the one below it that is asked for.
    mutating func enter(_ pid: Int32, _ cgroup: borrowing FSManager) throws(CgroupError) {
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
    static func enableControllers(
        _ resources: ResourcesPlan, _ cgroup: borrowing FSManager, isHybrid: Bool
    ) throws(CgroupError) {
        let controllers = ControllerSwitch(root: cgroup.root, path: cgroup.path, isHybrid: isHybrid)
        switch cgroup.directory {
        case .some(let directory): try controllers.enable(resources.controllers, directory)
        case .none: throw cgroup.gone
        }
    }

    // MARK: Limits

    /// The files first, for the kernel refuses by value; then systemd, which writes them once more. When it refuses,
    /// the files are as before.
    func update(_ update: ResourcesUpdate, of cgroup: borrowing FSManager) throws(CgroupError) {
        var bus = try SystemdBus.connect(isUser: SystemdUser.isOwn)
        let settings = UnitLimits.agreeable(update.settings)
        let limits = UnitLimits(settings, version: bus.version, devices: UnitLimits.deviceNodes(settings))
        try cgroup.update(update, agreed: settings) { () throws(CgroupError) in
            try bus.set(scope.unit, limits.properties.list)
        }
    }

    /// systemd takes the cgroup away with its counters as soon as its last process has ended; then the kernel's log
    /// still has the kill, for users who may read it.
    func memoryKills(of cgroup: borrowing FSManager) -> MemoryKills? {
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

    // MARK: The end

    /// Ends all processes, the unit and what systemd keeps of it. Best effort: a scope whose cgroup is empty ends by
    /// itself, whether systemd was asked or not.
    func end(_ cgroup: borrowing FSManager) throws(CgroupError) {
        let isThere = cgroup.directory != nil
        // systemd would ask the processes to end, and give them a minute and a half.
        if isThere { try cgroup.kill() }
        guard var bus = try? SystemdBus.connect(isUser: SystemdUser.isOwn) else { return }
        if isThere || plan != nil { try? bus.stop(scope.unit) }
        try? bus.resetFailed(scope.unit)
    }

    /// Of a container whose maker died before it knew of the unit: its init ends by itself then, and the unit with it.
    /// One that has processes still is another's.
    ///
    /// An init that ends while systemd takes it in leaves a unit that never had a process, and systemd waits for ever
    /// to see the last one go.
    func removeIfEmpty(root: String) {
        // Without systemd there is no unit to wait for.
        guard var bus = try? SystemdBus.connect(isUser: SystemdUser.isOwn) else { return }
        let end = MonotonicClock.milliseconds + 2_000
        var emptySince: Int64?
        while let path = try? bus.controlGroup(of: scope.unit), MonotonicClock.milliseconds < end {
            if !path.isEmpty, Self.isPopulated(root + path) {
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

    /// So many milliseconds a unit has no process before it counts as one that never will: a new unit has its
    /// process in it at once.
    private static let emptiness: Int64 = 200

    private static func isPopulated(_ cgroup: String) -> Bool {
        // Without its cgroup it has no processes.
        guard let text = try? Files.readText("\(cgroup)/cgroup.events") else { return false }
        return FSManager.event("populated", in: text)
    }
}

extension UnitLimits {
    /// The nodes of the block devices that settings name. /dev/block, which would say the same, is udev's, and not
    /// everywhere.
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
