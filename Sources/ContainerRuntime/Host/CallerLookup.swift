internal import Errors
internal import Kernel
internal import KernelTypes
public import Planning

extension Caller {
    /// This process, with what its environment says.
    public static var current: Caller {
        var caller = Caller()
        caller.activationDescriptors = activationDescriptors()
        if caller.activationDescriptors > 0 { caller.activationNames = Processes.environment("LISTEN_FDNAMES") }
        caller.notifySocket = Processes.environment(NotifyPlan.variable)
        caller.seccompReceiver = Processes.environment(SeccompListener.variable)
        return caller
    }

    /// sd_listen_fds(3): meant for this process alone. Some callers leave LISTEN_PID out, as crun allows.
    private static func activationDescriptors() -> Int {
        guard let count = Processes.environment("LISTEN_FDS").flatMap({ Int($0) }), (1..<1024).contains(count) else {
            return 0
        }
        guard let pid = Processes.environment("LISTEN_PID") else { return count }
        return Int32(pid) == Processes.currentID ? count : 0
    }

    /// Notes which descriptors a process inherits, while the only ones that an execve would keep are still those that
    /// this process was started with: what it opens itself may take the number of a hole.
    package mutating func noteInherited() {
        inherited = InheritedDescriptors.kept(from: 3, count: count ?? 0)
    }

    /// How many numbers from 3 on may be inherited; nil where that is no number of descriptors.
    private var count: Int? {
        let (count, isBeyond) = activationDescriptors.addingReportingOverflow(preservedDescriptors)
        return preservedDescriptors < 0 || activationDescriptors < 0 || isBeyond ? nil : count
    }

    /// Checks what a process must be like that makes another one for a container.
    ///
    /// - Returns: the caller with the descriptors that are open.
    func settled() throws(RuntimeError) -> Caller {
        guard let count else {
            throw .failed(reason: "\(preservedDescriptors) is no number of descriptors that could be preserved")
        }
        var caller = self
        if caller.inherited == nil { caller.inherited = InheritedDescriptors.open(from: 3, count: count) }
        let threads = try operation("count threads") { () throws(SystemError) in try Processes.threadCount() }
        if threads > 1 {
            throw .failed(
                reason: "the calling process has \(threads) threads; only one with one thread can make containers")
        }
        return caller
    }
}
