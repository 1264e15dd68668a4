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

    /// Checks what a process must be like that makes another one for a container.
    func check() throws(RuntimeError) {
        let (count, isBeyond) = activationDescriptors.addingReportingOverflow(preservedDescriptors)
        if preservedDescriptors < 0 || isBeyond {
            throw .failed(reason: "\(preservedDescriptors) is no number of descriptors that could be preserved")
        }
        // Ends at the first that is not open, far below the largest number.
        for index in 0..<count where !InheritedDescriptors.isOpen(Int32(3 + index)) {
            throw .failed(
                reason: "unable to stat preserved-fd \(index) (of \(count)): descriptor \(3 + index) is not open")
        }
        let threads = try operation("count threads") { () throws(SystemError) in try Processes.threadCount() }
        if threads > 1 {
            throw .failed(
                reason: "the calling process has \(threads) threads; only one with one thread can make containers")
        }
    }
}
