package import CgroupPlanning

/// What planning needs to know of the machine. It is a value, so that plans are tested without privileges.
package struct Host: Sendable {
    package var effectiveUser: UInt32
    package var effectiveGroup: UInt32
    package var cgroups: CgroupHost
    /// Where resctrl is mounted; nil where it is not, or was not asked for.
    var resctrl: String?
    /// Which security modules enforce, as far as the configuration asks.
    package var modules = SecurityModules.unasked
    /// Whether scopes are to be units of the user's own systemd. It was looked at only if systemd is to make the
    /// cgroup.
    var hasOwnSystemd = false

    /// The memory nodes that there are. They were looked at only if the configuration names some.
    package var memoryNodes: NumberSet?
    /// What the kernel takes as the period of SCHED_DEADLINE, in nanoseconds.
    package var deadlinePeriods = DeadlineRules.usualPeriods

    /// For a configuration that has a user namespace and none; nil with every other.
    package var mappings: DefaultMappings?

    package init(
        effectiveUser: UInt32, effectiveGroup: UInt32, cgroups: CgroupHost, resctrl: String? = nil,
        modules: SecurityModules = SecurityModules.unasked, hasOwnSystemd: Bool = false,
        mappings: DefaultMappings? = nil
    ) {
        self.effectiveUser = effectiveUser
        self.effectiveGroup = effectiveGroup
        self.cgroups = cgroups
        self.resctrl = resctrl
        self.modules = modules
        self.hasOwnSystemd = hasOwnSystemd
        self.mappings = mappings
    }
}
