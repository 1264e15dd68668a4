internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes

/// `delete`: ends what still runs, removes cgroup and state, and calls the poststop hooks.
struct ContainerDelete {
    let record: Record
    let store: Store
    let warn: (String) -> Void

    /// How long the init gets to die of SIGKILL, in milliseconds; a process in uninterruptible sleep may take longer and is then named.
    private static let patience: Int32 = 10_000

    /// - Parameter folder: the container's state folder, locked.
    func run(_ folder: borrowing Descriptor) throws(RuntimeError) {
        // Read before the folder goes; damage there must not keep the container alive.
        var hooks: LaterHooks?
        if record.hasLaterHooks {
            do throws(RuntimeError) {
                hooks = try LaterHooks(record, store: store)
            } catch {
                warn(error.description)
            }
        }
        try endInit()
        do throws(CgroupError) {
            try removeCgroup()
        } catch {
            // The state stays: without it nobody would find the cgroup again.
            throw RuntimeError(error)
        }
        Cleanup.removeResctrlGroup(record, warn: warn)
        do throws(SystemError) {
            try store.remove(record.id, folder)
        } catch {
            throw RuntimeError(error, doing: "remove the state")
        }
        hooks?.runPoststop(warn: warn)
    }

    private func endInit() throws(RuntimeError) {
        guard record.pid != 0 else { return }
        do throws(SystemError) {
            guard let time = try Processes.startTime(record.pid), time == record.startTime else { return }
            try kill()
        } catch {
            if error.code != .noProcess { throw RuntimeError(error, doing: "end the container's process") }
        }
    }

    private func kill() throws(SystemError) {
        let pidfd = try Processes.open(record.pid)
        // Looked at again behind the handle: the number may have been given to another process meanwhile.
        guard try Processes.startTime(record.pid) == record.startTime else { return }
        try Processes.send(.kill, to: pidfd)
        if try Polling.wait([(pidfd.number, .readable)], timeout: Self.patience)[0].isEmpty {
            throw .refused(
                "process \(record.pid) does not end although it was killed; it hangs in the kernel, see /proc/\(record.pid)/stack"
            )
        }
    }

    private func removeCgroup() throws(CgroupError) {
        let cgroup = try CgroupManager.open(record.cgroup)
        // The maker died before it could write down whether the cgroup is of its making.
        if !record.isReady, record.cgroup.inode == 0 { return cgroup.removeIfEmpty() }
        try cgroup.remove()
    }
}
