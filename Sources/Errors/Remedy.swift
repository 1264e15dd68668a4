internal import KernelTypes

/// What a person can do about a failure, where the errno and the step leave little doubt.
package enum Remedy {
    package static let rootPath = "root.path must name an existing directory; a relative one counts from the bundle"

    package static func of(_ failure: StepFailure) -> String? {
        let code = failure.cause.code
        switch failure.step {
        case .clone where code == .notPermitted:
            return
                "making namespaces needs root, or a user namespace: see runbox spec --rootless; runbox doctor shows what forbids user namespaces here"
        case .clone where code == .noSpace:
            return "a limit of /proc/sys/user/max_*_namespaces is reached"
        case .mounts where code == .noDevice:
            return "this kernel does not know the file system type; see /proc/filesystems"
        case .resourceLimits where code == .notPermitted:
            return "raising a hard limit needs CAP_SYS_RESOURCE"
        case .processAttributes where code == .notPermitted:
            return "needs CAP_SYS_RESOURCE or CAP_SYS_NICE on the host"
        case .seccomp where code == .busy:
            return
                "the process that runs runbox listens to its system calls already, and the kernel takes one listener only"
        case .prepareRoot where code == .noEntry:
            return rootPath
        default: return nil
        }
    }

    /// How to set a kernel parameter, now and for the next boot.
    package static func sysctl(_ name: String, _ value: String) -> String {
        "sysctl -w \(name)=\(value); echo '\(name) = \(value)' > /etc/sysctl.d/60-runbox.conf"
    }

    /// The whole profile, in one line: Ubuntu 23.10 and later give user namespaces only to programs that one names.
    package static func appArmorProfile() -> String {
        "as root: printf 'abi <abi/4.0>,\\nprofile runbox /usr/{,local/}bin/runbox flags=(unconfined) { userns, }\\n' > /etc/apparmor.d/runbox; apparmor_parser -r /etc/apparmor.d/runbox"
    }
}

/// What a host has against ordinary users' user namespaces.
package enum NamespaceObstacle {
    /// The command that takes the obstacle away; nil where the failure has another reason.
    /// - Parameters:
    ///   - isRoot: whether the runtime has the host's root.
    ///   - number: reads a file with a number in it; called only when such an obstacle is possible.
    package static func remedy(
        of failure: StepFailure, isRoot: Bool, number: (String) -> UInt64?
    ) -> String? {
        // What one of the first steps in the new namespaces may be refused; a container that got further has privileges
        // in them.
        guard [.clone, .mappings, .identity, .namespaces, .loopback, .sources, .prepareRoot].contains(failure.step)
        else { return nil }
        let code = failure.cause.code
        guard code == .notPermitted || code == .accessDenied || code == .noSpace else { return nil }
        return remedy(step: failure.step, isFull: code == .noSpace, isRoot: isRoot, number: number)
    }

    /// - Parameters:
    ///   - isFull: the kernel says that there are too many (ENOSPC).
    ///   - number: reads a file with a number in it.
    static func remedy(step: Step, isFull: Bool, isRoot: Bool, number: (String) -> UInt64?) -> String? {
        if isFull {
            guard step == .clone, number("/proc/sys/user/max_user_namespaces") == 0 else { return nil }
            return
                "user namespaces are switched off on this host; as root: \(Remedy.sysctl("user.max_user_namespaces", "15000"))"
        }
        if isRoot { return nil }
        if step == .clone, number("/proc/sys/kernel/unprivileged_userns_clone") == 0 {
            return "user namespaces are switched off for ordinary users; as root: "
                + Remedy.sysctl("kernel.unprivileged_userns_clone", "1")
        }
        if number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 {
            return "AppArmor gives user namespaces to programs with a profile only; \(Remedy.appArmorProfile())"
        }
        return nil
    }
}
