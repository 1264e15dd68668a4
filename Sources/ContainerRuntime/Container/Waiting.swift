public import Errors
internal import Kernel
internal import KernelTypes

extension Container {
    /// Waits until the container's init has ended, and keeps its exit code in the state. It need not be this process's
    /// child; if it is, it is reaped.
    ///
    /// - Parameter timeout: milliseconds to wait at most; nil waits for ever.
    /// - Returns: the payload's exit code, or 128 + the number of the signal that ended it.
    /// - Throws: ``RuntimeError/timedOut(reason:)``; ``RuntimeError/failed(reason:)`` when the container has ended and
    ///   nobody can tell how.
    public func wait(timeout: Int64? = nil) throws(RuntimeError) -> Int32 {
        let deadline = Deadline(milliseconds: timeout)
        let record = try finishedRecord(deadline, timeout)
        let code = try ContainerWait(
            observer: ExitRecorder(record: record, store: store, command: "wait"), deadline: deadline,
            timeout: timeout ?? 0
        ).run()
        // A zombie has nothing to tell any more that is not known now.
        Processes.reap(record.pid, startTime: record.startTime)
        return code
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
