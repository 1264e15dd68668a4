internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

extension Caller {
    /// This process, with what its environment says; it is checked for what it must be like.
    /// - Parameter preserved: how many descriptors the caller wants to pass on.
    package static func current(preserved: Int) throws(RuntimeError) -> Caller {
        let activation = activationDescriptors()
        let (count, isBeyond) = activation.addingReportingOverflow(preserved)
        if preserved < 0 || isBeyond {
            throw .failed(reason: "\(preserved) is no number of descriptors that could be preserved")
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
        var caller = Caller()
        caller.activationDescriptors = activation
        caller.activationNames = activation > 0 ? Processes.environment("LISTEN_FDNAMES") : nil
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
}
