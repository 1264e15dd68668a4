internal import CLinux
package import KernelTypes

/// Flags of open(2) that the runtime uses; O_CLOEXEC is always added.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let readOnly = OpenFlags([])
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let create = OpenFlags(rawValue: O_CREAT)
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let append = OpenFlags(rawValue: O_APPEND)
    package static let directory = OpenFlags(rawValue: O_DIRECTORY)
    package static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    /// A handle for *at calls and mounts only: opening devices and FIFOs this way has no effect on them.
    package static let path = OpenFlags(rawValue: O_PATH)
    /// A file without a name, in the directory that is opened.
    package static let nameless = OpenFlags(rawValue: O_TMPFILE)
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    package static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
}

/// What stat(2) reports.
package struct FileStatus: Sendable {
    package let kind: FileKind
    /// The permission bits with set-id and sticky bits.
    package let permissions: UInt32
    package let owner: UInt32
    package let group: UInt32
    package let device: UInt64
    package let inode: UInt64
    package let size: Int64
    /// How many names it has.
    package let links: UInt64
    /// When the content last changed, in nanoseconds since 1970.
    package let changed: Int64
    /// Of device nodes: which device they stand for.
    package let deviceMajor: UInt32
    package let deviceMinor: UInt32

    /// The same as the kernel's one number.
    package var deviceNumber: UInt64 { UInt64(gnu_dev_makedev(deviceMajor, deviceMinor)) }

    /// What the kernel would say of such a file, for judgements that are tested without it.
    package init(kind: FileKind, permissions: UInt32, owner: UInt32, group: UInt32) {
        var status = stat()
        status.st_mode = permissions
        status.st_uid = owner
        status.st_gid = group
        self.init(status, kind: kind)
    }

    init(_ status: stat) { self.init(status, kind: Self.kind(of: status)) }

    private static func kind(of status: stat) -> FileKind {
        switch Int32(bitPattern: status.st_mode) & S_IFMT {
        case S_IFREG: .regular
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        case S_IFIFO: .fifo
        case S_IFSOCK: .socket
        default: .unknown
        }
    }

    /// Whether both are of one file, whatever names led to it.
    package func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }

    private init(_ status: stat, kind: FileKind) {
        self.kind = kind
        permissions = status.st_mode & 0o7777
        owner = status.st_uid
        group = status.st_gid
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        links = UInt64(status.st_nlink)
        changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        deviceMajor = gnu_dev_major(status.st_rdev)
        deviceMinor = gnu_dev_minor(status.st_rdev)
    }
}

/// What statfs(2) reports.
package struct FileSystemStatus: Sendable {
    /// The magic number, linux/magic.h.
    let magic: UInt64
    /// ST_* flags of the mount.
    let flags: UInt64

    package var isProc: Bool { magic == UInt64(PROC_SUPER_MAGIC) }
    package var isSELinux: Bool { magic == UInt64(SELINUX_MAGIC) }
    package var isCgroup2: Bool { magic == UInt64(CGROUP2_SUPER_MAGIC) }
    var isReadOnly: Bool { flags & 1 != 0 }
    package var forbidsExecution: Bool { flags & 8 != 0 }
}
