internal import CgroupPlanning
package import Errors
internal import Kernel
internal import KernelTypes

/// How a later process comes into a container's scope where this user may not put it there: systemd moves it. Nobody but root moves processes between cgroups whose
/// common ancestor is not his own (cgroup-v2.rst, "Delegation Containment"), and that of a login session and the user's own systemd is root's.
package struct ScopeEntry: Hashable, Sendable {
    let unit: String
    /// The cgroup below the unit's, with a slash in front; `/` for the unit's own.
    let subgroup: String

    /// Moves a process, and returns when it is there.
    package func attach(_ pid: Int32) throws(CgroupError) {
        var bus = try SystemdBus.connect(isUser: SystemdUser.isOwn)
        try bus.attach(pid, to: unit, below: subgroup)
    }
}

extension CgroupManager {
    /// Who must be asked to move a process that joins the container; nil where it can be born in the cgroup: see ``entry(below:initProcess:)``.
    package func foreignEntry(below sub: String?, initProcess: Int32) throws(CgroupError) -> ScopeEntry? {
        guard let unit, SystemdUser.isOwn, let own = try CgroupHost.discover(for: nil).ownPath else { return nil }
        return try ifPresent { cgroup throws(CgroupError) in
            try inner(of: cgroup) { inner throws(CgroupError) in
                let place = try inner.entryPath(below: sub, initProcess: initProcess)
                let common = FSManager.commonAncestor(own, place)
                if Files.isWritable("\(cgroup.root)\(common)/cgroup.procs") { return nil }
                // One that is not there is told by its name.
                _ = try inner.entry(below: sub, initProcess: initProcess)
                guard let subgroup = place.rest(after: cgroup.path.description) else { return nil }
                return ScopeEntry(unit: unit.scope.unit, subgroup: subgroup.isEmpty ? "/" : subgroup)
            }
        } ?? nil
    }
}
