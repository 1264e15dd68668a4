internal import Errors
internal import OCISpec

/// The number of tasks: cgroup-v2.rst, "PID"; config-linux.md, "PIDs".
extension ResourcesPlan {
    mutating func addPIDs(_ pids: PIDsResources) {
        guard let limit = pids.limit else { return }
        // Zero is a limit like any other (specification 1.3): no task can be forked into the cgroup.
        add("pids.max", limit < 0 ? "max" : String(limit), .pids, field: "pids.limit")
    }
}
