internal import Cgroups
internal import Kernel

/// Taking down what a container was made of.
enum Cleanup {
    /// Of a container that did not come to be.
    static func withdrawCgroup(_ cgroup: borrowing CgroupManager, warn: (String) -> Void) {
        do throws(CgroupError) {
            try cgroup.withdraw()
        } catch {
            warn("the cgroup could not be removed: \(error)")
        }
    }
}
