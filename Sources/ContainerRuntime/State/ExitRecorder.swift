internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// Learns how a container ended, and keeps it: the first command that sees the end writes the exit record.
struct ExitRecorder: Sendable {
    let record: Record
    let store: Store
    /// The command that looks.
    let command: String

    private var folder: String { store.folder(record.id) }

    /// The exit record of the state folder; nil when there is none.
    func recorded() -> ContainerExit? {
        // Not there: no command has seen the end yet.
        guard let bytes = try? Files.read("\(folder)/\(ContainerExit.fileName)", limit: 1 << 16) else { return nil }
        return ContainerExit(bytes)
    }

    /// What is known of a container that has stopped, at once.
    func observe() -> ContainerExit {
        if let exit = recorded() { return exit }
        guard let reason = learn() else { return unknown() }
        var exit = describe(reason)
        exit.finishedBefore = Timestamp.now()
        keep(exit)
        return exit
    }

    /// The caller has just seen the init end.
    func note(_ reason: ExitReason) -> ContainerExit {
        var exit = describe(reason)
        exit.finishedAt = Timestamp.now()
        keep(exit)
        return exit
    }

    /// A zombie has the status until it is reaped, and a pin from then on: in between is no gap, but two looks may
    /// straddle the moment.
    func learn() -> ExitReason? {
        for _ in 0..<2 {
            if let reason = Processes.zombieEnd(record.pid, startTime: record.startTime) ?? PidfdPin.end(folder) {
                return reason
            }
        }
        return nil
    }

    private func describe(_ reason: ExitReason?) -> ContainerExit {
        var exit = ContainerExit(reason, observedBy: command)
        exit.startedAt = StartTime.read(folder)
        if let kills = memoryKills() {
            // Another process of the container may have been the victim; only SIGKILL can have been the init's own.
            exit.wasKilledForMemory = kills.count > 0 && reason == .killed(signal: .kill)
            if exit.wasKilledForMemory == true { exit.memoryLimit = kills.limit.map(MemoryLimitHit.init) }
        }
        return exit
    }

    private func unknown() -> ContainerExit {
        var exit = describe(nil)
        exit.wasKilledForMemory = nil
        exit.unknown =
            record.pid == 0
            ? "the container was never finished"
            : "process \(record.pid) was reaped by its parent before runbox looked; call runbox wait before the end\(hint)"
        exit.finishedBefore = Timestamp.now()
        return exit
    }

    /// What of that is a matter of the kernel's age.
    private var hint: String {
        KernelRelease.current < (6, 15)
            ? ", or use Linux 6.15, which keeps exit codes (runbox doctor)" : ""
    }

    private func memoryKills() -> MemoryKills? {
        do throws(CgroupError) {
            return try CgroupManager.open(record.cgroup).memoryKills()
        } catch {
            return nil  // a cgroup that cannot be read shows nothing
        }
    }

    /// Writes the record unless the container is being deleted, or the folder is not this user's: then there is nothing
    /// to keep it for, or no place.
    private func keep(_ exit: ContainerExit) {
        store.ifUnchanged(record) {
            try? Files.replace("\(folder)/\(ContainerExit.fileName)", with: exit.json(), mode: 0o600)
        }
    }
}
