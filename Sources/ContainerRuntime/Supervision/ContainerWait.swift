internal import Errors
internal import Kernel
internal import KernelTypes

/// `wait`: holds the init by a pidfd until it ends, and learns how.
struct ContainerWait {
    let observer: ExitRecorder
    let deadline: Deadline
    /// For the message.
    let timeout: Int64

    /// How long the end may take to be recorded, in milliseconds: a foreground `run` may be about to write it down.
    private static let recordTimeout: Int64 = 500

    func run() throws(RuntimeError) -> Int32 {
        if let code = observer.recorded()?.code { return code }
        let id = observer.record.id
        do throws(SystemError) {
            return try hold()
        } catch {
            if error.code == .timedOut {
                throw .timedOut(reason: "container \(id) has not ended within \(timeout) ms")
            }
            throw RuntimeError(error, doing: "wait for container \(id)")
        }
    }

    private func hold() throws(SystemError) -> Int32 {
        let record = observer.record
        let pidfd: Descriptor
        do throws(SystemError) {
            pidfd = try Processes.open(record.pid)
        } catch  where error.code == .noProcess {
            return try late()
        }
        // Where there is none, the zombie must do.
        let announcement = ProcConnector.listenWhereNeeded(to: record.pid)
        // Looked at behind the handle: the number may have been given to another process meanwhile.
        guard try Processes.anyStartTime(record.pid) == record.startTime else { return try late() }
        // A zombie that is not reaped yet.
        if try !Polling.wait([(pidfd.number, .readable)], timeout: 0)[0].isEmpty { return try late(pidfd) }
        try wait(for: pidfd)
        var reason = exit(from: announcement)
        if reason == nil { reason = learn(pidfd) }
        if let reason { return observer.note(reason).code ?? reason.shellStatus }
        return try late()
    }

    private func wait(for pidfd: borrowing Descriptor) throws(SystemError) {
        while true {
            if try !Polling.wait([(pidfd.number, .readable)], timeout: deadline.pollTimeout)[0].isEmpty { return }
            if deadline.hasPassed {
                throw .failed("wait", observer.record.id, .timedOut)
            }
        }
    }

    private func exit(from connector: borrowing ProcConnector?) -> ExitReason? {
        switch connector {
        case .some(let connector): connector.take()
        case .none: nil
        }
    }

    private func learn(_ pidfd: borrowing Descriptor) -> ExitReason? {
        let end = MonotonicClock.milliseconds + Self.recordTimeout
        while true {
            if let reason = Processes.exitInformation(of: pidfd) ?? observer.learn() { return reason }
            if observer.recorded() != nil || MonotonicClock.milliseconds >= end { return nil }
            MonotonicClock.sleep(milliseconds: 2)
        }
    }

    private func late(_ pidfd: borrowing Descriptor) throws(SystemError) -> Int32 {
        if let code = observer.observe().code { return code }
        if let reason = learn(pidfd) { return reason.shellStatus }
        return try late()
    }

    /// The init has ended before this process waited for it.
    private func late() throws(SystemError) -> Int32 {
        let exit = observer.observe()
        if let code = exit.code { return code }
        throw .refused(
            "it has ended, but its exit code could not be learnt: \(exit.unknown ?? "")"
        )
    }
}
