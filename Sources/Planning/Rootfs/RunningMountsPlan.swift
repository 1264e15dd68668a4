package import Errors
internal import KernelTypes
package import OCISpec

/// Mounts that a container gets while it is there already: with its namespaces and nothing else of its plan.
package struct RunningMountsPlan: Sendable {
    package let rootfs: RootfsPlan
    package let namespaces: NamespacePlan

    /// - Parameters:
    ///   - spec: what the container was made of.
    ///   - mappings: those of a configuration without any.
    package init(
        adding mounts: [Mount], to spec: Spec, bundle: String, mappings: DefaultMappings?, findings: inout Findings
    ) {
        namespaces = Self.namespaces(of: spec, mappings: mappings)
        var planned: [MountPlan] = []
        for (index, mount) in mounts.enumerated() {
            guard var plan = MountPlan(mount, index: index, bundle: bundle, findings: &findings) else { continue }
            plan.mapIDs(mount, namespaces: namespaces, findings: &findings)
            if let reason = Self.obstacle(to: plan) { findings.refuse("mounts[\(index)]", reason) }
            planned.append(plan)
        }
        if !namespaces.has(.mount) {
            findings.refuse("", "the container has no mount namespace of its own: the mounts would be the host's")
        }
        rootfs = RootfsPlan(running: planned)
    }

    /// Without mistakes when the container was made, and so they are now.
    package static func namespaces(of spec: Spec, mappings: DefaultMappings?) -> NamespacePlan {
        var settled = Findings()
        return NamespacePlan(spec, defaults: mappings, findings: &settled)
    }

    /// What only the container's own set-up can do.
    private static func obstacle(to mount: MountPlan) -> String? {
        let destination = mount.destination
        if destination == "/" { return "the root file system cannot be covered while the container runs" }
        if destination == "/proc" || destination.begins(with: "/proc/") || mount.isProc {
            return "procfs, and mounts below /proc, cannot be added while the container runs"
        }
        if destination == "/dev", !mount.isBind { return "a new /dev would be empty; add mounts below it" }
        if mount.idMap != nil { return "idmapped mounts cannot be added while the container runs" }
        if mount.copyUp { return "tmpcopyup is for mounts that the container is made with" }
        if case .remount = mount.kind { return "a remount is for mounts that the container is made with" }
        return nil
    }
}
