internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Ending a container's processes and taking its cgroup away.
extension FSManager {
    /// How long a cgroup may take to empty before removing it is given up.
    static let removalTime: Int64 = 10_000

    /// Kills every process in the cgroup and below it, frozen ones too; does not wait for their end (cgroup-v2.rst,
    /// `cgroup.kill`).
    func kill() throws(CgroupError) {
        _ = try inDirectory { directory throws(SystemError) in
            do throws(SystemError) {
                try Files.write("1", into: "cgroup.kill", at: directory)
            } catch {
                // The file is there since Linux 5.14, and not in threaded cgroups.
                guard error.isMissing || error.code == .notSupported else { throw error }
                try Self.killOneByOne(directory)
            }
        }
    }

    /// Frozen processes make no new ones while the list is gone through, and SIGKILL reaches them all the same.
    static func killOneByOne(_ directory: borrowing Descriptor) throws(SystemError) {
        // Best effort: without freezing, the loop in `remove` catches those that were forked meanwhile.
        try? Files.write("1", into: "cgroup.freeze", at: directory)
        defer { try? Files.write("0", into: "cgroup.freeze", at: directory) }
        for pid in try processes(in: directory, recursive: true) {
            // One that has ended by now needs no killing; 0 stands for a process of an outer pid namespace, which has
            // no number here.
            if pid > 0 { try? Processes.kill(pid, .kill) }
        }
    }

    /// Removes the cgroup with all cgroups below it, killing what still runs there; then those above that were made for
    /// this container and are empty. A cgroup that is gone already is as good as removed, and so is one that another
    /// container has taken over.
    /// - Parameter timeout: milliseconds.
    func remove(timeout: Int64 = Self.removalTime) throws(CgroupError) {
        try removeOwn(timeout: timeout)
        try removeParents()
    }

    /// Takes back what was made for a container that did not come to be. A cgroup that was there before stays, with all
    /// that is in it.
    func rollBack() throws(CgroupError) {
        if created.contains(path.description) { try removeOwn(timeout: Self.removalTime) }
        try removeParents()
    }

    /// Removes the cgroup of a container whose maker died without recording whether it had made it: nothing in it is
    /// killed, because it may be another's.
    /// - Parameter timeout: milliseconds; an init of ours that finds its maker dead ends by itself.
    func removeIfEmpty(timeout: Int64 = 2_000) {
        let end = MonotonicClock.milliseconds + timeout
        while true {
            do throws(SystemError) {
                try removeDirectory()
                break
            } catch {
                if error.code != .busy || MonotonicClock.milliseconds >= end { break }
            }
            MonotonicClock.sleep(milliseconds: 5)
        }
        try? removeParents()  // another container's, perhaps; empty ones do no harm
    }

    private func removeParents() throws(CgroupError) {
        for parent in created.reversed() where parent != path.description {
            do throws(SystemError) {
                try Files.removeDirectory(root + parent)
            } catch {
                if error.isMissing { continue }
                // Other containers have moved in, and it is theirs now.
                if error.code == .busy { break }
                throw CgroupError(error, in: parent)
            }
        }
    }

    private func removeOwn(timeout: Int64) throws(CgroupError) {
        let end = MonotonicClock.milliseconds + timeout
        var pause: Int64 = 1
        while true {
            do throws(SystemError) {
                return try removeTree()
            } catch {
                guard error.code == .busy else { throw CgroupError(error, in: path.description) }
            }
            if MonotonicClock.milliseconds >= end { throw try occupied(timeout) }
            try kill()
            MonotonicClock.sleep(milliseconds: pause)
            pause = min(pause * 2, 50)
        }
    }

    /// The bare rmdir first: that is all a container that has ended needs.
    private func removeTree() throws(SystemError) {
        do throws(SystemError) {
            return try removeDirectory()
        } catch {
            guard error.code == .busy else { throw error }
        }
        switch directory {
        case .some(let directory):
            do throws(SystemError) {
                try Files.removeContents(of: directory, .directories)
            } catch {
                // Removed by another process between two looks: the next look decides.
                guard error.isMissing || error.code == .noDevice else { throw error }
            }
            try removeDirectory()
        case .none: break
        }
    }

    /// Removes the cgroup's own directory, unless it is gone or another container's: one that is being made holds its
    /// lock, and one that was made later at the same path is another directory. Only the lock's holder removes
    /// what the path names, so it cannot change between the look and the removal.
    private func removeDirectory() throws(SystemError) {
        switch directory {
        case .some(let directory):
            guard try Files.tryLock(directory) else { return }
            do throws(SystemError) {
                try Self.remove(directory, at: path, root: root)
            } catch {
                guard error.isMissing else { throw error }
            }
        case .none: return
        }
    }

    /// Removes what the path names if it is this very directory.
    static func remove(
        _ directory: borrowing Descriptor, at path: CgroupPath, root: String
    ) throws(SystemError) {
        let above = try Files.open(root + (path.ancestors.last ?? ""), [.path, .directory])
        let name = ByteName(path.components.last ?? "")
        let own = try Files.status(of: directory)
        let named = try Files.status(name, at: above)
        guard named.isSameFile(as: own) else { return }
        try Files.removeDirectory(name, at: above)
    }

    private func occupied(_ timeout: Int64) throws(CgroupError) -> CgroupError {
        let left = try processes(recursive: true)
        let who =
            if let stuck = try stuckProcess() {
                stuck
            } else if let first = left.first {
                "\(left.count) process(es) live on, among them \(first)"
            } else {
                "the kernel still uses it"
            }
        return CgroupError("cgroup \(path) could not be removed within \(timeout) ms: \(who)", code: .busy)
    }
}
