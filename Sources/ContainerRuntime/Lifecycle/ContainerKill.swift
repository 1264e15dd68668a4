internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// `kill`: reaches the very process that the record means, or all of the container's.
struct ContainerKill: Sendable {
    let record: Record
    let status: ContainerStatus

    func run(_ signal: Signal, all: Bool) throws(RuntimeError) {
        // Without a pid namespace of its own, the death of the init does not take the others along.
        let wholeCgroup = all || (signal == .kill && record.sharesProcesses)
        guard status.allowsKill || all, record.pid != 0 || all else {
            throw .status(reason: "container not running")
        }
        // While it is being made, its cgroup may still be another's that is about to be refused.
        if wholeCgroup, record.isReady, record.cgroup.mode != .disabled {
            do throws(CgroupError) {
                try signalCgroup(signal)
            } catch {
                // A cgroup that is gone has no processes.
                guard error.code == .noEntry else { throw RuntimeError(error) }
            }
            return
        }
        guard status.allowsKill, record.pid != 0 else { return }
        try operation("kill container") { () throws(SystemError) in
            let process = try open()
            try Processes.send(signal, to: process)
        }
    }

    /// A handle on the init, checked after opening: a number that was given to another process is not touched.
    private func open() throws(SystemError) -> Descriptor {
        let pidfd: Descriptor
        do throws(SystemError) {
            pidfd = try Processes.open(record.pid)
        } catch  where error.code == .noProcess {
            throw .refused("container not running: no such process")
        }
        guard try Processes.startTime(record.pid) == record.startTime else {
            throw .refused("container not running: no such process")
        }
        return pidfd
    }

    /// SIGKILL goes to all at once; for others the cgroup is frozen, so that no process is forked behind the list.
    private func signalCgroup(_ signal: Signal) throws(CgroupError) {
        let cgroup = try CgroupManager.open(record.cgroup)
        if signal == .kill { return try cgroup.kill() }
        let wasFrozen = try cgroup.isFrozen()
        if !wasFrozen { try cgroup.freeze() }
        do throws(CgroupError) {
            // 0 stands for a process of an outer pid namespace, and would mean our own process group.
            for pid in try cgroup.processes(recursive: true) where pid > 0 {
                // Frozen processes do not end meanwhile; one that cannot be reached is another user's.
                try? Processes.kill(pid, signal)
            }
        } catch {
            if !wasFrozen { try? cgroup.thaw() }  // the first error is the one to report
            throw error
        }
        if !wasFrozen { try cgroup.thaw() }
    }
}
