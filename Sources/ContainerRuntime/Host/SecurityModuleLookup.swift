internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

extension SecurityModules {
    /// Looks for those that are asked about; the start of a container without labels reads nothing.
    static func current(appArmor: Bool = true, seLinux: Bool = true) -> SecurityModules {
        SecurityModules(
            appArmor: appArmor && appArmorIsEnabled(), seLinux: seLinux && seLinuxIsEnabled())
    }

    /// Those that a configuration's labels need.
    static func asked(by process: Process?, mountLabel: String? = nil) -> SecurityModules {
        let isLabelled = process?.selinuxLabel?.isEmpty == false || mountLabel?.isEmpty == false
        return current(appArmor: process?.apparmorProfile?.isEmpty == false, seLinux: isLabelled)
    }

    /// The module's own parameter; what cannot be read is not there.
    private static func appArmorIsEnabled() -> Bool {
        (try? Files.readText("/sys/module/apparmor/parameters/enabled"))?.begins(with: "Y") == true
    }

    /// selinuxfs where the kernel offers it, and a policy: before one is loaded every process is called "kernel".
    private static func seLinuxIsEnabled() -> Bool {
        guard (try? Files.fileSystem("/sys/fs/selinux"))?.isSELinux == true,  // not mounted: not enabled
            let own = try? Files.readText("/proc/self/attr/current")  // not readable: not enabled
        else { return false }
        return own.parts(by: "\0").first != "kernel"
    }

    /// The names of all modules in the kernel's order, such as `capability,apparmor`; nil where securityfs is not
    /// readable.
    static func names() -> String? {
        try? Files.readText("/sys/kernel/security/lsm")  // not mounted: unknown
    }
}
