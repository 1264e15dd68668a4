internal import Cgroups
internal import Kernel
internal import OCISpec

/// Where the container's cgroup lies and what is written there. Specification: config-linux.md, "Control groups".
struct CgroupPlan: Sendable {
    /// nil with `--cgroup-manager=disabled`.
    let path: CgroupPath?
    let host: CgroupHost
    let resources: ResourcesPlan
    /// Whether the container gets its cgroup to make children of.
    let isDelegated: Bool

    init(
        _ spec: Spec, id: String, options: LaunchOptions, namespaces: NamespacePlan, host: Host,
        findings: inout PlanFindings
    ) {
        self.host = host.cgroups
        resources = ResourcesPlan(Self.inTodaysTerms(spec.linux?.resources, of: spec.ociVersion))
        isDelegated = Delegation.isWanted(namespaces: spec.linux?.namespaces ?? [], mounts: spec.mounts ?? [])
        for error in resources.errors { findings.refuse(error.field, error.reason) }
        guard options.cgroupManager != .disabled else {
            path = nil
            for setting in resources.settings {
                findings.refuse(setting.field, "needs a cgroup; remove it, or --cgroup-manager=disabled")
            }
            if resources.devices?.hasDenial == true {
                findings.warn(
                    "linux.resources.devices", "not applied: --cgroup-manager=disabled leaves no cgroup to apply it to")
            }
            return
        }
        do throws(CgroupPlanError) {
            path = try CgroupPath(spec.linux?.cgroupsPath, id: id, own: host.cgroups.ownPath)
        } catch {
            path = nil
            findings.refuse(error.field, error.reason)
        }
    }

    /// Before version 1.3 of the specification a pids limit of 0 meant none, and engines of that time still write it.
    static func inTodaysTerms(_ resources: Resources?, of ociVersion: String) -> Resources? {
        guard resources?.pids?.limit == 0, let version = OCIVersion(ociVersion), version.major == 1, version.minor < 3
        else { return resources }
        var resources = resources
        resources?.pids?.limit = -1
        return resources
    }

    /// What is enforced on devices; nothing without a cgroup.
    var deviceRules: DeviceRules? { path == nil ? nil : resources.devices }

    /// The cgroup's directory on the host; nil without a cgroup.
    var directory: String? {
        guard let path, let root = host.root else { return nil }
        return root + path.description
    }

    /// What the state says of the cgroup before it is made: where it would be, and that nothing is made yet.
    var expectedRecord: CgroupRecord {
        guard let path, let root = host.root else { return .disabled }
        return CgroupRecord(mode: .fs, root: root, path: path.description, created: [])
    }

    /// Who is not the host's root, and has been given no cgroup, does without one, as long as nothing needs it.
    /// - Parameter asUser: by an ordinary user, who may not enter every cgroup that he may make.
    func create(asUser: Bool) throws(CgroupError) -> CgroupManager {
        guard let path else { return .disabled }
        do throws(CgroupError) {
            let manager = try CgroupManager.create(path, host: host, plan: resources)
            guard asUser else { return manager }
            do throws(CgroupError) {
                try manager.checkEntry(from: host.ownPath)
            } catch {
                // Nobody is in it yet; the error to tell is the one that led here.
                try? manager.withdraw()
                throw error
            }
            return manager
        } catch {
            guard error.isPermission, resources.settings.isEmpty, Credentials.isOrdinary else { throw error }
            return .disabled
        }
    }
}
