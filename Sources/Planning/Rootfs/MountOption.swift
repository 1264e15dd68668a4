package import KernelTypes
internal import OCISpec

/// What one option of a mount means. Specification: config.md, "Linux mount options"; mount(8).
package enum MountOption: Sendable, Equatable {
    case nothing
    /// Set or cleared for this mount; both the old flag of a new file system and the attribute of a bind mount.
    case set(MountFlags, MountAttributes)
    case clear(MountFlags, MountAttributes)
    /// Set or cleared for the mount and all below it.
    case setRecursively(MountAttributes)
    case clearRecursively(MountAttributes)
    /// One of the group of access time options, of which the last one counts.
    case accessTime(MountFlags, MountAttributes, recursive: Bool)
    case propagation(MountPropagation, recursive: Bool)
    case bind(recursive: Bool)
    case remount
    case copyUp
    case copySymbolicLink
    case sourceNoFollow
    case destinationNoFollow
    /// The mount's files belong to others than on the disk.
    case idMap(recursive: Bool)

    package static let table: [(name: String, option: MountOption)] = [
        ("defaults", .nothing),
        ("bind", .bind(recursive: false)), ("rbind", .bind(recursive: true)), ("remount", .remount),
        ("ro", .set(.readOnly, .readOnly)), ("rw", .clear(.readOnly, .readOnly)),
        ("nosuid", .set(.noSetID, .noSetID)), ("suid", .clear(.noSetID, .noSetID)),
        ("nodev", .set(.noDevices, .noDevices)), ("dev", .clear(.noDevices, .noDevices)),
        ("noexec", .set(.noExecute, .noExecute)), ("exec", .clear(.noExecute, .noExecute)),
        ("nosymfollow", .set(.noSymbolicLinks, .noSymbolicLinks)),
        ("symfollow", .clear(.noSymbolicLinks, .noSymbolicLinks)),
        ("sync", .set(.synchronous, [])), ("async", .clear(.synchronous, [])), ("dirsync", .set(.directorySync, [])),
        ("mand", .set(.mandatoryLocks, [])), ("nomand", .clear(.mandatoryLocks, [])),
        ("iversion", .set(.inodeVersion, [])), ("noiversion", .clear(.inodeVersion, [])),
        ("lazytime", .set(.lazyTime, [])), ("nolazytime", .clear(.lazyTime, [])),
        ("silent", .set(.silent, [])), ("loud", .clear(.silent, [])),
        ("nodiratime", .set(.noDirectoryAccessTime, .noDirectoryAccessTime)),
        ("diratime", .clear(.noDirectoryAccessTime, .noDirectoryAccessTime)),
        ("noatime", .accessTime(.noAccessTime, .noAccessTime, recursive: false)),
        ("atime", .accessTime([], [], recursive: false)),
        ("relatime", .accessTime(.relativeAccessTime, [], recursive: false)),
        ("norelatime", .accessTime([], [], recursive: false)),
        ("strictatime", .accessTime(.strictAccessTime, .strictAccessTime, recursive: false)),
        ("nostrictatime", .accessTime([], [], recursive: false)),
        ("shared", .propagation(.shared, recursive: false)), ("rshared", .propagation(.shared, recursive: true)),
        ("slave", .propagation(.slave, recursive: false)), ("rslave", .propagation(.slave, recursive: true)),
        ("private", .propagation(.private, recursive: false)), ("rprivate", .propagation(.private, recursive: true)),
        ("unbindable", .propagation(.unbindable, recursive: false)),
        ("runbindable", .propagation(.unbindable, recursive: true)),
        ("rro", .setRecursively(.readOnly)), ("rrw", .clearRecursively(.readOnly)),
        ("rnosuid", .setRecursively(.noSetID)), ("rsuid", .clearRecursively(.noSetID)),
        ("rnodev", .setRecursively(.noDevices)), ("rdev", .clearRecursively(.noDevices)),
        ("rnoexec", .setRecursively(.noExecute)), ("rexec", .clearRecursively(.noExecute)),
        ("rnosymfollow", .setRecursively(.noSymbolicLinks)), ("rsymfollow", .clearRecursively(.noSymbolicLinks)),
        ("rnodiratime", .setRecursively(.noDirectoryAccessTime)),
        ("rdiratime", .clearRecursively(.noDirectoryAccessTime)),
        ("rnoatime", .accessTime([], .noAccessTime, recursive: true)),
        ("ratime", .accessTime([], [], recursive: true)), ("rrelatime", .accessTime([], [], recursive: true)),
        ("rnorelatime", .accessTime([], [], recursive: true)),
        ("rstrictatime", .accessTime([], .strictAccessTime, recursive: true)),
        ("rnostrictatime", .accessTime([], [], recursive: true)),
        // Options of crun without an equivalent for a whole tree; accepted as it accepts them.
        ("rsync", .nothing), ("rasync", .nothing), ("rdirsync", .nothing), ("rmand", .nothing), ("rnomand", .nothing),
        ("tmpcopyup", .copyUp), ("copy-symlink", .copySymbolicLink), ("src-nofollow", .sourceNoFollow),
        ("dest-nofollow", .destinationNoFollow), ("idmap", .idMap(recursive: false)),
        ("ridmap", .idMap(recursive: true)),
    ]

    /// Options of file systems that resemble one of the table, and are no typing errors: xfs(5), ext4(5), btrfs(5),
    /// tmpfs(5), overlayfs.rst, devpts.
    static let ofFileSystems = [
        "nouuid", "acl", "noacl", "auto", "noauto", "owner", "group", "user", "nouser", "users", "discard",
        "nodiscard", "autodefrag", "barrier", "nobarrier", "quota", "noquota", "usrquota", "grpquota", "newinstance",
        "noswap", "volatile", "userxattr", "nsdelegate", "memory_recursiveprot", "posix", "noposix", "hard",
        "soft", "fg", "bg", "intr", "nointr", "lock", "nolock", "sharecache", "nosharecache", "nodelalloc", "delalloc",
        "sloppy", "direct_io", "allow_other", "default_permissions", "norecovery", "recovery", "noload", "ssd",
        "nossd", "unhide", "check", "nocheck", "inode32", "inode64", "swalloc", "wsync", "attr2", "noattr2", "largeio",
        "filestreams", "ikeep", "noikeep", "xino", "noxattr", "xattr", "noresvport", "resvport", "cto", "nocto", "ac",
        "noac", "tcp", "udp", "rdma",
    ]

    /// The option that another text was most likely meant to be. The two shortest, which matter most, are too short to
    /// resemble anything by a third of their letters.
    static func nearest(to text: String) -> String? {
        let short = ["ro", "rw"].first { text.utf8.count == 3 && text.begins(with: $0) }
        return short ?? Spelling.nearest(to: text, in: table.map { $0.name })
    }

    /// The option that a text stands for; nil when it is the file system's own.
    package init?(_ text: String) {
        // crun's form with a mapping behind it.
        if text.begins(with: "idmap=") || text.begins(with: "ridmap=") {
            self = .idMap(recursive: text.begins(with: "r"))
            return
        }
        guard let entry = Self.table.first(where: { $0.name == text }) else { return nil }
        self = entry.option
    }
}
