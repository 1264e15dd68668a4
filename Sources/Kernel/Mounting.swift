internal import CLinux
package import KernelTypes

/// Mounts, made by descriptor: a path is never looked up twice.
package enum Mounting {
    /// Clones a mount, detached from every namespace, or all mounts below it.
    ///
    /// open_tree(2) with OPEN_TREE_CLONE.
    /// - Parameter follow: whether a symbolic link at the end of `path` is followed.
    package static func cloneTree(
        _ path: String, recursive: Bool, follow: Bool = true
    ) throws(SystemError) -> Descriptor {
        try cloneTree(AT_FDCWD, path, recursive: recursive, follow: follow)
    }

    package static func cloneTree(of descriptor: borrowing Descriptor, recursive: Bool) throws(SystemError)
        -> Descriptor
    {
        try cloneTree(descriptor.raw, "", recursive: recursive, follow: true)
    }

    private static func cloneTree(
        _ directory: Int32, _ path: String, recursive: Bool, follow: Bool
    ) throws(SystemError) -> Descriptor {
        var flags = Int(OPEN_TREE_CLONE) | Int(O_CLOEXEC)
        if path.isEmpty { flags |= Int(AT_EMPTY_PATH) }
        if recursive { flags |= Int(AT_RECURSIVE) }
        if !follow { flags |= Int(AT_SYMLINK_NOFOLLOW) }
        let raw = try check("open_tree", path) {
            lend(path) { system(Int(SYS_open_tree), Int(directory), $0, flags) }
        }
        return Descriptor(raw: Int32(raw))
    }

    /// Attaches a detached mount on what `target` is open on. move_mount(2).
    package static func attach(
        _ mount: borrowing Descriptor, on target: borrowing Descriptor, subject: String
    ) throws(SystemError) {
        let from = mount.raw
        let to = target.raw
        let flags = Int(MOVE_MOUNT_F_EMPTY_PATH) | Int(MOVE_MOUNT_T_EMPTY_PATH)
        _ = try check("mount", subject) {
            lend("") { system(Int(SYS_move_mount), Int(from), $0, Int(to), $0, flags) }
        }
    }

    /// Moves a mount of this namespace to a path. mount(2), MS_MOVE.
    package static func move(_ from: String, to path: String) throws(SystemError) {
        try mount(from, on: path, type: nil, flags: .move, data: nil)
    }

    /// Changes what a mount allows, in one step for a whole tree. mount_setattr(2), Linux 5.12.
    package static func setAttributes(
        of mount: borrowing Descriptor, set: MountAttributes = [], clear: MountAttributes = [],
        propagation: MountPropagation? = nil, recursive: Bool = false, subject: String = ""
    ) throws(SystemError) {
        var attributes = mount_attr()
        attributes.attr_set = set.rawValue
        attributes.attr_clr = clear.rawValue
        attributes.propagation = propagation?.flag ?? 0
        let raw = mount.raw
        let flags = Int(AT_EMPTY_PATH) | (recursive ? Int(AT_RECURSIVE) : 0)
        _ = try check("mount_setattr", subject) {
            lend("", &attributes) {
                system(Int(SYS_mount_setattr), Int(raw), $0, flags, $1, MemoryLayout<mount_attr>.size)
            }
        }
    }

    /// Makes the files of a detached mount appear to belong to others: to whom a user namespace maps their owners.
    /// mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12.
    package static func mapIDs(
        of mount: borrowing Descriptor, by userNamespace: borrowing Descriptor, recursive: Bool
    ) throws(SystemError) {
        var attributes = mount_attr()
        attributes.attr_set = UInt64(MOUNT_ATTR_IDMAP)
        attributes.userns_fd = UInt64(userNamespace.raw)
        let raw = mount.raw
        let flags = Int(AT_EMPTY_PATH) | (recursive ? Int(AT_RECURSIVE) : 0)
        _ = try check("mount_setattr", "MOUNT_ATTR_IDMAP") {
            lend("", &attributes) {
                system(Int(SYS_mount_setattr), Int(raw), $0, flags, $1, MemoryLayout<mount_attr>.size)
            }
        }
    }

    /// mount(2).
    package static func mount(
        _ source: String?, on target: String, type: String?, flags: MountFlags, data: String?, subject: String? = nil
    ) throws(SystemError) {
        _ = try check("mount", subject ?? target) {
            withOptionalCString(source) { source in
                withOptionalCString(type) { type in
                    withOptionalCString(data) { clinux_mount(source, target, type, flags.rawValue, $0) }
                }
            }
        }
    }

    /// Sets how mount events travel, for one mount or for a whole tree. mount(2).
    package static func setPropagation(
        _ path: String, _ propagation: MountPropagation, recursive: Bool
    ) throws(SystemError) {
        let flags = MountFlags(rawValue: UInt(propagation.flag)).union(recursive ? .recursive : [])
        try mount(nil, on: path, type: nil, flags: flags, data: nil)
    }

    /// Unmounts a path's topmost mount at once and its busy rest later. umount2(2), MNT_DETACH.
    package static func detach(_ path: String) throws(SystemError) {
        _ = try check("umount", path) { clinux_umount_detach(path) }
    }

    /// Unmounts what is topmost at a name in the working directory; a link is not followed. umount2(2), MNT_DETACH,
    /// UMOUNT_NOFOLLOW.
    package static func detachHere(_ name: String) throws(SystemError) {
        // The headers that Swift sees have no names for them.
        let (detach, noFollow) = (2, 8)
        _ = try check("umount", name) { lend(name) { system(Int(SYS_umount2), $0, detach | noFollow) } }
    }

    /// Makes the working directory the new root and leaves the old root stacked beneath, at `.`; detach it next.
    /// pivot_root(2), "pivot_root(".", ".")".
    package static func pivotRootHere() throws(SystemError) {
        _ = try check("pivot_root") {
            lend(".") { system(Int(SYS_pivot_root), $0, $0) }
        }
    }

    package static func changeRootHere() throws(SystemError) {
        _ = try check("chroot") { chroot(".") }
    }
}

@inline(__always)
func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
