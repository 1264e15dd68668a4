internal import Kernel

/// Masked and read-only paths. Specification: config-linux.md, "Masked Paths" and "Readonly Paths".
struct HiddenPaths: ~Copyable {
    /// The host's /dev/null, verified before the root was changed: the image's could be a link to anything (CVE-2025-31133).
    let null: Descriptor
    /// One empty file system for all masked directories, once the first is masked.
    private var empty = DescriptorTable()

    private init(null: consuming Descriptor) { self.null = null }

    /// Opens what masking needs, while the host's tree is still the root.
    static func open() throws(SystemError) -> HiddenPaths {
        let null = try Files.open("/dev/null", .path)
        let status = try Files.status(of: null)
        guard status.kind == .characterDevice, status.deviceMajor == 1, status.deviceMinor == 3 else {
            throw .refused("the host's /dev/null is not the null device")
        }
        return HiddenPaths(null: null)
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
        if try Files.status(of: place).kind != .directory {
            return try Mounting.attach(Mounting.cloneTree(of: null, recursive: false), on: place, subject: path)
        }
        // The first directory takes the file system itself, the others clones of that mount.
        if empty.count == 0 {
            let new = try Mounting.detachedFileSystem(
                "tmpfs", options: [("nr_blocks", "1"), ("nr_inodes", "1")],
                attributes: [.readOnly, .noSetID, .noDevices, .noExecute])
            try Mounting.attach(new, on: place, subject: path)
            return empty.append(new)
        }
        try empty.with(0) { mounted throws(SystemError) in
            try Mounting.attach(Mounting.cloneTree(of: mounted, recursive: false), on: place, subject: path)
        }
    }
}
