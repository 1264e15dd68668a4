internal import CLinux

/// MS_* flags of mount(2).
package struct MountFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt
    package init(rawValue: UInt) { self.rawValue = rawValue }
    private init(_ flag: Int) { rawValue = UInt(truncatingIfNeeded: flag) }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSetID = MountFlags(rawValue: 1 << 1)
    package static let noDevices = MountFlags(rawValue: 1 << 2)
    package static let noExecute = MountFlags(rawValue: 1 << 3)
    package static let synchronous = MountFlags(rawValue: 1 << 4)
    package static let remount = MountFlags(rawValue: 1 << 5)
    package static let mandatoryLocks = MountFlags(rawValue: 1 << 6)
    package static let directorySync = MountFlags(rawValue: 1 << 7)
    package static let noSymbolicLinks = MountFlags(rawValue: 1 << 8)
    package static let noAccessTime = MountFlags(rawValue: 1 << 10)
    package static let noDirectoryAccessTime = MountFlags(rawValue: 1 << 11)
    package static let bind = MountFlags(rawValue: 1 << 12)
    package static let move = MountFlags(rawValue: 1 << 13)
    package static let recursive = MountFlags(rawValue: 1 << 14)
    package static let silent = MountFlags(rawValue: 1 << 15)
    package static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
    package static let inodeVersion = MountFlags(rawValue: 1 << 23)
    package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
    package static let lazyTime = MountFlags(rawValue: 1 << 25)
}

/// MOUNT_ATTR_* of mount_setattr(2): what one mount, not its file system, allows.
package struct MountAttributes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountAttributes(rawValue: UInt64(MOUNT_ATTR_RDONLY))
    package static let noSetID = MountAttributes(rawValue: UInt64(MOUNT_ATTR_NOSUID))
    package static let noDevices = MountAttributes(rawValue: UInt64(MOUNT_ATTR_NODEV))
    package static let noExecute = MountAttributes(rawValue: UInt64(MOUNT_ATTR_NOEXEC))
    package static let noAccessTime = MountAttributes(rawValue: UInt64(MOUNT_ATTR_NOATIME))
    package static let strictAccessTime = MountAttributes(rawValue: UInt64(MOUNT_ATTR_STRICTATIME))
    package static let noDirectoryAccessTime = MountAttributes(rawValue: UInt64(MOUNT_ATTR_NODIRATIME))
    package static let noSymbolicLinks = MountAttributes(rawValue: UInt64(MOUNT_ATTR_NOSYMFOLLOW))
    /// The mask of the access time group; relatime is its zero. Setting one of the group needs all of it cleared.
    package static let accessTimeMask = MountAttributes(rawValue: UInt64(MOUNT_ATTR__ATIME))
}

/// How mounts made on one side show on others; mount_namespaces(7).
package enum MountPropagation: Sendable, Hashable {
    case shared, slave, `private`, unbindable

    package var flag: UInt64 {
        switch self {
        case .shared: 1 << 20
        case .slave: 1 << 19
        case .private: 1 << 18
        case .unbindable: 1 << 17
        }
    }
}
