internal import CLinux
package import KernelTypes

/// Why a signal would change nothing in a process.
package enum SignalIndifference: Sendable {
    /// The process has asked the kernel to drop it; an interactive shell does so with SIGTERM.
    case ignored
    /// It has no handler, and process 1 of a pid namespace gets nothing else. pid_namespaces(7).
    case unhandled
}

extension Processes {
    /// Whether a process takes no notice of a signal; nil where it does, or that is not known. proc_pid_status(5).
    package static func indifference(of pid: Int32, to signal: Signal) -> SignalIndifference? {
        guard let text = try? Files.readText("/proc/\(pid)/status") else { return nil }  // it has ended
        guard let reason = indifference(ofStatus: text, to: signal), !isFetchingSignals(pid) else { return nil }
        return reason
    }

    /// While a process waits for signals that it has blocked (sigwait(3)), its status shows them as if it had not.
    private static func isFetchingSignals(_ pid: Int32) -> Bool {
        let call = HostFiles.lines("/proc/\(pid)/syscall").first?.parts(by: " ").first
        return call == String(SYS_rt_sigtimedwait)
    }

    static func indifference(ofStatus text: String, to signal: Signal) -> SignalIndifference? {
        // SIGKILL reaches everybody; the others that end no process by themselves say nothing by being dropped.
        guard signal != .kill, signal.endsProcess, signal != .null else { return nil }
        var isFirst = false
        var masks: [UInt64?] = [nil, nil, nil]
        for line in text.parts(by: "\n") {
            let words = line.parts(by: "\t")
            guard words.count > 1, let value = words.last else { continue }
            switch words[0] {
            case "NSpid:": isFirst = words.count > 2 && value == "1"
            case "SigBlk:": masks[0] = UInt64(value, radix: 16)
            case "SigIgn:": masks[1] = UInt64(value, radix: 16)
            case "SigCgt:": masks[2] = UInt64(value, radix: 16)
            default: continue
            }
        }
        guard let blocked = masks[0], let ignored = masks[1], let caught = masks[2] else { return nil }
        let bit: UInt64 = 1 << UInt64(signal.rawValue - 1)
        // A blocked one is kept until somebody fetches it, as small inits do.
        if blocked & bit != 0 { return nil }
        if ignored & bit != 0 { return .ignored }
        return isFirst && caught & bit == 0 ? .unhandled : nil
    }
}
