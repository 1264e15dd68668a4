internal import Kernel

/// Ending a container's processes and taking its cgroup away.
extension FSManager {
    /// How long a cgroup may take to empty before removing it is given up.
    package static let removalTime: Int64 = 10_000

    /// Kills every process in the cgroup and below it, frozen ones too; does not wait for their end (cgroup-v2.rst, `cgroup.kill`).
    package func kill() throws(CgroupError) {
        guard directory != nil else { return }
        do throws(SystemError) {
            try Files.write("1", into: "\(fullPath)/cgroup.kill")
        } catch {
            if error.code == .noDevice { return }  // just being removed
            // The file is there since Linux 5.14, and not in threaded cgroups.
            guard error.isMissing || error.code == .notSupported else { throw CgroupError(error, in: path.description) }
            try killOneByOne()
        }
    }

    /// Frozen processes make no new ones while the list is gone through, and SIGKILL reaches them all the same.
    func killOneByOne() throws(CgroupError) {
        // Best effort: without freezing the loop in `remove` catches those that were too quick.
        try? Files.write("1", into: "\(fullPath)/cgroup.freeze")
        defer { try? Files.write("0", into: "\(fullPath)/cgroup.freeze") }
        for pid in try processes(recursive: true) {
            // One that has ended by now needs no killing; 0 stands for a process of an outer pid name space, which has no number here.
            if pid > 0 { try? Processes.kill(pid, Signal.kill.rawValue) }
        }
    }

    /// Removes the cgroup with all cgroups below it, killing what still runs there; then those above that were made for this container and are empty. A cgroup that
    /// is gone already is as good as removed.
    /// - Parameter timeout: milliseconds.
    package func remove(timeout: Int64 = Self.removalTime) throws(CgroupError) {
        try removeOwn(timeout: timeout)
        removeParents()
    }

    /// Takes back what was made for a container that did not come to be. A cgroup that was there before stays, with all that is in it.
    package func withdraw() throws(CgroupError) {
        if created.contains(path.description) { try removeOwn(timeout: Self.removalTime) }
        removeParents()
    }

    /// Removes the cgroup of a container whose maker died without telling whether it had made it: nothing in it is killed, because it may be another's.
    /// - Parameter patience: milliseconds; an init of ours that finds its maker dead ends by itself.
    package func removeIfEmpty(patience: Int64 = 2_000) {
        let end = MonotonicClock.milliseconds + patience
        while true {
            do throws(SystemError) {
                try Files.removeDirectory(fullPath)
                break
            } catch {
                if error.code != .busy || MonotonicClock.milliseconds >= end { break }
            }
            MonotonicClock.sleep(milliseconds: 5)
        }
        removeParents()
    }

    private func removeParents() {
        for parent in created.reversed() where parent != path.description {
            do throws(SystemError) {
                try Files.removeDirectory(root + parent)
            } catch {
                if error.isMissing { continue }
                // Busy: other containers have moved in, and it is theirs now. Whatever else: an empty cgroup harms nobody.
                break
            }
        }
    }

    private func removeOwn(timeout: Int64) throws(CgroupError) {
        let end = MonotonicClock.milliseconds + timeout
        var pause: Int64 = 1
        while true {
            do throws(SystemError) {
                return try Self.removeTree(fullPath)
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
    private static func removeTree(_ path: String) throws(SystemError) {
        do {
            return try Files.removeDirectory(path)
        } catch {
            if error.isMissing { return }
            guard error.code == .busy else { throw error }
        }
        do {
            for name in try Files.listDirectories(path) { try removeTree("\(path)/\(name)") }
            try Files.removeDirectory(path)
        } catch {
            guard error.isMissing else { throw error }
        }
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
