internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Turns the container's root into the payload's user with its capabilities; credentials(7), capabilities(7).
enum Identity {
    /// - Parameter keepsAdministration: keeps CAP_SYS_ADMIN until exec for loading a seccomp filter without
    ///   no_new_privs. Exec computes the sets anew from inheritable, ambient and bounding sets, in which it is not
    ///   kept.
    /// - Returns: ambient capabilities that the kernel refused.
    static func assume(
        _ process: ProcessPlan, _ capabilities: ProcessCapabilities, noNewPrivileges: Bool, keepsAdministration: Bool
    ) throws(SystemError) -> CapabilitySet {
        let held = try Capabilities.current()
        try Capabilities.dropBounding(keeping: capabilities.bounding)
        try Credentials.keepCapabilities(true)
        if !process.keepsGroups { try setGroups(process.additionalGroups) }
        try Credentials.setGroup(process.group)
        try Credentials.setUser(process.user)
        // What the runtime does not have itself it cannot grant; the specification wants no failure for that.
        var permitted = capabilities.permitted.union(capabilities.effective).intersection(held.permitted)
        var effective = capabilities.effective.intersection(held.permitted)
        if keepsAdministration, held.permitted.contains(.systemAdministration) {
            permitted.insert(.systemAdministration)
            effective.insert(.systemAdministration)
        }
        try Capabilities.set(
            effective: effective, permitted: permitted,
            inheritable: capabilities.inheritable.intersection(held.permitted))
        let refused = try Capabilities.setAmbient(capabilities.ambient)
        if noNewPrivileges { try Processes.setNoNewPrivileges() }
        return refused
    }

    /// Where an ordinary user maps only its own ID, groups can be neither added nor dropped; then those of the caller
    /// stay. user_namespaces(7), "setgroups".
    private static func setGroups(_ groups: [UInt32]) throws(SystemError) {
        do throws(SystemError) {
            try Credentials.setGroups(groups)
        } catch {
            guard error.code == .notPermitted, try Credentials.mayNotSetGroups() else { throw error }
            if groups.isEmpty { return }
            throw .refused(
                "process.user.additionalGids: an ordinary user who maps only its own ID cannot set groups; remove them, or map a range of /etc/subgid"
            )
        }
    }
}
