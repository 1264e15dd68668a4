internal import Kernel

/// Makes the container's cgroup with the controllers that its settings need.
///
/// Without settings that is one mkdir and one open. What was made is remembered, so that a failure takes away that and nothing else.
struct FSCreation: ~Copyable {
    private let root: String
    private let path: CgroupPath
    private let isHybrid: Bool
    private(set) var created: [String] = []

    init(root: String, path: CgroupPath, isHybrid: Bool) {
        self.root = root
        self.path = path
        self.isHybrid = isHybrid
    }

    mutating func run(_ plan: ResourcesPlan) throws(CgroupError) -> Descriptor {
        do throws(CgroupError) {
            let isNew = try makeDirectories()
            let directory = try open()
            if !isNew { try checkUnused(directory) }
            try ControllerSwitch(root: root, path: path, isHybrid: isHybrid).enable(plan.controllers, directory)
            return directory
        } catch {
            undo()
            throw error
        }
    }

    /// Removes what was made here.
    private func undo() {
        // Best effort: the failure that led here is the one to report, and another container may be using a common parent by now.
        for path in created.reversed() { try? Files.removeDirectory(root + path) }
    }

    private func open() throws(CgroupError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open(root + path.description, [.readOnly, .directory])
        } catch {
            throw CgroupError(error, in: path.description)
        }
    }

    /// - Returns: whether the container's own cgroup is a new one.
    private mutating func makeDirectories() throws(CgroupError) -> Bool {
        // Another container that ends may take a common parent away in between; a few tries outrun that.
        for _ in 0..<8 {
            do throws(SystemError) {
                return try make(path.description)
            } catch {
                guard error.isMissing else { throw refused(error) }
            }
            for ancestor in path.ancestors {
                do throws(SystemError) {
                    _ = try make(ancestor)
                } catch {
                    guard error.isMissing else { throw refused(error) }
                }
            }
        }
        throw CgroupError("cgroup \(path) cannot be made: its parents vanish again and again", code: .noEntry)
    }

    private mutating func make(_ path: String) throws(SystemError) -> Bool {
        do {
            try Files.makeDirectory(root + path, mode: 0o755)
        } catch {
            if error.code == .exists { return false }
            throw error
        }
        if !created.contains(path) { created.append(path) }
        return true
    }

    /// Words for what mkdir says (cgroup-v2.rst, "Delegation"; `cgroup.max.descendants` and `cgroup.max.depth` give EAGAIN).
    private func refused(_ error: SystemError) -> CgroupError {
        let reason = "cgroup \(path) cannot be made: \(error.code)"
        if error.code == .tryAgain {
            return CgroupError(
                reason, remedy: "raise cgroup.max.descendants or cgroup.max.depth of a cgroup above it",
                code: error.code)
        }
        let made = CgroupError(reason, code: error.code)
        guard made.isPermission else { return made }
        return CgroupError(
            reason, remedy: "have a cgroup delegated to this user (systemd: Delegate=yes) and name one below it",
            code: error.code)
    }

    /// A cgroup that was there already must be fit for a container (config-linux.md, "Control groups": a non-empty or frozen one is not).
    private func checkUnused(_ directory: borrowing Descriptor) throws(CgroupError) {
        let events: String
        var processes: [Int32] = []
        do throws(SystemError) {
            events = try Files.readText("cgroup.events", at: directory)
            if FSManager.event("populated", in: events) {
                try FSManager.collect(root + path.description, recursive: true, into: &processes)
            }
        } catch {
            throw CgroupError(error, in: path.description)
        }
        if FSManager.event("populated", in: events) {
            throw CgroupError(
                field: "linux.cgroupsPath",
                "container's cgroup is not empty: \(processes.count) process(es) found in \(path)",
                remedy: "name a cgroup of the container's own", code: .busy)
        }
        if FSManager.event("frozen", in: events) {
            throw CgroupError(
                field: "linux.cgroupsPath", "container's cgroup unexpectedly frozen: \(path)",
                remedy: "write 0 to its cgroup.freeze, or to that of a cgroup above it", code: .busy)
        }
    }
}
