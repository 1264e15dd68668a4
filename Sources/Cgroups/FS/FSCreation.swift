internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Makes the container's cgroup with the controllers that its settings need, and those that count what it uses.
///
/// Where these are on already that is one mkdir, one open and one file that is read. What was made is remembered, so
/// that a failure takes away that and nothing else.
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
            let directory = try claim()
            do throws(CgroupError) {
                let controllers = ControllerSwitch(root: root, path: path, isHybrid: isHybrid)
                try controllers.enable(plan.controllers, directory)
                controllers.enableUsual(directory)
            } catch {
                undoOwn(directory)
                throw error
            }
            return directory
        } catch {
            undo()
            throw error
        }
    }

    /// Makes the cgroup where it is missing, and takes it for this container.
    private mutating func claim() throws(CgroupError) -> Descriptor {
        // Another container that fails may take its cgroup away between our finding and our locking it; a few tries
        // outrun that.
        var tries = 8
        while true {
            do throws(CgroupError) {
                try makeDirectories()
                let directory = try open()
                try lock(directory)
                do throws(CgroupError) {
                    try checkUnused(directory)
                } catch {
                    undoOwn(directory)
                    throw error
                }
                return directory
            } catch {
                tries -= 1
                guard tries > 0, error.code == .noEntry || error.code == .noDevice else { throw error }
            }
        }
    }

    /// Removes the cgroup itself if it was made here, as long as the lock keeps others from taking it for theirs.
    private mutating func undoOwn(_ directory: borrowing Descriptor) {
        let own = path.description
        guard created.contains(own) else { return }
        created.removeAll { $0 == own }
        // Best effort: the failure that led here is the one to report.
        try? FSManager.remove(directory, at: path, root: root)
    }

    /// Removes what was made here.
    private func undo() {
        // Best effort: the failure that led here is the one to report, and another container may be using a common
        // parent by now.
        for path in created.reversed() { try? Files.removeDirectory(root + path) }
    }

    private func open() throws(CgroupError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open(root + path.description, [.readOnly, .directory])
        } catch {
            throw CgroupError(error, in: path.description)
        }
    }

    /// Two containers that are made at the same moment would both find the cgroup empty. So it is locked until the init
    /// is in it, or nothing came of it; also a cgroup that is new, for another may have found it before the lock.
    private mutating func lock(_ directory: borrowing Descriptor) throws(CgroupError) {
        do throws(SystemError) {
            if try Files.tryLock(directory) { return }
        } catch {
            throw CgroupError(error, in: path.description)
        }
        created.removeAll { $0 == path.description }  // it is the other's now
        throw CgroupError(
            field: "linux.cgroupsPath",
            "container's cgroup is not empty: another container is being made in \(path)",
            remedy: "name a cgroup of the container's own", code: .busy)
    }

    private mutating func makeDirectories() throws(CgroupError) {
        // Another container that ends may take a common parent away in between; a few tries outrun that.
        for _ in 0..<8 {
            do throws(SystemError) {
                return try make(path.description)
            } catch {
                guard error.isMissing else { throw refused(error) }
            }
            for ancestor in path.ancestors {
                do throws(SystemError) {
                    try make(ancestor)
                } catch {
                    guard error.isMissing else { throw refused(error) }
                }
            }
        }
        throw CgroupError("cgroup \(path) cannot be made: its parents vanish again and again", code: .noEntry)
    }

    private mutating func make(_ path: String) throws(SystemError) {
        do {
            try Files.makeDirectory(root + path, mode: 0o755)
        } catch {
            if error.code == .exists { return }
            throw error
        }
        if !created.contains(path) { created.append(path) }
    }

    /// The error for what mkdir(2) answers (cgroup-v2.rst, "Delegation"; `cgroup.max.descendants` and
    /// `cgroup.max.depth` give EAGAIN).
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

    /// The cgroup must be fit for a container (config-linux.md, "Control groups": a non-empty or frozen one is not).
    private func checkUnused(_ directory: borrowing Descriptor) throws(CgroupError) {
        let events: String
        var processes: [Int32] = []
        do throws(SystemError) {
            events = try Files.readText("cgroup.events", at: directory)
            if FSManager.event("populated", in: events) {
                processes = try FSManager.processes(in: directory, recursive: true)
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
