internal import Cgroups
internal import Kernel

/// Taking down what a container was made of.
enum Cleanup {
    static func removeCgroup(_ cgroup: borrowing CgroupManager, warn: (String) -> Void) {
        do throws(CgroupError) {
            try cgroup.remove()
        } catch {
            warn("the cgroup could not be removed: \(error)")
        }
    }
}
