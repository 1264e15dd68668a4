public import Errors
internal import Kernel
internal import KernelTypes

extension Container {
    /// Waits until the container's init has ended, and keeps its exit code in the state. It need not be this process's
    /// child; if it is, it is reaped.
    ///
    /// - Parameter timeout: how long to wait at most; nil waits for ever.
    /// - Returns: the payload's exit code, or 128 + the number of the signal that ended it.
    /// - Throws: ``RuntimeError/timedOut(reason:)``; ``RuntimeError/failed(reason:)`` when the container has ended and
    ///   its exit code could not be learnt.
    public func wait(timeout: Duration? = nil) throws(RuntimeError) -> Int32 {
        let timeout = timeout.map { $0.milliseconds }
        let deadline = Deadline(milliseconds: timeout)
        let record = try finishedRecord(deadline, timeout)
        let code = try ContainerWait(
            observer: ExitRecorder(record: record, store: store, command: "wait"), deadline: deadline,
            timeout: timeout ?? 0
        ).run()
        // What a zombie could say is known now.
        Processes.reap(record.pid, startTime: record.startTime)
        return code
    }

    /// Opens a descriptor that becomes readable when the container's init ends, so that a program can wait for many
    /// containers, and whatever else it has, by one poll(2); ``wait(timeout:)`` then returns at once. pidfd_open(2).
    ///
    /// - Returns: the descriptor, close-on-exec; the caller closes it.
    /// - Throws: ``RuntimeError/status(reason:)`` when the container has ended already, or has no process yet.
    public func pidfd() throws(RuntimeError) -> Int32 {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        if record.pid == 0 { throw .status(reason: "container not running: \(id) is still being created") }
        let ended = "container not running: \(id) has ended"
        do throws(SystemError) {
            let pidfd = try Processes.open(record.pid)
            // Looked at behind the handle: the number may have been given to another process meanwhile.
            guard try Processes.startTime(record.pid) == record.startTime else { throw SystemError("", "", .noProcess) }
            return pidfd.take()
        } catch {
            if error.code == .noProcess { throw .status(reason: ended) }
            throw RuntimeError(error, doing: "open the process of container \(id)")
        }
    }

    /// The record once the container has a process.
    private func finishedRecord(_ deadline: Deadline, _ timeout: Int64?) throws(RuntimeError) -> Record {
        while true {
            if let record = try store.load(id.description), record.pid != 0 { return record }
            if deadline.hasPassed {
                throw .timedOut(reason: "container \(id) is still being created after \(timeout ?? 0) ms")
            }
            if try store.isAbandoned(id.description) {
                throw .status(reason: "container \(id) was never finished; runbox delete \(id) removes it")
            }
            MonotonicClock.sleep(milliseconds: 20)
        }
    }
}
