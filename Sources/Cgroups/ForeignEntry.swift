internal import CgroupPlanning
package import Errors
internal import Kernel
internal import KernelTypes

extension CgroupManager {
    /// The unit whose systemd must move a process that joins the container; nil where it can be cloned into the cgroup:
    /// see ``entry(below:initProcess:)``.
    package func foreignEntry(below sub: String?, initProcess: Int32) throws(CgroupError) -> ScopeEntry? {
        guard let unit, SystemdUser.isOwn, let own = try CgroupHost.discover(for: nil).ownPath else { return nil }
        return try ifPresent { cgroup throws(CgroupError) in
            try inner(of: cgroup) { inner throws(CgroupError) in
                let place = try inner.entryPath(below: sub, initProcess: initProcess)
                let common = FSManager.commonAncestor(own, place)
                if Files.isWritable("\(cgroup.root)\(common)/cgroup.procs") { return nil }
                // One that is not there is reported by its name.
                _ = try inner.entry(below: sub, initProcess: initProcess)
                guard let subgroup = place.rest(after: cgroup.path.description) else { return nil }
                return ScopeEntry(unit: unit.scope.unit, subgroup: subgroup.isEmpty ? "/" : subgroup)
            }
        } ?? nil
    }
}
