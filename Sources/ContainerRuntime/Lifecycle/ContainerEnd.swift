internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes

/// The end of a container whose init has ended, be it by `run` or by `delete`: its cgroup, its resctrl group and its
/// state are removed, and the poststop hooks are called.
struct ContainerEnd {
    let record: Record
    let store: Store
    /// nil where there are none, or they could not be read.
    let hooks: StoredHooks?
    let warn: (String) -> Void

    /// What could not be removed. The state stays then, or the rest could not be found again.
    enum Obstacle: Error {
        case cgroup(CgroupError)
        case state(SystemError)
    }

    /// - Parameter folder: the container's state folder, locked.
    func run(_ folder: borrowing Descriptor) throws(Obstacle) {
        do throws(CgroupError) {
            try removeCgroup()
        } catch {
            throw .cgroup(error)
        }
        removeResctrlGroup()
        record.hostMounts?.detach(below: record.rootfs, warn: warn)
        do throws(SystemError) {
            try store.remove(record.id, folder)
        } catch {
            throw .state(error)
        }
        hooks?.runPoststop(warn: warn)
    }

    private func removeCgroup() throws(CgroupError) {
        let cgroup = try CgroupManager.open(record.cgroup)
        // The maker died before it could write down whether the cgroup is of its making.
        if !record.isReady, record.cgroup.inode == 0 { return cgroup.removeIfEmpty() }
        try cgroup.remove()
    }

    /// A group that stays behind is no reason to keep the container.
    private func removeResctrlGroup() {
        guard let resctrl = record.resctrl else { return }
        do throws(SystemError) {
            try ResctrlGroup.remove(resctrl)
        } catch {
            warn("the resctrl group could not be removed: \(error)")
        }
    }

    static func stuckCgroup(_ error: CgroupError, _ id: String) -> String {
        "the cgroup could not be removed: \(error); the container's state is kept, runbox delete --force \(id) tries again"
    }
}

extension ContainerEnd.Obstacle {
    /// For a command that is to remove the container.
    var error: RuntimeError {
        switch self {
        case .cgroup(let error): RuntimeError(error)
        case .state(let error): RuntimeError(error, doing: "remove the state")
        }
    }

    /// For one whose result does not depend on it.
    func warning(_ id: String) -> String {
        switch self {
        case .cgroup(let error): ContainerEnd.stuckCgroup(error, id)
        case .state(let error):
            "the state of the container could not be removed: \(error); runbox delete --force \(id) tries again"
        }
    }
}
