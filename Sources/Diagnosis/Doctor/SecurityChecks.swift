internal import Errors
internal import Kernel
internal import OCISpec

extension HostChecks {
    func security() -> [HostFinding] { seccomp() + modules() + [sealing()] }

    private func seccomp() -> [HostFinding] {
        let security = facts.security
        var findings: [HostFinding] = []
        if security.missingActions.contains("SCMP_ACT_ALLOW") {
            return [
                .missing(
                    "security.seccomp", "no seccomp filters", cost: "containers with linux.seccomp cannot be made",
                    remedy: "a kernel with CONFIG_SECCOMP_FILTER")
            ]
        }
        let lacking = security.missingActions + security.missingFlags
        findings.append(
            lacking.isEmpty
                ? .ok("security.seccomp", "seccomp with all actions and flags, libseccomp \(security.libseccomp)")
                : .warn(
                    "security.seccomp", "seccomp without \(lacking.joined(separator: ", "))",
                    cost: "profiles that name them fail", remedy: newerKernel("5.19")))
        findings.append(
            judge(
                security.notifications, "security.seccomp-notify", "seccomp notifications",
                cost: "profiles with SCMP_ACT_NOTIFY fail", remedy: newerKernel("5.0")))
        return findings
    }

    private func modules() -> [HostFinding] {
        let appArmor: HostFinding =
            facts.security.appArmor
            ? .ok("security.apparmor", "AppArmor is active")
            : .warn(
                "security.apparmor", "AppArmor is not active",
                cost: "containers with process.apparmorProfile cannot be made",
                remedy: appArmorRemedy)
        let selinux: HostFinding =
            switch facts.security.selinuxEnforces {
            case true?: .ok("security.selinux", "SELinux enforces")
            case false?:
                .warn(
                    "security.selinux", "SELinux is permissive", cost: "labels are set and confine nothing",
                    remedy: "setenforce 1; sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config")
            case nil:
                .warn(
                    "security.selinux", "SELinux is not active",
                    cost: "containers with process.selinuxLabel or linux.mountLabel cannot be made",
                    remedy: facts.distribution == .fedora
                        ? "sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config, then reboot" : nil)
            }
        // One of the two is what a host has; the other is no gap.
        if facts.security.appArmor, facts.security.selinuxEnforces == nil {
            return [appArmor, .ok("security.selinux", "SELinux is not active, AppArmor is")]
        }
        if !facts.security.appArmor, facts.security.selinuxEnforces != nil {
            return [.ok("security.apparmor", "AppArmor is not active, SELinux is"), selinux]
        }
        return [appArmor, selinux]
    }

    private var appArmorRemedy: String? {
        guard facts.security.isAppArmorInKernel else { return "a kernel with CONFIG_SECURITY_APPARMOR" }
        let program = install("apparmor", fedora: "apparmor-parser")
        return "\(program); \(boot(with: "apparmor=1 security=apparmor"))"
    }

    /// Containers must not reach the runtime's executable (CVE-2019-5736).
    private func sealing() -> HostFinding {
        let id = "security.sealing"
        if facts.security.cloneMounts == .yes {
            return .ok(id, "the executable is sealed by a read-only mount", essential: true)
        }
        if facts.security.sealMemory == .yes {
            return .ok(id, "the executable is sealed as a copy in memory", essential: true)
        }
        let remedy =
            facts.security.memoryFilesNoExec == 2
            ? Remedy.sysctl("vm.memfd_noexec", "1") : "run runbox outside of the sandbox or container that forbids it"
        return .missing(
            id, "the executable cannot be sealed: neither mounts can be cloned nor files in memory executed",
            cost: "no containers can be made", remedy: remedy, essential: true)
    }
}
