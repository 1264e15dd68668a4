internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Everything of the host that the container's process needs, opened before it leaves the host's namespaces.
///
/// Opened early, sources need not be readable inside a user namespace, and no path is looked up twice.
struct LaunchResources: ~Copyable {
    /// What mounts are made of.
    var mounts = MountSources()

    /// For each joined namespace: its handle.
    var namespaces = DescriptorTable()
    /// The host's procfs, ``HostProcfs``: one entry, or none where there is nothing to write.
    var proc = DescriptorTable()
    /// Mappings of idmapped mounts.
    var idMaps = IDMapNamespaces()
    /// Device nodes that cannot be made in the container.
    var nodes = DeviceNodes()

    /// Files that take the hooks' output in the container's process; empty where nothing is asked for.
    private var hookFiles = DescriptorTable()

    /// Where hooks of the container's process write to.
    func hookOutput() throws(SystemError) -> HookOutput {
        if hookFiles.count == 0 { return .kept }
        func number(_ index: Int) throws(SystemError) -> Int32? {
            hookFiles.has(index) ? try hookFiles.with(index) { file throws(SystemError) in file.number } : nil
        }
        return .open(output: try number(0), errors: try number(1))
    }

    /// Nothing of it.
    init() {}

    /// Which of it is opened.
    enum Part {
        case all, namespaces
        /// Bind sources: an ordinary user may clone mounts in the container's user and mount namespaces only.
        case mounts
    }

    static func open(_ plan: LaunchPlan, _ part: Part) throws(StepFailure) -> LaunchResources {
        var resources = LaunchResources()
        if part != .mounts { try resources.openHosts(plan) }
        if part == .namespaces { return resources }
        try step(.sources) { () throws(SystemError) in
            var late = LateSources(plan.rootfs)
            for mount in plan.rootfs.mounts {
                if mount.isProc, plan.namespaces.isSpawnedLast {
                    resources.mounts.trees.append(try resources.openProcessFileSystem(mount, plan.namespaces))
                } else {
                    try resources.open(mount, propagation: plan.rootfs.propagation, &late)
                }
            }
        }
        return resources
    }

    /// What only the runtime may open.
    private mutating func openHosts(_ plan: LaunchPlan) throws(StepFailure) {
        let output = HookOutput(plan.annotations, bundle: plan.bundle)
        if output != .kept { hookFiles = try step(.sources, try output.open()) }
        if !plan.system.sysctls.isEmpty || !plan.labels.isEmpty || plan.namespaces.locksMounts {
            proc.append(try step(.sources, try HostProcfs.open()))
        }
        for joined in plan.namespaces.joined {
            namespaces.append(try step(.namespaces, try Self.open(joined, plan.system)))
        }
        if plan.namespaces.locksMounts, !plan.isRootless, DeviceNodes.areWanted(plan.rootfs) {
            let ids = try step(.devices, try JoinedMappings.read(plan.namespaces, namespaces))
            nodes = try step(.devices, try DeviceNodes.make(plan.rootfs, ids))
        }
    }

    static func open(
        _ joined: NamespacePlan.Joined, _ system: SystemPlan
    ) throws(SystemError) -> Descriptor {
        let subject = "\(joined.field) \(joined.path)"
        let handle: Descriptor
        do throws(SystemError) {
            handle = try Files.open(joined.path, .readOnly)
        } catch {
            throw SystemError("open", subject, error.code)
        }
        guard Namespaces.kind(of: handle) == joined.type.flag else {
            throw .refused("\(subject) is not a \(joined.type.rawValue) namespace")
        }
        // By another path it is the host's all the same.
        if let field = system.fieldChanging(joined.type), try isOwn(handle, joined.type) {
            throw .refused("\(subject) is the host's own, and \(field) would change the host")
        }
        return handle
    }

    private static func isOwn(_ handle: borrowing Descriptor, _ type: NamespaceType) throws(SystemError) -> Bool {
        let name = type == .network ? "net" : type == .mount ? "mnt" : type.rawValue
        return try Namespaces.isOwn(name, Files.status(of: handle))
    }

    mutating func open(
        _ mount: MountPlan, propagation: (kind: MountPropagation, recursive: Bool), _ late: inout LateSources
    ) throws(SystemError) {
        guard case .bind(let source, let recursive) = mount.kind else {
            if mount.idMap != nil, case .fileSystem(let type, let source) = mount.kind {
                mounts.trees.append(try openFileSystem(mount, type, source))
            } else {
                mounts.trees.appendNothing()
            }
            return
        }
        do throws(SystemError) {
            if mount.copySymbolicLink, try Files.status(source, follow: false).kind == .symbolicLink {
                mounts.addLink(mount.index, to: try Files.readLink(source))
                mounts.trees.appendNothing()
                return
            }
            let follow = mount.followSource && !mount.copySymbolicLink
            let tree = try BindMount.clone(mount, recursive: recursive) { () throws(SystemError) in
                try Mounting.cloneTree(source, recursive: recursive, follow: follow)
            }
            if try late.takes(mount, source, opened: tree) {
                mounts.addLate(mount.index, inside: late.found)
                return try openInside(mount, late, recursive: recursive, propagation)
            }
            try mapIDs(of: tree, mount, source: source)
            try BindMount.setAttributes(tree, mount, propagation)
            mounts.trees.append(tree)
        } catch {
            if error.isMissing, late.takes(mount, source) {
                mounts.addLate(mount.index, inside: late.found)
                return mounts.trees.appendNothing()
            }
            if error.isRefusal { throw error }
            if error.isMissing {
                throw .refused("mounts[\(mount.index)].source: \(MountPlan.missing(source, error.code))")
            }
            throw .failed("bind", "mounts[\(mount.index)]: source \(source)", error.code)
        }
    }

    /// What lies below the root already, for a container whose root may not reach it. Not what was opened by the path
    /// on the host, where a link of the image leads out of the root.
    private mutating func openInside(
        _ mount: MountPlan, _ late: borrowing LateSources, recursive: Bool,
        _ propagation: (kind: MountPropagation, recursive: Bool)
    ) throws(SystemError) {
        // What is not there now may be there at its turn.
        guard mount.idMap == nil, !mount.copySymbolicLink, let inside = try? late.openFound(follow: mount.followSource)
        else { return mounts.trees.appendNothing() }
        let tree = try BindMount.clone(mount, recursive: recursive) { () throws(SystemError) in
            try Mounting.cloneTree(of: inside, recursive: recursive)
        }
        try BindMount.setAttributes(tree, mount, propagation)
        mounts.trees.append(tree)
    }

    /// A procfs of the pid namespace that the container joins, made in there: the process that sets the container up is
    /// not in it.
    private func openProcessFileSystem(
        _ mount: MountPlan, _ plan: NamespacePlan
    ) throws(SystemError) -> Descriptor {
        guard let index = plan.joined.firstIndex(where: { $0.type == .pid }) else {
            throw .refused("no pid namespace is joined")
        }
        let context = try namespaces.with(index) { namespace throws(SystemError) in
            try PIDNamespaceHelper.openProcfs(in: namespace)
        }
        do throws(SystemError) {
            return try NewFileSystem.makeDetached(
                NewFileSystem.Request(mount, "proc", source: nil, options: mount.data, writable: mount.isFilled),
                from: context)
        } catch {
            throw mount.named(error)
        }
    }
}
