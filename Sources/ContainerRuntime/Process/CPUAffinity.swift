internal import Kernel
internal import KernelTypes
internal import Planning

/// Setting the CPUs of a process of `exec`; sched_setaffinity(2).
extension CPUAffinityPlan {
    /// Sets `initial` on the runtime, whose child inherits it.
    func applyInitial() throws(SystemError) { try Self.apply(initial, "initial", 0) }

    /// Sets `final` on a process that was spawned in the container's cgroup. Where nothing is asked for, it gets all
    /// CPUs of the cgroup, as the init does.
    func applyFinal(_ pid: Int32) throws(SystemError) {
        try Self.apply(final, "final", pid)
        // A mask that cannot be widened is no reason not to run.
        if initial == nil, final == nil { try? Placement.resetAffinity(of: pid) }
    }

    private static func apply(_ cpus: NumberSet?, _ key: String, _ pid: Int32) throws(SystemError) {
        guard let cpus else { return }
        do throws(SystemError) {
            try Placement.setAffinity(cpus.words, of: pid)
        } catch {
            let asked = "process.execCPUAffinity.\(key) \(cpus)"
            guard error.code == .invalidArgument else { throw SystemError("sched_setaffinity", asked, error.code) }
            throw .refused(
                "\(asked): none of these CPUs can be used; see /sys/devices/system/cpu/online and cpuset.cpus")
        }
    }
}
