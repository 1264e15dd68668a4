internal import Cgroups
internal import Errors
internal import KernelTypes

/// Taking down what a container was made of.
enum Cleanup {
    /// Of a container that did not come to be.
    /// - Returns: whether it is gone.
    static func rollBackCgroup(_ cgroup: borrowing CgroupManager, of id: String, warn: (String) -> Void) -> Bool {
        do throws(CgroupError) {
            try cgroup.rollBack()
            return true
        } catch {
            warn(stuck(error, id))
            return false
        }
    }

    /// Of a container that has ended.
    /// - Returns: whether it is gone. Otherwise the state must stay, or nobody would find the cgroup again.
    static func removeCgroup(_ record: Record, warn: (String) -> Void) -> Bool {
        do throws(CgroupError) {
            try CgroupManager.open(record.cgroup).remove()
            return true
        } catch {
            warn(stuck(error, record.id))
            return false
        }
    }

    private static func stuck(_ error: CgroupError, _ id: String) -> String {
        "the cgroup could not be removed: \(error); the container's state is kept, runbox delete --force \(id) tries again"
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
