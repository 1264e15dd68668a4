internal import CLinux
package import KernelTypes

/// Calls on files by path or below a descriptor.
package enum Files {
    /// Opens a path of the runtime's own namespace. For paths below a container's root use ``RootDirectory``.
    package static func open(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
        Descriptor(raw: try check("open", path) { clinux_open(path, flags.rawValue | O_CLOEXEC, mode) })
    }

    package static func open(
        _ path: String, at directory: borrowing Descriptor, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(SystemError) -> Descriptor {
        let raw = directory.raw
        return Descriptor(raw: try check("open", path) { clinux_openat(raw, path, flags.rawValue | O_CLOEXEC, mode) })
    }

    package static func status(_ path: String, follow: Bool = true) throws(SystemError) -> FileStatus {
        var result = stat()
        _ = try check("stat", path) { follow ? stat(path, &result) : lstat(path, &result) }
        return FileStatus(result)
    }

    package static func status(of descriptor: borrowing Descriptor) throws(SystemError) -> FileStatus {
        let raw = descriptor.raw
        var result = stat()
        _ = try check("fstat") { fstat(raw, &result) }
        return FileStatus(result)
    }

    /// The status of a name in a directory.
    /// - Parameter follow: whether of what a symbolic link points to.
    package static func status(
        _ name: String, at directory: borrowing Descriptor, follow: Bool = false
    ) throws(SystemError) -> FileStatus {
        let raw = directory.raw
        var result = stat()
        _ = try check("stat", name) { fstatat(raw, name, &result, follow ? 0 : AT_SYMLINK_NOFOLLOW) }
        return FileStatus(result)
    }

    package static func fileSystem(_ path: String) throws(SystemError) -> FileSystemStatus {
        var result = statfs()
        _ = try check("statfs", path) { statfs(path, &result) }
        return FileSystemStatus(magic: UInt64(result.f_type), flags: UInt64(result.f_flags))
    }

    package static func fileSystem(of descriptor: borrowing Descriptor) throws(SystemError) -> FileSystemStatus {
        let raw = descriptor.raw
        var result = statfs()
        _ = try check("fstatfs") { fstatfs(raw, &result) }
        return FileSystemStatus(magic: UInt64(result.f_type), flags: UInt64(result.f_flags))
    }

    /// Identifies the mount by which a file was opened. statx(2): STATX_MNT_ID_UNIQUE (Linux 6.8), or
    /// STATX_MNT_ID (5.8), whose numbers are used again once a mount is gone.
    package static func mountIdentity(of descriptor: borrowing Descriptor) throws(SystemError) -> UInt64 {
        let raw = descriptor.raw
        let wanted = UInt32(STATX_MNT_ID) | 0x4000  // STATX_MNT_ID_UNIQUE, which the system's header may not know
        var result = statx()
        _ = try check("statx") { statx(raw, "", AT_EMPTY_PATH, wanted, &result) }
        guard result.stx_mask & wanted != 0 else { throw SystemError("statx", "mount", .notSupported) }
        return result.stx_mnt_id
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether the effective user may execute a file. faccessat2(2), AT_EACCESS.
    package static func isExecutable(_ path: String) -> Bool { faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 }

    /// Whether the effective user may write a file. faccessat2(2), AT_EACCESS.
    package static func isWritable(_ path: String) -> Bool { faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 }

    package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
        _ = try check("mkdir", path) { mkdir(path, mode) }
    }

    package static func makeDirectory(
        _ name: String, at directory: borrowing Descriptor, mode: UInt32
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("mkdir", name) { mkdirat(raw, name, mode) }
    }

    /// Makes a directory and what is missing above it.
    package static func makeDirectories(_ path: String, mode: UInt32) throws(SystemError) {
        do {
            try makeDirectory(path, mode: mode)
        } catch {
            if error.code == .exists { return }
            guard error.code == .noEntry, let folder = path.splitAtLastSlash?.folder, !folder.isEmpty else {
                throw error
            }
            try makeDirectories(folder, mode: mode)
            do {
                try makeDirectory(path, mode: mode)
            } catch  where error.code == .exists {
                // Another process made it first.
            }
        }
    }

    package static func removeDirectory(_ path: String) throws(SystemError) {
        _ = try check("rmdir", path) { rmdir(path) }
    }

    package static func remove(_ path: String) throws(SystemError) {
        _ = try check("unlink", path) { unlink(path) }
    }

    package static func remove(_ name: String, at directory: borrowing Descriptor) throws(SystemError) {
        let raw = directory.raw
        _ = try check("unlink", name) { unlinkat(raw, name, 0) }
    }

    static func rename(_ old: String, to new: String) throws(SystemError) {
        _ = try check("rename", new) { CLinux.rename(old, new) }
    }

    package static func makeSymbolicLink(
        _ name: String, to target: String, at directory: borrowing Descriptor
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("symlink", name) { symlinkat(target, raw, name) }
    }

    package static func readLink(_ path: String) throws(SystemError) -> String {
        try readLink(path, raw: AT_FDCWD)
    }

    package static func readLink(_ name: String, at directory: borrowing Descriptor) throws(SystemError) -> String {
        try readLink(name, raw: directory.raw)
    }

    private static func readLink(_ name: String, raw: Int32) throws(SystemError) -> String {
        let room = Int(PATH_MAX)
        var bytes = [UInt8](repeating: 0, count: room)
        let length = try check("readlink", name) { readlinkat(raw, name, &bytes, room) }
        // Replacing bytes that are no UTF-8 would make another name of them.
        guard let text = String(validating: bytes[..<length], as: UTF8.self) else {
            throw SystemError("readlink", name, .illegalSequence)
        }
        return text
    }

    package static func makeFIFO(_ path: String, mode: UInt32) throws(SystemError) {
        _ = try check("mkfifo", path) { mkfifo(path, mode) }
    }

    /// Makes a device node, FIFO or empty file; the umask of the process applies.
    package static func makeNode(
        _ name: String, at directory: borrowing Descriptor, kind: FileKind, mode: UInt32, major: UInt32 = 0,
        minor: UInt32 = 0
    ) throws(SystemError) {
        try makeNode(ByteName(name), at: directory, kind: kind, mode: mode, major: major, minor: minor)
    }

    package static func changeOwner(
        _ name: String, at directory: borrowing Descriptor, owner: UInt32, group: UInt32
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("chown", name) { fchownat(raw, name, owner, group, AT_SYMLINK_NOFOLLOW) }
    }

    package static func changeOwner(
        of descriptor: borrowing Descriptor, owner: UInt32, group: UInt32
    ) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("fchown") { fchownat(raw, "", owner, group, AT_EMPTY_PATH) }
    }

    package static func changeMode(_ path: String, mode: UInt32) throws(SystemError) {
        _ = try check("chmod", path) { chmod(path, mode) }
    }

    package static func changeMode(_ name: String, at directory: borrowing Descriptor, mode: UInt32) throws(SystemError)
    {
        let raw = directory.raw
        _ = try check("chmod", name) { fchmodat(raw, name, mode, 0) }
    }

    package static func changeMode(of descriptor: borrowing Descriptor, mode: UInt32) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("fchmod") { fchmod(raw, mode) }
    }

    package static func changeDirectory(_ path: String) throws(SystemError) {
        _ = try check("chdir", path) { chdir(path) }
    }

    package static func changeDirectory(to descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("fchdir") { fchdir(raw) }
    }

    /// The working directory as the kernel sees it from the current root. A path that does not begin with `/` lies
    /// outside the root.
    package static func currentDirectory() throws(SystemError) -> String {
        let room = Int(PATH_MAX)
        var bytes = [UInt8](repeating: 0, count: room)
        let length = try check("getcwd") { lend(writable: &bytes) { system(Int(SYS_getcwd), $0, room) } }
        return String(decoding: bytes[..<max(0, length - 1)], as: UTF8.self)
    }

    /// Sets the file mode creation mask and returns the old one.
    @discardableResult
    package static func setCreationMask(_ mask: UInt32) -> UInt32 { umask(mask) }

    /// A file that lives in memory only.
    package static func memoryFile(_ name: String, sealable: Bool = false) throws(SystemError) -> Descriptor {
        let flags = UInt32(MFD_CLOEXEC) | (sealable ? UInt32(MFD_ALLOW_SEALING) : 0)
        return Descriptor(raw: try check("memfd_create", name) { memfd_create(name, flags) })
    }

    /// Forbids every further change of a memory file, and lifting of the seals (memfd_create(2), CVE-2019-5736).
    package static func seal(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        let seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL
        _ = try check("fcntl(F_ADD_SEALS)") { clinux_fcntl(raw, F_ADD_SEALS, Int(seals)) }
    }

    /// Whether a descriptor is a memory file that can never be changed, or made changeable, any more.
    package static func isSealed(_ descriptor: borrowing Descriptor) -> Bool {
        let seals = clinux_fcntl(descriptor.raw, F_GET_SEALS, 0)
        let all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL
        return seals != -1 && seals & all == all
    }

    /// Locks a file or directory for this process alone. flock(2); freed when the descriptor is closed.
    /// - Returns: false when another has it.
    package static func tryLock(_ descriptor: borrowing Descriptor) throws(SystemError) -> Bool {
        let raw = descriptor.raw
        do throws(SystemError) {
            _ = try check("flock") { flock(raw, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.code == .tryAgain { return false }
            throw error
        }
    }

    /// Makes reads and writes return instead of waiting.
    package static func setNonBlocking(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        let flags = try check("fcntl(F_GETFL)") { clinux_fcntl(raw, F_GETFL, 0) }
        _ = try check("fcntl(F_SETFL)") { clinux_fcntl(raw, F_SETFL, Int(flags | O_NONBLOCK)) }
    }

    /// The names in a directory without `.` and `..`, in the order of the file system.
    package static func list(_ path: String) throws(SystemError) -> [String] { try list(path, only: nil) }

    /// - Parameter type: which entries, by `d_type`; nil for all.
    static func list(_ path: String, only type: Int?) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir", path, .current) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            if let type, Int(entry.pointee.d_type) != type { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}

/// Calls on the standard streams, which have no single owner and are named by number.
extension Files {
    package static func status(ofNumber number: Int32) throws(SystemError) -> FileStatus {
        var result = stat()
        _ = try check("fstat", "descriptor \(number)") { fstat(number, &result) }
        return FileStatus(result)
    }

    package static func changeOwner(ofNumber number: Int32, owner: UInt32, group: UInt32) throws(SystemError) {
        _ = try check("fchown", "descriptor \(number)") { fchown(number, owner, group) }
    }

    /// Whether it was opened for writing. fcntl(2), F_GETFL.
    package static func isWritable(number: Int32) throws(SystemError) -> Bool {
        try check("fcntl(F_GETFL)", "descriptor \(number)") { clinux_fcntl(number, F_GETFL, 0) } & O_ACCMODE != O_RDONLY
    }
}
