internal import Cgroups
internal import Kernel

/// What planning needs to know of the machine. It is a value, so that plans are tested without privileges.
struct Host: Sendable {
    var effectiveUser: UInt32
    var effectiveGroup: UInt32
    var cgroups: CgroupHost

    /// The machine this process runs on.
    /// - Parameter cgroupsPath: the field of the configuration, which decides whether the runtime's own cgroup matters.
    static func current(cgroupsPath: String?) throws(CgroupError) -> Host {
        Host(
            effectiveUser: Credentials.effectiveUser, effectiveGroup: Credentials.effectiveGroup,
            cgroups: try CgroupHost.discover(for: cgroupsPath))
    }
}
