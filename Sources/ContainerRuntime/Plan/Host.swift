package import Cgroups
internal import Kernel

/// What planning needs to know of the machine. It is a value, so that plans are tested without privileges.
package struct Host: Sendable {
    package var effectiveUser: UInt32
    package var effectiveGroup: UInt32
    package var cgroups: CgroupHost

    package init(effectiveUser: UInt32, effectiveGroup: UInt32, cgroups: CgroupHost) {
        self.effectiveUser = effectiveUser
        self.effectiveGroup = effectiveGroup
        self.cgroups = cgroups
    }

    /// The machine this process runs on.
    package static func current() -> Host {
        Host(
            effectiveUser: Credentials.effectiveUser, effectiveGroup: Credentials.effectiveGroup,
            cgroups: CgroupHost.current())
    }
}
