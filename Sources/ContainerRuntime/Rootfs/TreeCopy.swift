internal import Kernel

/// Copies what a directory holds: the `tmpcopyup` word. Files, directories, links and nodes with mode and owner; nothing is followed.
enum TreeCopy {
    static func copy(from old: borrowing Descriptor, to new: borrowing Descriptor) throws(SystemError) {
        // The handles are for looking only; reading needs directories opened for it.
        let source = try Files.open(".", at: old, [.readOnly, .directory])
        let target = try Files.open(".", at: new, [.readOnly, .directory])
        for name in try Files.list(source.path) {
            try copy(name, from: source, to: target)
        }
    }

    private static func copy(
        _ name: String, from source: borrowing Descriptor, to target: borrowing Descriptor
    ) throws(SystemError) {
        let status = try Files.status(name, at: source)
        switch status.kind {
        case .directory:
            try Files.makeDirectory(name, at: target, mode: status.permissions)
            let inner = try Files.open(name, at: source, [.path, .directory, .noFollow])
            let made = try Files.open(name, at: target, [.path, .directory, .noFollow])
            try copy(from: inner, to: made)
        case .symbolicLink:
            try Files.makeSymbolicLink(name, to: Files.readLink(name, at: source), at: target)
        case .regular:
            let from = try Files.open(name, at: source, [.readOnly, .noFollow])
            let to = try Files.open(
                name, at: target, [.writeOnly, .create, .exclusive, .noFollow], mode: status.permissions)
            try Files.copyContents(from: from, to: to, subject: name)
        case .characterDevice, .blockDevice, .fifo:
            try Files.makeNode(
                name, at: target, kind: status.kind, mode: status.permissions, major: status.deviceMajor,
                minor: status.deviceMinor)
        case .socket, .unknown: return  // a socket without its listener means nothing
        }
        try Files.changeOwner(name, at: target, owner: status.owner, group: status.group)
        if status.kind != .symbolicLink { try Files.changeMode(name, at: target, mode: status.permissions) }
    }
}
