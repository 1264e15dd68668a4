internal import Errors
internal import OCISpec

/// CPUs and memory nodes: cgroup-v2.rst, "Cpuset"; config-linux.md, "CPU".
extension ResourcesPlan {
    mutating func addCpuset(_ cpu: CPUResources) {
        // The kernel reads the lists itself, and names none of its own rules; empty means what it means there: as the
        // parent has it.
        if let cpus = cpu.cpus, !cpus.isEmpty { add("cpuset.cpus", cpus, .cpuset, field: "cpu.cpus") }
        if let mems = cpu.mems, !mems.isEmpty { add("cpuset.mems", mems, .cpuset, field: "cpu.mems") }
    }
}
