internal import CgroupPlanning
internal import Cgroups
internal import Kernel
internal import KernelTypes

/// Why a process of a container ended, where more is known than its exit status says.
enum ExitDiagnosis {
    /// Of a payload that has ended; nil when the status says it all. Must be asked before the cgroup is removed.
    static func sentence(_ reason: ExitReason, pid: Int32, seccomp: Bool, cgroup: CgroupRecord) -> String? {
        switch reason {
        case .killed(.kill), .exited(Signal.kill.shellStatus):
            // A cgroup that cannot be opened counted nothing that could be reported.
            guard let words = (try? CgroupManager.open(cgroup))?.memoryKills()?.reason else { return nil }
            return "the container was killed for lack of memory: \(words)"
        case .killed(.badSystemCall) where seccomp:
            return "the container was killed by its seccomp profile (linux.seccomp) \(call(pid))"
        default: return nil
        }
    }

    private static func call(_ pid: Int32) -> String {
        KernelLog.systemCallThatKilled(pid).map {
            "for the system call \($0); allow it, or answer it with SCMP_ACT_ERRNO"
        }
            ?? "for a system call that it does not allow; SCMP_ACT_LOG as defaultAction shows which"
    }

    /// Of an init that ended before it could say anything.
    static func ofInit(_ reason: ExitReason?, cgroup: borrowing CgroupManager) -> String {
        let dead = "container process is already dead"
        switch reason {
        case .killed(.kill)?, .exited(Signal.kill.shellStatus)?:
            if let words = cgroup.memoryKills()?.reason {
                return "\(dead): container init was OOM-killed (memory limit too low?): \(words)"
            }
            return "\(dead): killed by SIGKILL, and not for lack of memory in its cgroup"
        case .killed(let signal)?: return "\(dead): killed by \(signal.description)"
        case .exited, nil: return dead
        }
    }
}
