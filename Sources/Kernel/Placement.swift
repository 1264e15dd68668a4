internal import CLinux
package import KernelTypes

/// Where a process runs and where its memory lies: CPUs and NUMA nodes, as bit masks with the lowest number first.
extension Placement {
    /// Restricts a process to CPUs; 0 means this one. sched_setaffinity(2).
    ///
    /// The kernel takes only those that the machine and the process's cgroup have, and answers EINVAL when none is
    /// left.
    package static func setAffinity(_ mask: [UInt64], of pid: Int32) throws(SystemError) {
        let size = mask.count * MemoryLayout<UInt64>.size
        _ = try check("sched_setaffinity") { lend(mask) { system(Int(SYS_sched_setaffinity), Int(pid), size, $0) } }
    }

    /// Lets a process run on every CPU that its cgroup has, whatever mask it has inherited.
    package static func resetAffinity(of pid: Int32) throws(SystemError) {
        try setAffinity([UInt64](repeating: .max, count: mostCPUs / 64), of: pid)
    }

    /// The CPUs that a process may use now. sched_getaffinity(2).
    package static func affinity(of pid: Int32) throws(SystemError) -> [UInt64] {
        var mask = [UInt64](repeating: 0, count: mostCPUs / 64)
        let size = mask.count * MemoryLayout<UInt64>.size
        let count = try check("sched_getaffinity") {
            lend(writable: &mask) { system(Int(SYS_sched_getaffinity), Int(pid), size, $0) }
        }
        return Array(mask[..<((count + 7) / 8)])
    }

    /// Decides from which NUMA nodes this process, and what it executes, gets memory. set_mempolicy(2).
    /// - Parameter mode: MPOL_* with its MPOL_F_* flags.
    /// - Parameter nodes: empty for modes without nodes.
    package static func setMemoryPolicy(_ mode: UInt32, nodes: [UInt64]) throws(SystemError) {
        // The kernel reads one bit less than the number it gets.
        let bits = nodes.isEmpty ? 0 : nodes.count * 64 + 1
        _ = try check("set_mempolicy") {
            lend(nodes.isEmpty ? nil : nodes) { system(Int(SYS_set_mempolicy), Int(mode), $0, bits) }
        }
    }
}
