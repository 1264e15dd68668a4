internal import Kernel
internal import OCISpec

/// On which CPUs a process of `exec` begins and stays. Specification: config.md, "Linux Process", `execCPUAffinity`.
///
/// It is no setting of the init: `create` and `run` only check it.
struct CPUAffinityPlan: Sendable, Equatable {
    /// Before the process enters the container's cgroup; nil leaves it where the runtime runs.
    let initial: NumberSet?
    /// After that; nil leaves it to the kernel.
    let final: NumberSet?

    init(_ affinity: CPUAffinity?, findings: inout PlanFindings) {
        initial = Self.read(affinity?.initial, "initial", &findings)
        final = Self.read(affinity?.final, "final", &findings)
    }

    private static func read(_ list: String?, _ key: String, _ findings: inout PlanFindings) -> NumberSet? {
        guard let list, !list.isEmpty else { return nil }
        do throws(NumberSet.Mistake) {
            return try NumberSet(list, of: .cpus(below: Placement.mostCPUs))
        } catch {
            findings.refuse("process.execCPUAffinity.\(key)", error.reason)
            return nil
        }
    }

    /// Sets `initial` on the runtime, whose child inherits it.
    func applyInitial() throws(SystemError) { try Self.apply(initial, "initial", 0) }

    /// Sets `final` on a process that was born in the container's cgroup. Where nothing is asked for, it gets all CPUs of
    /// the cgroup, as the init does.
    func applyToBorn(_ pid: Int32) throws(SystemError) {
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
