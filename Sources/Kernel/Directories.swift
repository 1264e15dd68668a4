internal import CLinux
package import KernelTypes

/// A name in a directory as the kernel keeps it: any bytes but a slash and NUL. A `String` would replace what is no
/// UTF-8, and name another file.
package struct ByteName: Sendable, Hashable {
    /// The bytes with the NUL at their end, as system calls take them.
    package let bytes: [CChar]

    package init(_ text: String) { bytes = Array(text.utf8CString) }

    /// - Parameter bytes: without a NUL.
    package init(_ bytes: some Sequence<UInt8>) { self.bytes = bytes.map { CChar(bitPattern: $0) } + [0] }

    /// For messages, and for names that are known to be text.
    package var text: String { String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}

/// What a directory says of one of its files.
package struct DirectoryEntry: Sendable, Equatable {
    package let name: ByteName
    /// Unknown where the file system does not say; then ``Files/status(_:at:)`` does.
    let kind: FileKind
}

extension Files {
    /// What is in a directory, without `.` and `..`, in the order of the file system. getdents64(2).
    /// - Parameter directory: open in any way, also as a handle only; its own place in the listing stays as it is.
    package static func entries(of directory: borrowing Descriptor, subject: String = "") throws(SystemError)
        -> [DirectoryEntry]
    {
        let reading = try open(".", at: directory, [.readOnly, .directory])
        let raw = reading.raw
        var entries: [DirectoryEntry] = []
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let count = try check("getdents64", subject) {
                lend(writable: &buffer) { system(Int(SYS_getdents64), Int(raw), $0, 32 << 10) }
            }
            if count == 0 { return entries }
            append(buffer[..<count], to: &entries)
        }
    }

    /// `struct linux_dirent64`: inode and offset of 8 bytes each, the entry's length of 2, the type of 1, the name up
    /// to a NUL.
    private static func append(_ records: ArraySlice<UInt8>, to entries: inout [DirectoryEntry]) {
        var rest = records
        while rest.count > 19 {
            let start = rest.startIndex
            let length = Int(rest[start + 16]) | Int(rest[start + 17]) << 8
            guard length > 19, length <= rest.count else { return }
            let name = rest[(start + 19)..<(start + length)].prefix { $0 != 0 }
            let isDots = name.count <= 2 && name.allSatisfy { $0 == UInt8(ascii: ".") }
            if !isDots { entries.append(DirectoryEntry(name: ByteName(name), kind: kind(ofType: rest[start + 18]))) }
            rest = rest.dropFirst(length)
        }
    }

    private static func kind(ofType type: UInt8) -> FileKind {
        switch Int(type) {
        case Int(DT_REG): .regular
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .symbolicLink
        case Int(DT_CHR): .characterDevice
        case Int(DT_BLK): .blockDevice
        case Int(DT_FIFO): .fifo
        case Int(DT_SOCK): .socket
        default: .unknown
        }
    }

    /// The names of the directories in a directory, without `.` and `..`, by the types that its entries carry: no call
    /// for each name. readdir(3), `d_type`.
    package static func listDirectories(_ path: String) throws(SystemError) -> [String] {
        try list(path, only: Int(DT_DIR))
    }

    /// Reads a small file that is open already once more from its beginning. Of the kernel's files this also takes note
    /// of the state that poll(2) compares with.
    package static func rereadText(
        _ descriptor: borrowing Descriptor, subject: String = ""
    ) throws(SystemError) -> String {
        let raw = descriptor.raw
        _ = try check("lseek", subject) { lseek(raw, 0, SEEK_SET) }
        return String(decoding: try read(descriptor, subject: subject, limit: 1 << 20), as: UTF8.self)
    }
}

