internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import Planning

extension CgroupPlan {
    /// The same, asked by a process in the cgroup.
    func ownDirectory() -> String? {
        guard scope != nil, let root = host.root else { return directory }
        // Without it, a container that may not mount the tree anew gets none.
        return (try? CgroupHost.discover(for: nil))?.ownPath.map { root + $0 }
    }

    /// What the record says of the cgroup before it is made: where it would be, and which cgroups above it would be
    /// made for it. Should this process be killed before it can record what it made, they are removed where they are
    /// empty.
    var expectedRecord: CgroupRecord {
        guard let root = host.root else { return .disabled }
        if let scope { return scope.expectedRecord(root: root) }
        guard let path else { return .disabled }
        return CgroupRecord(mode: .cgroupfs, root: root, path: path.description, created: path.missingParents(in: root))
    }

    /// A user who is not the host's root, and has been given no cgroup, does without one, as long as nothing needs it.
    /// - Parameter asUser: by an ordinary user, who may not enter every cgroup that it may make.
    func create(asUser: Bool) throws(CgroupError) -> CgroupManager {
        if let scope { return try CgroupManager.create(scope, host: host) }
        guard let path else { return .disabled }
        do throws(CgroupError) {
            let manager = try CgroupManager.create(path, host: host, plan: resources, clearing: clearedService)
            guard asUser else { return manager }
            do throws(CgroupError) {
                try manager.checkEntry(from: host.ownPath)
            } catch {
                // No process is in it yet; the error to report is the one that led here.
                try? manager.rollBack()
                throw error
            }
            return manager
        } catch {
            guard error.isPermission, resources.settings.isEmpty, Credentials.isOrdinary else { throw error }
            return .disabled
        }
    }
}
