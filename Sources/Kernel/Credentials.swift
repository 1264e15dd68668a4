internal import CLinux
package import KernelTypes

/// Users and groups of this process; credentials(7). The calls affect this thread only, which is the only one.
package enum Credentials {
    package static var effectiveUser: UInt32 { geteuid() }
    package static var effectiveGroup: UInt32 { getegid() }

    package static func setGroups(_ groups: [UInt32]) throws(SystemError) {
        _ = try check("setgroups") {
            lend(groups) { system(Int(SYS_setgroups), groups.count, $0) }
        }
    }

    /// Whether it is the user namespace that forbids setgroups(2), which was refused (user_namespaces(7)): it is where
    /// the capability for it is there. No file of procfs is asked, which could be the container's own.
    package static func mayNotSetGroups() throws(SystemError) -> Bool {
        try Capabilities.current().effective.contains(.groups)
    }

    /// Whether this process is in a user namespace that is not the first, so that being root means less;
    /// user_namespaces(7). To be asked when something was refused, and not before.
    package static var isInUserNamespace: Bool {
        guard let map = try? Files.readText("/proc/self/uid_map") else { return false }  // a kernel without them
        return map.parts(by: " ") != ["0", "0", "4294967295"]
    }

    /// Whether this process lacks the privileges of the host's root. To be asked when something was refused, and not
    /// before.
    package static var isOrdinary: Bool { effectiveUser != 0 || isInUserNamespace }

    package static func setUser(_ user: UInt32) throws(SystemError) {
        _ = try check("setresuid", "\(user)") { system(Int(SYS_setresuid), Int(user), Int(user), Int(user)) }
    }

    package static func setGroup(_ group: UInt32) throws(SystemError) {
        _ = try check("setresgid", "\(group)") { system(Int(SYS_setresgid), Int(group), Int(group), Int(group)) }
    }

    /// Keeps the permitted capabilities over the next change from user 0 to another.
    package static func keepCapabilities(_ keep: Bool) throws(SystemError) {
        _ = try check("prctl(PR_SET_KEEPCAPS)") { clinux_prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0) }
    }

    /// Sets host and domain name of this UTS namespace.
    package static func setHostName(_ name: String) throws(SystemError) {
        _ = try check("sethostname", name) { sethostname(name, name.utf8.count) }
    }

    package static func setDomainName(_ name: String) throws(SystemError) {
        _ = try check("setdomainname", name) { setdomainname(name, name.utf8.count) }
    }
}