/// Calls on names in a directory, whatever bytes they are made of.
extension Files {
    package static func open(
        _ name: ByteName, at directory: borrowing Descriptor, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(SystemError) -> Descriptor {
        let raw = directory.raw
        return Descriptor(
            raw: try check("open", name.text) { clinux_openat(raw, name.bytes, flags.rawValue | O_CLOEXEC, mode) })
    }

    /// The status of a name in a directory, without following a symbolic link.
    package static func status(
        _ name: ByteName, at directory: borrowing Descriptor
    ) throws(SystemError) -> FileStatus {
        let raw = directory.raw
        var result = stat()
        _ = try check("stat", name.text) { fstatat(raw, name.bytes, &result, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(result)
    }

    package static func makeDirectory(
        _ name: ByteName, at directory: borrowing Descriptor, mode: UInt32
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("mkdir", name.text) { mkdirat(raw, name.bytes, mode) }
    }

    package static func makeSymbolicLink(
        _ name: ByteName, to target: ByteName, at directory: borrowing Descriptor
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("symlink", name.text) { symlinkat(target.bytes, raw, name.bytes) }
    }

    /// What a symbolic link says; an empty name stands for the descriptor itself.
    package static func linkTarget(
        _ name: ByteName, at directory: borrowing Descriptor
    ) throws(SystemError) -> ByteName {
        let raw = directory.raw
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = try check("readlink", name.text) {
            lend(name.bytes) { name in
                lend(writable: &bytes) { system(Int(SYS_readlinkat), Int(raw), name, $0, Int(PATH_MAX)) }
            }
        }
        return ByteName(bytes[..<length])
    }

    /// Makes a device node, FIFO or empty file; the umask of the process applies.
    package static func makeNode(
        _ name: ByteName, at directory: borrowing Descriptor, kind: FileKind, mode: UInt32, major: UInt32 = 0,
        minor: UInt32 = 0
    ) throws(SystemError) {
        let type: Int32 =
            switch kind {
            case .characterDevice: S_IFCHR
            case .blockDevice: S_IFBLK
            case .fifo: S_IFIFO
            default: S_IFREG
            }
        let raw = directory.raw
        _ = try check("mknod", name.text) {
            mknodat(raw, name.bytes, UInt32(type) | mode, gnu_dev_makedev(major, minor))
        }
    }

    /// Gives a file that has a name another one.
    package static func makeHardLink(
        _ old: ByteName, at from: borrowing Descriptor, to new: ByteName, at directory: borrowing Descriptor
    ) throws(SystemError) {
        let (source, target) = (from.raw, directory.raw)
        _ = try check("link", new.text) { linkat(source, old.bytes, target, new.bytes, 0) }
    }

    package static func changeOwner(
        _ name: ByteName, at directory: borrowing Descriptor, owner: UInt32, group: UInt32
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("chown", name.text) { fchownat(raw, name.bytes, owner, group, AT_SYMLINK_NOFOLLOW) }
    }

    /// Follows a symbolic link: for names that are known to be none.
    package static func changeMode(
        _ name: ByteName, at directory: borrowing Descriptor, mode: UInt32
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("chmod", name.text) { fchmodat(raw, name.bytes, mode, 0) }
    }

    /// Removes a file that is no directory.
    static func remove(_ name: ByteName, at directory: borrowing Descriptor) throws(SystemError) {
        let raw = directory.raw
        _ = try check("unlink", name.text) { unlinkat(raw, name.bytes, 0) }
    }

    /// Removes an empty directory.
    package static func removeDirectory(_ name: ByteName, at directory: borrowing Descriptor) throws(SystemError) {
        let raw = directory.raw
        _ = try check("rmdir", name.text) { unlinkat(raw, name.bytes, AT_REMOVEDIR) }
    }
}

extension Files {
    /// Gives a name in a directory another one there, unless something has that already.
    package static func rename(
        _ old: String, to new: String, at directory: borrowing Descriptor
    ) throws(SystemError) {
        let raw = directory.raw
        do throws(SystemError) {
            _ = try check("rename", new) { renameat2(raw, old, raw, new, UInt32(RENAME_NOREPLACE)) }
        } catch {
            // EINVAL: file systems such as NFS do not know the flag. They refuse a directory that is not empty all the
            // same, as rename(2) does everywhere.
            guard error.code == .invalidArgument || error.code == .noSystemCall else { throw error }
            do throws(SystemError) {
                _ = try check("rename", new) { renameat(raw, old, raw, new) }
            } catch {
                throw error.code == .notEmpty ? SystemError("rename", new, .exists) : error
            }
        }
    }

    /// Frees a lock of ``tryLock(_:)`` before the descriptor is closed.
    package static func unlock(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("flock") { flock(raw, LOCK_UN) }
    }
}
