internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

extension LaunchPlan {
    /// Plans, or throws all that is wrong with the configuration in the order of the file.
    static func make(
        _ bundle: ContainerBundle, id: ContainerID, options: LaunchOptions, caller: Caller, mode: LaunchMode,
        warn: (String) -> Void
    ) throws(RuntimeError) -> LaunchPlan {
        var keyring: String?
        if options.sessionKeyring {
            keyring = try operation("name the session keyring") { () throws(SystemError) in
                try SessionKeyring.newName(for: id.description)
            }
        }
        var host: Host
        do throws(CgroupError) {
            host = try Host.current(
                cgroupsPath: bundle.spec.linux?.cgroupsPath, usesResctrl: bundle.spec.linux?.intelRdt != nil,
                usesSystemd: options.cgroupManager == .systemd)
        } catch {
            throw RuntimeError(error)
        }
        // Only for limits does it matter.
        if host.cgroups.ownService != nil, bundle.spec.linux?.resources != nil {
            host.cgroups.ownService?.askUsersManager()
        }
        host.mappings = .wanted(by: bundle.spec, user: host.effectiveUser, group: host.effectiveGroup)
        host.modules = .asked(by: bundle.spec.process, mountLabel: bundle.spec.linux?.mountLabel)
        host.memoryNodes = Host.memoryNodes(for: bundle.spec)
        host.deadlinePeriods = Host.deadlinePeriods(for: bundle.spec.process)
        var findings = Findings()
        let plan = LaunchPlan(
            bundle.spec, id: id.description, bundle: bundle.path, options: options, caller: caller, keyring: keyring,
            mode: mode,
            host: host,
            findings: &findings)
        if options.strict {
            if let seccomp = bundle.spec.linux?.seccomp { SeccompNames.check(seccomp, &findings) }
            let all = bundle.warnings + bundle.placed(findings.errors + findings.warnings)
            if !all.isEmpty { throw .configuration(all.map { $0.asMistake }) }
        }
        for finding in bundle.warnings { warn(finding.description) }
        for finding in findings.warnings {
            warn(finding.at(bundle.document.location(ofPath: finding.field), in: bundle.file).description)
        }
        if !findings.errors.isEmpty { throw .configuration(bundle.placed(findings.errors)) }
        if let notice = plan.cgroup.notice { warn(notice) }
        return plan
    }
}
