internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes

/// `delete`: ends what still runs, and then the container.
struct ContainerDelete {
    let record: Record
    let store: Store
    let warn: (String) -> Void

    /// How long the init gets to die of SIGKILL, in milliseconds; a process in uninterruptible sleep may take longer
    /// and is then named.
    private static let timeout: Int32 = 10_000

    /// - Parameter folder: the container's state folder, locked.
    func run(_ folder: borrowing Descriptor) throws(RuntimeError) {
        // Read before the folder goes; damage there must not keep the container alive.
        var hooks: StoredHooks?
        do throws(RuntimeError) {
            hooks = try StoredHooks.read(record, store: store)
        } catch {
            warn(error.description)
        }
        try endInit()
        do throws(ContainerEnd.Obstacle) {
            try ContainerEnd(record: record, store: store, hooks: hooks, warn: warn).run(folder)
        } catch {
            throw error.error
        }
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
        if try Polling.wait([(pidfd.number, .readable)], timeout: Self.timeout)[0].isEmpty {
            throw .refused(
                "process \(record.pid) does not end although it was killed; it hangs in the kernel, see /proc/\(record.pid)/stack"
            )
        }
    }
}
