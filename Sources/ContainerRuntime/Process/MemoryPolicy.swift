internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Setting the memory policy of this process; set_mempolicy(2).
extension MemoryPolicyPlan {
    /// Sets the policy for this process. After the cgroup has its limits: the kernel keeps to the nodes of
    /// `cpuset.mems`.
    func apply() throws(SystemError) {
        do throws(SystemError) {
            try Placement.setMemoryPolicy(mode, nodes: nodes?.words ?? [])
        } catch {
            let asked = "linux.memoryPolicy \(word)" + (nodes.map { " of nodes \($0)" } ?? "")
            if error.code == .noSystemCall {
                throw .refused("\(asked): this kernel is built without NUMA (CONFIG_NUMA); remove linux.memoryPolicy")
            }
            guard error.code == .invalidArgument else { throw SystemError("set_mempolicy", asked, error.code) }
            throw .refused(
                "invalid memory policy: \(asked): the kernel does not take it; the host and linux.resources.cpu.mems must have one of the nodes "
                    + "(/sys/devices/system/node/has_memory), and the kernel must know the mode (MPOL_PREFERRED_MANY: "
                    + "Linux 5.15, MPOL_WEIGHTED_INTERLEAVE: 6.9)")
        }
    }
}
