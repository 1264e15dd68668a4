internal import Kernel
internal import KernelTypes
internal import Planning

/// Masked and read-only paths. Specification: config-linux.md, "Masked Paths" and "Readonly Paths".
struct MaskedPaths: ~Copyable {
    /// The host's /dev/null, verified before the root was changed: the image's could be a link to anything
    /// (CVE-2025-31133).
    private var null: Cover
    /// One empty file system for all masked directories, made for the first of them.
    private var empty: Cover

    private init(null: consuming Cover, empty: consuming Cover) {
        self.null = null
        self.empty = empty
    }

    /// Opens what masking needs, while the host's tree is still the root; nothing where nothing is to be masked.
    /// Without a mount namespace of its own a container could not have it.
    static func open(_ plan: RootfsPlan) throws(SystemError) -> MaskedPaths {
        if plan.maskedPaths.isEmpty { return MaskedPaths(null: Cover(), empty: Cover()) }
        let null = try Mounting.cloneTree("/dev/null", recursive: false)
        let status = try Files.status(of: null)
        guard status.kind == .characterDevice, status.deviceMajor == 1, status.deviceMinor == 3 else {
            throw .refused("the host's /dev/null is not the null device")
        }
        return MaskedPaths(null: Cover(null, status), empty: Cover())
    }

    mutating func hide(_ plan: RootfsPlan) throws(SystemError) {
        if plan.readOnlyPaths.isEmpty && plan.maskedPaths.isEmpty { return }
        let root = RootDirectory(try Files.open("/", [.path, .directory]))
        for path in plan.readOnlyPaths {
            if let place = try open(path, in: root) { try makeReadOnly(place, path) }
        }
        for path in plan.maskedPaths {
            if let place = try open(path, in: root) { try mask(place, path) }
        }
    }

    /// A path that is not there needs no hiding.
    private func open(_ path: String, in root: borrowing RootDirectory) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return try root.open(path, .path)
        } catch {
            if error.code == .noEntry || error.code == .notDirectory { return nil }
            throw SystemError("open", path, error.code)
        }
    }

    private func makeReadOnly(_ place: borrowing Descriptor, _ path: String) throws(SystemError) {
        let tree = try Mounting.cloneTree(of: place, recursive: true)
        try Mounting.setAttributes(of: tree, set: .readOnly, recursive: true, subject: path)
        try Mounting.attach(tree, on: place, subject: path)
    }

    private mutating func mask(_ place: borrowing Descriptor, _ path: String) throws(SystemError) {
        let status = try Files.status(of: place)
        if status.kind != .directory { return try null.put(on: place, status, path) }
        if empty.isNothing {
            let made = try Mounting.detachedFileSystem(
                "tmpfs", options: [("nr_blocks", "1"), ("nr_inodes", "1")],
                attributes: [.readOnly, .noSetID, .noDevices, .noExecute])
            let shown = try Files.status(of: made)
            empty = Cover(made, shown)
        }
        try empty.put(on: place, status, path)
    }
}

/// One mount that covers many places. It is attached to the first itself; only from then on may it be cloned, for the
/// others.
private struct Cover: ~Copyable {
    private var mount = DescriptorTable()
    private var shown: FileStatus?
    private var isAttached = false

    /// None yet.
    init() {}

    /// - Parameter shown: what the places show from then on.
    init(_ mount: consuming Descriptor, _ shown: FileStatus) {
        self.mount.append(mount)
        self.shown = shown
    }

    var isNothing: Bool { mount.count == 0 }

    /// A place that shows it already, by this name or another that leads there, is left as it is.
    mutating func put(on place: borrowing Descriptor, _ status: FileStatus, _ path: String) throws(SystemError) {
        if let shown, shown.isSameFile(as: status) { return }
        let clone = isAttached
        try mount.with(0) { mount throws(SystemError) in
            if clone {
                try Mounting.attach(Mounting.cloneTree(of: mount, recursive: false), on: place, subject: path)
            } else {
                try Mounting.attach(mount, on: place, subject: path)
            }
        }
        isAttached = true
    }
}
