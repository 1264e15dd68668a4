internal import Kernel
internal import KernelTypes

/// Copies what a directory holds: the `tmpcopyup` option. Files, directories, links and nodes with mode, owner,
/// extended attributes and time of change; names that belong to one file do so in the copy, and holes stay holes.
///
/// Others may be changing the source meanwhile. Nothing of it is followed, and each file is looked at by the descriptor
/// that it is then read by; the copy is not visible to other processes yet.
struct TmpfsCopyUp: ~Copyable {
    /// Deeper than any path can name.
    private static let deepest = 2048

    /// Files with several names, by where they were first met.
    private var met: [Identity: [ByteName]] = [:]
    /// The way from the top to the directory that is being copied.
    private var way: [ByteName] = []

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    static func copy(from old: borrowing Descriptor, to new: borrowing Descriptor) throws(SystemError) {
        var copy = TmpfsCopyUp()
        let top = try Files.open(".", at: new, [.readOnly, .directory])
        // The handle is for looking only.
        try copy.entries(of: Files.open(".", at: old, [.readOnly, .directory]), to: top, top: top)
    }

    private mutating func entries(
        of source: borrowing Descriptor, to target: borrowing Descriptor, top: borrowing Descriptor
    ) throws(SystemError) {
        if way.count > Self.deepest { throw .refused("tmpcopyup: more than \(Self.deepest) directories in each other") }
        for entry in try Files.entries(of: source) {
            do throws(SystemError) {
                try copy(entry.name, from: source, to: target, top: top)
            } catch  where error.code == .noEntry && error.call == "open" {
                // Removed since it was listed.
            }
        }
    }

    private mutating func copy(
        _ name: ByteName, from source: borrowing Descriptor, to target: borrowing Descriptor, top: borrowing Descriptor
    ) throws(SystemError) {
        // A handle: opening a device or a FIFO in any other way would have an effect on it, or wait for ever.
        let handle = try Files.open(name, at: source, [.path, .noFollow])
        let status = try Files.status(of: handle)
        switch status.kind {
        case .directory: try copyDirectory(name, handle, status, to: target, top: top)
        case .regular: try copyFile(name, handle, status, to: target, top: top)
        case .symbolicLink:
            let link = try Files.linkTarget(ByteName(""), at: handle)
            try Files.makeSymbolicLink(name, to: link, at: target)
            try Files.changeOwner(name, at: target, owner: status.owner, group: status.group)
        case .characterDevice, .blockDevice, .fifo:
            try Files.makeNode(
                name, at: target, kind: status.kind, mode: status.permissions, major: status.deviceMajor,
                minor: status.deviceMinor)
            try Files.changeOwner(name, at: target, owner: status.owner, group: status.group)
            try Files.changeMode(name, at: target, mode: status.permissions)
        case .socket, .unknown: return  // a socket without its listener means nothing
        }
        try Files.setTimes(name, at: target, like: status)
    }

    private mutating func copyDirectory(
        _ name: ByteName, _ handle: borrowing Descriptor, _ status: FileStatus, to target: borrowing Descriptor,
        top: borrowing Descriptor
    ) throws(SystemError) {
        try Files.makeDirectory(name, at: target, mode: 0o700)
        let source = try Files.open(".", at: handle, [.readOnly, .directory])
        let made = try Files.open(name, at: target, [.readOnly, .directory, .noFollow])
        way.append(name)
        try entries(of: source, to: made, top: top)
        way.removeLast()
        try Self.finish(made, like: status, source)
    }

    private mutating func copyFile(
        _ name: ByteName, _ handle: borrowing Descriptor, _ status: FileStatus, to target: borrowing Descriptor,
        top: borrowing Descriptor
    ) throws(SystemError) {
        let identity = Identity(device: status.device, inode: status.inode)
        if status.links > 1, let first = met[identity], Self.link(first, at: top, to: name, at: target) { return }
        let source = try Files.open(handle.path, .readOnly)
        let made = try Files.open(name, at: target, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        try Files.copySparsely(from: source, to: made, size: Int(status.size), subject: name.text)
        try Self.finish(made, like: status, source)
        if status.links > 1 { met[identity] = way + [name] }
    }

    /// Whether the file could be given its second name. What cannot, such as beyond the longest path, becomes a file of
    /// its own.
    private static func link(
        _ first: [ByteName], at top: borrowing Descriptor, to name: ByteName, at target: borrowing Descriptor
    ) -> Bool {
        // No other process sees the copy, so that a path in it leads where it led.
        let path = ByteName(first.map { $0.bytes.dropLast().map { UInt8(bitPattern: $0) } }.joined(separator: [0x2F]))
        return (try? Files.makeHardLink(path, at: top, to: name, at: target)) != nil
    }

    /// The owner first: changing it takes set-id bits and file capabilities away.
    private static func finish(
        _ made: borrowing Descriptor, like status: FileStatus, _ source: borrowing Descriptor
    ) throws(SystemError) {
        try Files.changeOwner(of: made, owner: status.owner, group: status.group)
        try Files.changeMode(of: made, mode: status.permissions)
        ExtendedAttributes.copy(from: source, to: made)
    }
}
