internal import CgroupPlanning
package import Errors
internal import Kernel
internal import KernelTypes

/// How a later process comes into a container's scope where this user may not put it there: systemd moves it. Only
/// root moves processes between cgroups whose common ancestor is not the user's own (cgroup-v2.rst, "Delegation
/// Containment"), and that of a login session and the user's own systemd is root's.
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
