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

    /// Of a container that is deleted. A group that stays behind is no reason to keep the container.
    static func removeResctrlGroup(_ record: Record, warn: (String) -> Void) {
        guard let resctrl = record.resctrl else { return }
        do throws(SystemError) {
            try ResctrlGroup.remove(resctrl)
        } catch {
            warn("the resctrl group could not be removed: \(error)")
        }
    }

    /// Of a container that did not come to be.
    static func withdrawResctrlGroup(_ prospect: ResctrlGroup.Prospect, warn: (String) -> Void) {
        do throws(SystemError) {
            try ResctrlGroup.withdraw(prospect)
        } catch {
            warn("the resctrl group could not be removed: \(error)")
        }
    }
}
