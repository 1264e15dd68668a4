internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The configured device nodes of a container with a user namespace, in which none can be made: the host's root makes
/// them before, on a file system that only shows in the container where each is bound.
struct DeviceNodes: ~Copyable {
    private var mount = DescriptorTable()

    /// None.
    init() {}

    private init(_ mount: consuming Descriptor) { self.mount.append(mount) }

    /// What is on the other side of a user namespace's mappings.
    typealias Mappings = (uids: [IDMapping], gids: [IDMapping])

    /// Whether there is any to make.
    static func areWanted(_ plan: RootfsPlan) -> Bool { plan.devices.contains(where: isMade) }

    private static func isMade(_ device: DevicePlan) -> Bool { device.field != nil && device.kind != .fifo }

    static func make(_ plan: RootfsPlan, _ ids: Mappings) throws(SystemError) -> DeviceNodes {
        let tree = try Mounting.detachedFileSystem(
            "tmpfs", options: plan.labelParameters, attributes: [.noSetID, .noExecute])
        for device in plan.devices where isMade(device) {
            do throws(SystemError) {
                try make(device, in: tree, ids)
            } catch  where error.code == .notPermitted && error.call == "mknod" {
                // Root of a container, who makes no devices: the host's are shown.
                return DeviceNodes()
            } catch {
                throw error.about("\(device.field ?? "") \(device.path)")
            }
        }
        return DeviceNodes(tree)
    }

    private static func make(
        _ device: DevicePlan, in tree: borrowing Descriptor, _ ids: Mappings
    ) throws(SystemError) {
        let name = ByteName(device.field ?? "")
        try Files.makeNode(
            name, at: tree, kind: device.kind, mode: device.mode, major: device.major, minor: device.minor)
        // Whoever is not mapped is nobody in the container, as the host's root is.
        let owner = NamespacePlan.hostID(of: device.owner, in: ids.uids) ?? 0
        let group = NamespacePlan.hostID(of: device.group, in: ids.gids) ?? 0
        try Files.changeOwner(name, at: tree, owner: owner, group: group)
        // The runtime's umask does not count.
        try Files.changeMode(name, at: tree, mode: device.mode)
    }

    /// Mounts them for as long as the result is not hidden again: what lies on a mount can be cloned from then on. That
    /// is above the process's root, where no path leads.
    func shown() throws(SystemError) -> ShownNodes {
        guard mount.count > 0 else { return ShownNodes() }
        return try mount.with(0) { tree throws(SystemError) in
            try Mounting.attach(tree, on: Files.open("/", [.path, .directory]), subject: "device nodes")
            return ShownNodes(try tree.duplicate())
        }
    }
}

/// Device nodes that can be bound.
struct ShownNodes: ~Copyable {
    private var mount = DescriptorTable()

    init() {}

    fileprivate init(_ mount: consuming Descriptor) { self.mount.append(mount) }

    func has(_ device: DevicePlan) -> Bool { mount.count > 0 && device.field != nil }

    func clone(_ device: DevicePlan) throws(SystemError) -> Descriptor {
        try mount.with(0) { tree throws(SystemError) in
            try Mounting.cloneTree(
                of: Files.open(ByteName(device.field ?? ""), at: tree, [.path, .noFollow]), recursive: false)
        }
    }

    func hide() throws(SystemError) {
        guard mount.count > 0 else { return }
        try mount.with(0) { tree throws(SystemError) in try Mounting.detach(tree.path) }
    }
}
