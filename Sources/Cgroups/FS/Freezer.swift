internal import Errors
internal import Kernel
internal import KernelTypes

/// Stopping all processes of a container at once: cgroup-v2.rst, "Core Interface Files", `cgroup.freeze` and
/// `cgroup.events`.
extension FSManager {
    /// How long pausing may take before it is given up.
    static let freezeTime: Int64 = 10_000

    /// Freezes all processes and waits until they are frozen. When they are not in time, all are thawed.
    /// - Parameter timeout: milliseconds.
    func freeze(timeout: Int64 = Self.freezeTime) throws(CgroupError) {
        do throws(CgroupError) {
            try setFrozen(true, timeout: timeout)
        } catch {
            // Best effort: a container half stopped is worse than one that was not paused, and the failure to report is
            // the first.
            try? setFrozen(false, timeout: nil)
            throw error
        }
    }

    /// Lets all processes run on.
    func thaw(timeout: Int64 = Self.freezeTime) throws(CgroupError) {
        try setFrozen(false, timeout: timeout)
    }

    /// Whether all processes are frozen, by this cgroup's own switch or that of one above.
    func isFrozen() throws(CgroupError) -> Bool { try event("frozen") }

    /// - Parameter timeout: nil does not wait.
    private func setFrozen(_ frozen: Bool, timeout: Int64?) throws(CgroupError) {
        let reached = try inDirectory { directory throws(SystemError) in
            try Files.write(frozen ? "1" : "0", into: "cgroup.freeze", at: directory)
            return try timeout.map { limit throws(SystemError) in
                try Self.wait(for: frozen, directory, timeout: limit)
            } ?? true
        }
        guard let reached else { throw gone }
        guard let timeout, !reached else { return }
        let stuck = try stuckProcess().map { ": \($0)" } ?? ""
        throw CgroupError(
            "cgroup \(path) did not \(frozen ? "freeze" : "thaw") within \(timeout) ms\(stuck)",
            remedy: frozen ? nil : "a cgroup above it may be frozen", code: .timedOut)
    }

    /// Reading `cgroup.events` takes note of its state, and a change after that ends poll(2); so none is missed.
    private static func wait(
        for frozen: Bool, _ directory: borrowing Descriptor, timeout: Int64
    ) throws(SystemError) -> Bool {
        let events = try Files.open("cgroup.events", at: directory, .readOnly)
        let end = MonotonicClock.milliseconds + timeout
        while event("frozen", in: try Files.rereadText(events, subject: "cgroup.events")) != frozen {
            let left = end - MonotonicClock.milliseconds
            if left <= 0 { return false }
            _ = try Polling.wait([(events.number, .priority)], timeout: Int32(clamping: left))
        }
        return true
    }

    /// Names a process that signals and the freezer cannot reach, for messages: one in uninterruptible sleep
    /// (proc_pid_stat(5), state D).
    func stuckProcess() throws(CgroupError) -> String? {
        for pid in try processes(recursive: true) {
            // A process that has ended in the meantime is not the one.
            guard let stat = try? Files.read("/proc/\(pid)/stat"), let open = stat.firstIndex(of: UInt8(ascii: "(")),
                let close = stat.lastIndex(of: UInt8(ascii: ")")), open < close
            else { continue }
            if stat[close...].dropFirst(2).first == UInt8(ascii: "D") {
                let name = printable(String(decoding: stat[(open + 1)..<close], as: UTF8.self))
                return "process \(pid) (\(name)) is stuck in the kernel (state D)"
            }
        }
        return nil
    }
}
