internal import CLinux
package import KernelTypes

/// How a process has ended that is not this one's child.
extension Processes {
    /// PIDFD_INFO_EXIT.
    private static let exitMask: UInt64 = 8
    /// PIDFD_GET_INFO: _IOWR(0xFF, 11, 64 bytes), which Swift does not import.
    private static let getInformation: UInt = 0xC040_FF0B

    /// What the kernel keeps of a reaped process for the holder of a pidfd from before. PIDFD_GET_INFO with
    /// PIDFD_INFO_EXIT, linux/pidfd.h, Linux 6.15.
    /// - Returns: nil where the process has not been reaped yet, the kernel is older, or the descriptor is no pidfd.
    package static func exitInformation(of pidfd: borrowing Descriptor) -> ExitReason? {
        var information = clinux_pidfd_info()
        information.mask = exitMask
        guard clinux_ioctl(pidfd.raw, getInformation, &information) == 0, information.mask & exitMask != 0 else {
            return nil
        }
        return ExitReason(waitStatus: information.exit_code)
    }

    /// What a process that has ended and was not reaped yet says of its end: field 52 of /proc/PID/stat,
    /// proc_pid_stat(5).
    /// - Parameter startTime: as ``startTime(_:)`` returned it of the living process.
    /// - Returns: nil when there is no such zombie, or its end is not for this user to know.
    package static func zombieEnd(_ pid: Int32, startTime: UInt64) -> ExitReason? {
        guard let bytes = try? Files.read("/proc/\(pid)/stat", limit: 4096) else { return nil }  // no such process
        guard let reason = zombieEnd(ofStat: bytes, startTime: startTime) else { return nil }
        // To those who may not trace the process the kernel says 0 here. The link is guarded by the same rule, and is
        // there in zombies, too.
        guard (try? Files.readLink("/proc/\(pid)/ns/user")) != nil else { return nil }
        return reason
    }

    static func zombieEnd(ofStat bytes: [UInt8], startTime: UInt64) -> ExitReason? {
        let fields = fields(ofStat: bytes)
        // A first thread may end before the others; its process has not ended then.
        guard fields.count > 49, fields[0].first == UInt8(ascii: "Z"), number(fields[17]) == 1,
            number(fields[19]) == startTime, let status = number(fields[49])
        else { return nil }
        return ExitReason(waitStatus: Int32(truncatingIfNeeded: status))
    }

    /// Reaps a child that has ended, distinguished from others of its number by its start time; whatever else it names
    /// is left alone.
    package static func reap(_ pid: Int32, startTime: UInt64) {
        // What cannot be distinguished from others is left alone, too.
        guard let found = try? anyStartTime(pid), found == startTime else { return }
        // Not a child, or not ended: nothing is reaped.
        _ = waitpid(pid, nil, WNOHANG | Int32(bitPattern: UInt32(__WALL)))
    }

    /// The start time of a process whether it lives or is a zombie; nil when there is none.
    /// - Throws: what kept it from being read.
    package static func anyStartTime(_ pid: Int32) throws(SystemError) -> UInt64? {
        guard pid > 0, let bytes = try statText(pid) else { return nil }
        let fields = fields(ofStat: bytes)
        return fields.count > 19 ? number(fields[19]) : nil
    }

    static func number(_ field: ArraySlice<UInt8>) -> UInt64? { UInt64(String(decoding: field, as: UTF8.self)) }

    /// Whether a process does not run because of a signal (T) or a tracer (t); proc_pid_stat(5). False when there is
    /// none.
    package static func isHalted(_ pid: Int32) -> Bool {
        guard let bytes = try? Files.read("/proc/\(pid)/stat", limit: 4096) else { return false }  // no such process
        return isHalted(stat: bytes)
    }

    static func isHalted(stat bytes: [UInt8]) -> Bool {
        let state = fields(ofStat: bytes).first?.first
        return state == UInt8(ascii: "T") || state == UInt8(ascii: "t")
    }

    /// Whether a child was stopped by a signal and has not gone on; it is not reaped. waitid(2), WSTOPPED.
    package static func isStoppedChild(_ pid: Int32) -> Bool {
        var information = siginfo_t()
        let options = WSTOPPED | WNOHANG | WNOWAIT | Int32(bitPattern: UInt32(__WALL))
        // Without one that has stopped the call succeeds and fills nothing in.
        return waitid(P_PID, id_t(pid), &information, options) == 0 && information.si_signo == SIGCHLD
    }
}
