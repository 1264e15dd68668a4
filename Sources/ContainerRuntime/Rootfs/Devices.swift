internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// Makes device nodes and the links of /dev.
struct Devices: ~Copyable {
    let plan: RootfsPlan
    /// Inside a user namespace nodes cannot be made; those that the runtime has made are shown, or the host's.
    let byBinding: Bool
    /// Whether a terminal is to be shown as /dev/console, which a read-only /dev must have a place for.
    let needsConsole: Bool
    let nodes: ShownNodes

    /// - Parameter mount: the new file system at /dev, where there is one.
    func makeAll(in root: borrowing RootDirectory, mount: borrowing Descriptor?) throws(SystemError) {
        switch mount {
        case .some(let folder) where plan.makesDevices:
            try fill(folder, in: root)
            try makeReadOnly(folder)
        case .none where plan.makesDevices: try fill(Self.openFolder(in: root), in: root)
        default: try makeNodes(in: root, folder: root.descriptor)
        }
        try nodes.hide()
    }

    private func fill(_ folder: borrowing Descriptor, in root: borrowing RootDirectory) throws(SystemError) {
        try makeNodes(in: root, folder: folder)
        for link in DevicePlan.links { try makeLink(link.name, link.target, in: folder) }
        if needsConsole { try makeConsolePlace(in: folder) }
        if Files.exists("/proc/kcore") { try makeLink("core", "/proc/kcore", in: folder) }
        try makeTerminalMultiplexer(in: folder)
    }

    /// - Parameter folder: /dev, which is looked up once for all that is made in it.
    private func makeNodes(in root: borrowing RootDirectory, folder: borrowing Descriptor) throws(SystemError) {
        for device in plan.devices where plan.makesDevices || !device.path.begins(with: "/dev/") {
            let (parent, name) = split(device.path)
            do throws(SystemError) {
                if parent == "/dev" {
                    try make(device, name, in: folder)
                } else {
                    try make(device, name, in: root.openDirectory(parent))
                }
            } catch {
                if error.isRefusal { throw error }
                throw error.about(device.field.map { "\($0) \(device.path)" } ?? device.path)
            }
        }
    }

    static let notADirectory = "/dev in the root file system must be a directory, not a link"

    /// /dev itself must be a directory: a link in the image would have nodes made wherever it points (CVE-2026-41579,
    /// CVE-2026-47766).
    private static func openFolder(in root: borrowing RootDirectory) throws(SystemError) -> Descriptor {
        let folder = try root.openMountPoint("/dev", file: false, follow: false)
        guard try Files.status(of: folder).kind == .directory else { throw .refused(notADirectory) }
        return folder
    }

    private func make(
        _ device: DevicePlan, _ name: String, in folder: borrowing Descriptor
    ) throws(SystemError) {
        if byBinding, device.kind != .fifo { return try bind(device, name, in: folder) }
        do throws(SystemError) {
            try Files.makeNode(
                name, at: folder, kind: device.kind, mode: device.mode, major: device.major, minor: device.minor)
        } catch {
            if error.code == .notPermitted { return try bind(device, name, in: folder) }
            guard error.code == .exists else { throw error }
            try checkExisting(device, name, in: folder)
            return
        }
        if device.owner != 0 || device.group != 0 {
            try Files.changeOwner(name, at: folder, owner: device.owner, group: device.group)
        }
    }

    /// The specification: a file that is there and is not the device is an error. One that is the device keeps its
    /// owner and mode, as with runc and crun: a mount may have brought the host's own.
    private func checkExisting(
        _ device: DevicePlan, _ name: String, in folder: borrowing Descriptor
    ) throws(SystemError) {
        let status = try Files.status(of: Files.open(name, at: folder, [.path, .noFollow]))
        let isSame =
            status.kind == device.kind
            && (device.kind == .fifo || (status.deviceMajor == device.major && status.deviceMinor == device.minor))
        if !isSame { throw .refused("\(device.path) exists in the root file system and is another file") }
    }

    private func bind(
        _ device: DevicePlan, _ name: String, in folder: borrowing Descriptor
    ) throws(SystemError) {
        let tree = try nodes.has(device) ? nodes.clone(device) : Self.hosts(device)
        do throws(SystemError) {
            try Files.makeNode(name, at: folder, kind: .regular, mode: 0o644)
        } catch  where error.code == .exists {
            // A place to mount on is all that is needed.
        }
        let place = try Files.open(name, at: folder, [.path, .noFollow])
        try Mounting.attach(tree, on: place, subject: device.path)
    }

    private func makeConsolePlace(in folder: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeNode("console", at: folder, kind: .regular, mode: 0o644)
        } catch  where error.code == .exists {
            // What the image or the configuration has there is looked at when it is mounted on.
        }
    }

    /// The host's own node at the same path.
    private static func hosts(_ device: DevicePlan) throws(SystemError) -> Descriptor {
        let tree: Descriptor
        do throws(SystemError) {
            tree = try Mounting.cloneTree(device.path, recursive: false)
        } catch  where error.isMissing {
            let subject = device.field.map { "\($0) \(device.path)" } ?? device.path
            throw .refused("\(subject) is not on the host, and only the host's root makes devices that are not")
        }
        let status = try Files.status(of: tree)
        guard status.kind == device.kind, status.deviceMajor == device.major, status.deviceMinor == device.minor else {
            throw .refused("\(device.path) of the host is not the device \(device.major):\(device.minor)")
        }
        return tree
    }

    private func makeLink(_ name: String, _ target: String, in folder: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeSymbolicLink(name, to: target, at: folder)
        } catch  where error.code == .exists {
            // The image brings its own; runc and crun leave it too.
        }
    }

    private func makeTerminalMultiplexer(in folder: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeSymbolicLink("ptmx", to: "pts/ptmx", at: folder)
        } catch  where error.code == .exists {
            let status = try Files.status("ptmx", at: folder)
            if status.kind == .symbolicLink, try Files.readLink("ptmx", at: folder) == "pts/ptmx" { return }
            // A node would open the host's instance of devpts.
            try Files.remove("ptmx", at: folder)
            try Files.makeSymbolicLink("ptmx", to: "pts/ptmx", at: folder)
        }
    }

    /// A /dev that is asked for read-only was left writable until now.
    private func makeReadOnly(_ folder: borrowing Descriptor) throws(SystemError) {
        guard plan.mounts.contains(where: { $0.destination == "/dev" && $0.isReadOnly && !$0.isBind }) else { return }
        try Mounting.setAttributes(of: folder, set: .readOnly)
    }
}
