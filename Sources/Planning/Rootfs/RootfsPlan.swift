package import Errors
package import KernelTypes
package import OCISpec

/// The container's file tree: its root, mounts, devices, and what is hidden or made read-only in it.
package struct RootfsPlan: Sendable {
    /// Absolute, of the host.
    package let path: String
    package let readOnly: Bool
    package let propagation: (kind: MountPropagation, recursive: Bool)
    /// Whether the configuration itself asks for the propagation, so that it is applied to the finished root too.
    package let propagationIsExplicit: Bool
    package private(set) var mounts: [MountPlan] = []
    package private(set) var devices: [DevicePlan] = []
    /// What gives a file system of the runtime's own the container's SELinux context.
    package private(set) var labelParameters: [(key: String, value: String?)] = []
    package let maskedPaths: [String]
    package let readOnlyPaths: [String]
    package let pivotRoot: Bool
    /// False when the configuration brings a whole /dev of its own.
    package let makesDevices: Bool

    package init(
        _ spec: Spec, bundle: String, pivotRoot: Bool, namespaces: NamespacePlan, findings: inout Findings
    ) {
        let root = spec.root?.path ?? ""
        if spec.root == nil {
            findings.refuse("root", "required on Linux: which directory is the container's root file system?")
        } else if root.isEmpty {
            findings.refuse("root.path", "must not be empty")
        }
        path = (root.isAbsolutePath ? root : "\(bundle)/\(root)").cleanedPath
        let hasOwnMounts = namespaces.has(.mount)
        readOnly = hasOwnMounts && spec.root?.readonly == true
        self.pivotRoot = pivotRoot
        maskedPaths = Self.distinct(spec.linux?.maskedPaths)
        readOnlyPaths = Self.distinct(spec.linux?.readonlyPaths)
        propagation = Self.propagation(spec.linux?.rootfsPropagation)
        propagationIsExplicit = hasOwnMounts && spec.linux?.rootfsPropagation != nil
        for (index, mount) in (spec.mounts ?? []).enumerated() {
            guard var plan = MountPlan(mount, index: index, bundle: bundle, findings: &findings) else { continue }
            plan.mapIDs(mount, namespaces: namespaces, findings: &findings)
            mounts.append(plan)
        }
        // A /dev that is the host's own, or the root of a container without mounts of its own, on the host's disk, is
        // not ours to put nodes into.
        makesDevices =
            !mounts.contains { $0.bringsDevices }
            && (hasOwnMounts || mounts.contains { $0.isTmpfs && $0.destination == "/dev" })
        if makesDevices { devices = DevicePlan.defaults }
        addDevices(spec, namespaces, findings: &findings)
        if path == "/" { findings.refuse("root.path", "must not be the host's own root") }
        if !pivotRoot, propagationIsExplicit, propagation.kind == .private {
            findings.refuse("linux.rootfsPropagation", "private cannot be kept together with --no-pivot")
        }
        if !hasOwnMounts { checkWithoutNamespace(spec, findings: &findings) }
    }

    /// A path that is given twice is hidden once.
    private static func distinct(_ paths: [String]?) -> [String] {
        var result: [String] = []
        for path in (paths ?? []).map({ $0.cleanedPath }) where !result.contains(path) { result.append(path) }
        return result
    }

    /// Of a container that is there already: nothing but mounts that come to it.
    init(running mounts: [MountPlan]) {
        path = "/"
        readOnly = false
        propagation = (.slave, true)
        propagationIsExplicit = false
        self.mounts = mounts
        maskedPaths = []
        readOnlyPaths = []
        pivotRoot = true
        makesDevices = false
    }

    /// Gives every new file system a context.
    mutating func label(_ label: MountLabel) {
        for index in mounts.indices { mounts[index].label(label) }
        labelParameters = [label.parameter]
    }

    /// A configured device takes the place of the default one at its path.
    private mutating func addDevices(_ spec: Spec, _ namespaces: NamespacePlan, findings: inout Findings) {
        for (index, device) in (spec.linux?.devices ?? []).enumerated() {
            guard let plan = DevicePlan(device, index: index, findings: &findings) else { continue }
            plan.checkOwner(namespaces, index: index, findings: &findings)
            if !makesDevices, namespaces.has(.mount), plan.path.begins(with: "/dev/") {
                findings.warn("linux.devices[\(index)]", "not made: the /dev of this container is brought by a mount")
            }
            devices.removeAll { $0.path == plan.path }
            devices.append(plan)
        }
    }

    private static func propagation(_ word: RootfsPropagation?) -> (MountPropagation, Bool) {
        switch word {
        case .shared: (.shared, false)
        case .rshared: (.shared, true)
        case .slave: (.slave, false)
        case nil, .rslave: (.slave, true)
        case .private: (.private, false)
        case .rprivate: (.private, true)
        case .unbindable: (.unbindable, false)
        case .runbindable: (.unbindable, true)
        }
    }

    /// Without a mount namespace of its own the container's mounts are the host's: they are made, as in runc and crun,
    /// and what would change mounts that were there before is not done.
    private func checkWithoutNamespace(_ spec: Spec, findings: inout Findings) {
        let instead = #"add {"type": "mount"} to linux.namespaces"#
        func refuse(_ field: String, if asked: Bool) {
            if asked { findings.refuse(field, "needs a mount namespace; \(instead)") }
        }
        func warn(_ field: String, if asked: Bool) {
            if asked { findings.warn(field, "has no effect without a mount namespace; \(instead)") }
        }
        for mount in mounts { refuse("mounts[\(mount.index)]", if: mount.isRemount) }
        if !mounts.isEmpty {
            findings.warn(
                "mounts",
                "are made on the host until the container is deleted, for want of a mount namespace; \(instead)")
        }
        refuse("linux.maskedPaths", if: !maskedPaths.isEmpty)
        refuse("linux.readonlyPaths", if: !readOnlyPaths.isEmpty)
        refuse("linux.devices", if: !makesDevices && !devices.isEmpty)
        warn("root.readonly", if: spec.root?.readonly == true)
        warn("linux.rootfsPropagation", if: spec.linux?.rootfsPropagation != nil)
    }

    /// The kernel maps a mount's ids only for a user with privileges over its file system.
    func refuseIDMaps(_ findings: inout Findings) {
        for mount in mounts where mount.idMap != nil {
            findings.refuse(
                "mounts[\(mount.index)]", "an idmapped mount needs root; an ordinary user's container cannot have one")
        }
    }
}
