internal import Kernel

/// What a host has against ordinary users' user namespaces, looked up only when a container could not be made.
enum NamespaceObstacle {
    /// The command that takes the obstacle away; nil where the failure has another reason.
    static func remedy(of failure: StageFailure) -> String? {
        // What one of the first steps in the new namespaces may be refused; a container that got further has power in them.
        guard [.clone, .mappings, .identity, .namespaces, .loopback, .sources, .prepareRoot].contains(failure.step)
        else { return nil }
        let code = failure.cause.code
        guard code == .notPermitted || code == .accessDenied || code.rawValue == 28 else { return nil }
        return remedy(
            step: failure.step, isFull: code.rawValue == 28, isRoot: Credentials.effectiveUser == 0,
            number: HostFacts.number)
    }

    /// - Parameters:
    ///   - isFull: the kernel says that there are too many (ENOSPC).
    ///   - number: reads a file with a number in it.
    static func remedy(step: Step, isFull: Bool, isRoot: Bool, number: (String) -> UInt64?) -> String? {
        if isFull {
            guard step == .clone, number("/proc/sys/user/max_user_namespaces") == 0 else { return nil }
            return
                "user namespaces are switched off on this host; as root: \(Judgement.sysctl("user.max_user_namespaces", "15000"))"
        }
        if isRoot { return nil }
        if step == .clone, number("/proc/sys/kernel/unprivileged_userns_clone") == 0 {
            return "user namespaces are switched off for ordinary users; as root: "
                + Judgement.sysctl("kernel.unprivileged_userns_clone", "1")
        }
        if number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 {
            return "AppArmor gives user namespaces to programs with a profile only; \(Judgement.appArmorProfile())"
        }
        return nil
    }
}
