/// A device node inside the container (config-linux.md, "Devices").
package struct Device: Sendable, Hashable {
    /// What kind of node.
    package var type: DeviceType
    /// Where, absolute, inside the container.
    package var path: String
    /// The major number; there unless the node is a FIFO.
    package var major: Int64?
    /// The minor number; there unless the node is a FIFO.
    package var minor: Int64?
    /// The mode as a plain number (decimal 438 is octal 0666); file type bits in it mean nothing.
    package var fileMode: UInt32?
    /// The owner inside the container.
    package var uid: UInt32?
    /// The group inside the container.
    package var gid: UInt32?

    /// A device by its parts.
    package init(
        type: DeviceType, path: String, major: Int64? = nil, minor: Int64? = nil, fileMode: UInt32? = nil,
        uid: UInt32? = nil, gid: UInt32? = nil
    ) {
        self.type = type
        self.path = path
        self.major = major
        self.minor = minor
        self.fileMode = fileMode
        self.uid = uid
        self.gid = gid
    }
}

/// The kinds of device nodes, by the specification's letters, which are mknod(1)'s.
package enum DeviceType: String, Word {
    /// A character device.
    case c
    /// A block device.
    case b
    /// A character device, unbuffered; the same as `c` on Linux.
    case u
    /// A FIFO.
    case p
}

extension Device: Section {
    init(_ fields: inout Fields) {
        type = fields.requiredWord("type", placeholder: .p)
        path = fields.requiredAbsolutePath("path")
        major = fields.integer("major")
        minor = fields.integer("minor")
        fileMode = fields.integer("fileMode")
        uid = fields.integer("uid")
        gid = fields.integer("gid")
        guard type != .p else { return }
        for key: StaticString in ["major", "minor"] where !fields.isPresent(key) {
            fields.missing(key)
        }
    }
}

/// A network interface of the host that is moved into the container (config-linux.md, "Network Devices").
package struct NetDevice: Sendable, Hashable {
    /// Its name on the host, the key of its entry.
    package var hostName: String
    /// Its name inside the container; the same where absent.
    package var name: String?

    /// An interface by its parts.
    package init(hostName: String, name: String? = nil) {
        self.hostName = hostName
        self.name = name
    }
}

extension NetDevice: Section {
    init(_ fields: inout Fields) {
        hostName = fields.name
        name = fields.string("name")
    }
}
