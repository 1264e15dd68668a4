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

    /// Sets `initial` on a process that is not in the container's cgroup yet; 0 means this one.
    func applyInitial(to pid: Int32 = 0) throws(SystemError) { try Self.apply(initial, "initial", pid) }

    /// Sets `final` on a process in the container's cgroup; 0 means this one.
    func applyFinal(to pid: Int32 = 0) throws(SystemError) { try Self.apply(final, "final", pid) }

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
