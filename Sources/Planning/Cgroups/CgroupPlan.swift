package import CgroupPlanning
internal import Errors
internal import KernelTypes
package import OCISpec

/// Where the container's cgroup lies and what is written there. Specification: config-linux.md, "Control groups".
package struct CgroupPlan: Sendable {
    /// With cgroupfs.
    package let path: CgroupPath?
    /// With systemd.
    package let scope: ScopePlan?
    package let host: CgroupHost
    package let resources: ResourcesPlan
    /// The service that the runtime is part of, where its own cgroup must be cleared for the container's limits.
    package let clearedService: OwnService?
    /// What to report to the user about the place: why it is not in the service that the runtime is part of. It is no
    /// mistake of the configuration.
    package let notice: String?
    /// Whether the container gets its cgroup to make children of.
    package let isDelegated: Bool

    init(
        _ spec: Spec, id: String, options: LaunchOptions, requests: AnnotationPlan, host: Host,
        findings: inout Findings
    ) {
        self.host = host.cgroups
        resources = ResourcesPlan(Self.inTodaysTerms(spec.linux?.resources, of: spec.ociVersion))
        isDelegated = Delegation.isWanted(namespaces: spec.linux?.namespaces ?? [], mounts: spec.mounts ?? [])
        for error in resources.errors { findings.refuse(error.field, error.reason) }
        var path: CgroupPath?
        var scope: ScopePlan?
        let place = ServicePlace(spec.linux?.cgroupsPath, options.cgroupManager, resources, host.cgroups.ownService)
        do throws(CgroupPlanError) {
            switch options.cgroupManager {
            case .cgroupfs:
                path = try CgroupPath(
                    spec.linux?.cgroupsPath, id: id, own: host.cgroups.ownPath, isBelowOwn: place.isInside)
            case .systemd:
                let name = try ScopeName(spec.linux?.cgroupsPath, id: id, isUser: host.hasOwnSystemd)
                scope = ScopePlan(
                    name, isUser: host.hasOwnSystemd, subgroup: requests.systemdSubgroup,
                    properties: requests.systemdProperties)
            case .disabled: Self.refuseLimits(resources, &findings)
            }
        } catch {
            findings.refuse(error.field, error.reason)
        }
        self.path = path
        self.scope = scope
        clearedService = place.cleared
        notice = place.notice
    }

    private static func refuseLimits(_ resources: ResourcesPlan, _ findings: inout Findings) {
        for setting in resources.settings {
            findings.refuse(setting.field, "needs a cgroup; remove it, or --cgroup-manager=disabled")
        }
        if resources.devices?.hasDenial == true {
            findings.warn(
                "linux.resources.devices", "not applied: --cgroup-manager=disabled leaves no cgroup to apply it to")
        }
    }

    /// Before version 1.3 of the specification a pids limit of 0 meant none, and engines of that time still write it.
    package static func inTodaysTerms(_ resources: Resources?, of ociVersion: String) -> Resources? {
        guard resources?.pids?.limit == 0, let version = OCIVersion(ociVersion), version.major == 1, version.minor < 3
        else { return resources }
        var resources = resources
        resources?.pids?.limit = -1
        return resources
    }

    /// Whether the limit of memory is so small that some pages decide: 4 MiB.
    package var isTight: Bool { !lateSettings.isEmpty }

    /// A limit of memory that is so small is written when the init is ready, and the others while it is set up.
    package var lateSettings: [Setting] {
        // systemd knows the limits of its unit from the beginning.
        if scope != nil { return [] }
        return resources.settings.filter { $0.file == "memory.max" && UInt64($0.value).map { $0 < 4 << 20 } ?? false }
    }

    package var earlySettings: [Setting] {
        let late = lateSettings
        return late.isEmpty ? resources.settings : resources.settings.filter { !late.contains($0) }
    }

    /// What is enforced on devices; nothing without a cgroup.
    package var deviceRules: DeviceRules? { path == nil && scope == nil ? nil : resources.devices }

    /// The cgroup's directory on the host; nil without a cgroup, and with systemd, which alone knows it.
    package var directory: String? {
        guard let path, let root = host.root else { return nil }
        return root + path.description
    }
}

/// Whether the container lies within the systemd service that the runtime is part of. A path that is absolute, or names
/// a slice, says itself where it lies.
private struct ServicePlace {
    var isInside = false
    var cleared: OwnService?
    var notice: String?

    init(_ cgroupsPath: String?, _ manager: CgroupManagerKind, _ resources: ResourcesPlan, _ service: OwnService?) {
        guard let service else { return }
        switch manager {
        case .disabled: return
        case .systemd:
            guard cgroupsPath?.isEmpty != false else { return }
            notice = Self.notice(service, "systemd makes a scope of its own for it", "leave --systemd-cgroup out")
        case .cgroupfs:
            guard cgroupsPath?.isAbsolutePath != true else { return }
            let needsControllers = !resources.controllers.isEmpty
            guard !needsControllers || service.isDelegated else {
                notice = Self.notice(
                    service, "its limits need a unit that is delegated", "set Delegate=yes in the unit")
                return
            }
            isInside = true
            cleared = needsControllers ? service : nil
        }
    }

    private static func notice(_ service: OwnService, _ reason: String, _ remedy: String) -> String {
        "the container's cgroup lies outside of \(service.name), whose end does not end it: \(reason); \(remedy)"
    }
}
