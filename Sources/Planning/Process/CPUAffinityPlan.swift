internal import CgroupPlanning
package import Errors
internal import KernelTypes
package import OCISpec

/// On which CPUs a process of `exec` begins and stays. Specification: config.md, "Linux Process", `execCPUAffinity`.
///
/// It is no setting of the init: `create` and `run` only check it.
package struct CPUAffinityPlan: Sendable, Equatable {
    /// Before the process enters the container's cgroup; nil leaves it where the runtime runs.
    package let initial: NumberSet?
    /// After that; nil leaves it to the kernel.
    package let final: NumberSet?

    package init(_ affinity: CPUAffinity?, findings: inout Findings) {
        initial = Self.read(affinity?.initial, "initial", &findings)
        final = Self.read(affinity?.final, "final", &findings)
    }

    private static func read(_ list: String?, _ key: String, _ findings: inout Findings) -> NumberSet? {
        guard let list, !list.isEmpty else { return nil }
        do throws(NumberSet.Mistake) {
            return try NumberSet(list, of: .cpus(below: Placement.mostCPUs))
        } catch {
            findings.refuse("process.execCPUAffinity.\(key)", error.reason)
            return nil
        }
    }
}
