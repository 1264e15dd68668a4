internal import CLinux
package import KernelTypes

/// A directory that holds an untrusted tree: nothing opened through it can lie outside it, whatever symbolic links
/// and `..` the tree holds.
///
/// openat2(2) with RESOLVE_IN_ROOT; where that is refused (a seccomp profile older than the call), each component is
/// opened by itself without following links. Defence against CVE-2019-18837, CVE-2021-30465, CVE-2024-45310.
package struct RootDirectory: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Opens a path as the container would see it.
    /// - Parameter flags: with `.noFollow` a symbolic link at the last component is opened itself (needs `.path`).
    package func open(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
        var how = open_how()
        how.flags = UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC))
        how.mode = flags.contains(.create) ? UInt64(mode) : 0
        how.resolve = UInt64(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        let raw = descriptor.raw
        let inside = path.isEmpty ? "/" : path
        // EAGAIN means that a rename raced with the walk of `..`; the kernel asks to try again.
        for _ in 0..<128 {
            let result = lend(inside, &how) {
                system(Int(SYS_openat2), Int(raw), $0, $1, MemoryLayout<open_how>.size)
            }
            if result >= 0 { return Descriptor(raw: Int32(result)) }
            let code = Errno.current
            if code == .tryAgain || code == .interrupted { continue }
            if code == .noSystemCall || code == .notPermitted {
                return try walk(inside, flags, mode: mode, missing: .refuse)
            }
            throw SystemError("open", path, code)
        }
        throw SystemError("open", path, .tryAgain)
    }

    /// Opens what is at a path itself: a link anywhere on it is an error (ELOOP).
    package func openWithoutLinks(_ path: String, _ flags: OpenFlags) throws(SystemError) -> Descriptor {
        var how = open_how()
        how.flags = UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC))
        how.resolve = UInt64(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)
        let raw = descriptor.raw
        let result = try check("open", path) {
            lend(path, &how) { system(Int(SYS_openat2), Int(raw), $0, $1, MemoryLayout<open_how>.size) }
        }
        return Descriptor(raw: Int32(result))
    }

    /// The bytes of a regular file, along the tree's own links; nil where there is none, or one longer than the limit.
    /// It is looked at before it is opened for reading: it may be a device that opening would wake.
    package func contents(of path: String, limit: Int) -> [UInt8]? {
        guard let found = try? open(path, .path),
            let kind = try? Files.status(of: found).kind, kind == .regular,
            let file = try? open(path, [.readOnly, .nonBlocking, .noControllingTerminal]),
            let status = try? Files.status(of: file), status.kind == .regular
        else { return nil }
        return try? Files.read(file, limit: limit)  // as if it were not there
    }

    /// What to do about a component that does not exist.
    package enum Missing { case refuse, makeDirectories, makeFile }

    /// Opens a mount point, made where it is missing: directories 0755, or an empty file 0644 at the end.
    package func openMountPoint(
        _ path: String, file: Bool, follow: Bool = true
    ) throws(SystemError) -> Descriptor {
        try mountPoint(path, file: file, follow: follow).intoPlace()
    }

    /// The same, and whether it was there: known from the one lookup that opens it.
    package func mountPoint(_ path: String, file: Bool, follow: Bool = true) throws(SystemError) -> MountPoint {
        let flags: OpenFlags = follow ? [.path] : [.path, .noFollow]
        do {
            return MountPoint(try open(path, flags), existed: true)
        } catch {
            guard error.code == .noEntry else { throw error }
            // Another process may put a link where nothing was a moment ago.
            return MountPoint(
                try walk(path, flags, mode: 0, missing: file ? .makeFile : .makeDirectories), existed: false)
        }
    }

    /// What lies on top of this directory, if anything is mounted on it; the directory itself otherwise. No name is
    /// looked up: from the root of a walk, `..` leads to that root again, and over what is mounted there.
    package func topmost() throws(SystemError) -> Descriptor { try open("..", [.path, .directory]) }

    /// Opens a directory, made with its parents where it is missing.
    package func openDirectory(_ path: String, mode: UInt32 = 0o755) throws(SystemError) -> Descriptor {
        do {
            return try open(path, [.path, .directory])
        } catch {
            guard error.code == .noEntry else { throw error }
            return try walk(path, [.path, .directory], mode: mode, missing: .makeDirectories)
        }
    }

    /// Walks component by component, and makes what is missing.
    private func walk(
        _ path: String, _ flags: OpenFlags, mode: UInt32, missing: Missing
    ) throws(SystemError) -> Descriptor {
        var walk = try PathWalk(path, from: descriptor, followsLast: !flags.contains(.noFollow))
        while let name = walk.next() {
            try walk.enter(name, try step(name, walk.trail, subject: path, missing: missing, last: walk.isAtLast))
        }
        guard let end = walk.takeLast() else { throw SystemError("open", path, .noEntry) }
        if flags.contains(.path) {
            if flags.contains(.directory), try Files.status(of: end).kind != .directory {
                throw SystemError("open", path, .notDirectory)
            }
            return end
        }
        return try Self.reopen(end, walk.lastName, in: walk.trail, at: walk.trail.count - 2, flags, subject: path)
    }

    /// Opens what a handle stands for in another way, without procfs, which need not show this process.
    private static func reopen(
        _ handle: borrowing Descriptor, _ name: String, in trail: borrowing DescriptorTable, at parent: Int,
        _ flags: OpenFlags, subject: String
    ) throws(SystemError) -> Descriptor {
        let status = try Files.status(of: handle)
        if status.kind == .directory { return try Files.open(".", at: handle, flags) }
        return try trail.with(parent) { parent throws(SystemError) in
            let opened = try Files.open(name, at: parent, flags.union(.noFollow))
            let found = try Files.status(of: opened)
            // The name has come to mean another file.
            guard found.isSameFile(as: status) else { throw SystemError("open", subject, .tryAgain) }
            return opened
        }
    }

    private func step(
        _ name: String, _ trail: borrowing DescriptorTable, subject: String, missing: Missing, last: Bool
    ) throws(SystemError) -> Descriptor {
        try trail.with(trail.count - 1) { parent throws(SystemError) in
            let raw = parent.raw
            let open = { clinux_openat(raw, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0) }
            do throws(SystemError) {
                return Descriptor(raw: try check("open", subject, open))
            } catch {
                guard error.code == .noEntry, missing != .refuse else { throw error }
            }
            // EEXIST: another mount's set-up or another container made it first; opening decides.
            let made =
                last && missing == .makeFile
                ? mknodat(raw, name, UInt32(S_IFREG) | 0o644, 0) : mkdirat(raw, name, 0o755)
            if made == -1, Errno.current != .exists { throw .failed("create mount point", subject, .current) }
            return Descriptor(raw: try check("open", subject, open))
        }
    }
}

/// A place to mount on, held open.
package struct MountPoint: ~Copyable, Sendable {
    package let place: Descriptor
    /// False where it had to be made.
    package let existed: Bool

    init(_ place: consuming Descriptor, existed: Bool) {
        self.place = place
        self.existed = existed
    }

    consuming func intoPlace() -> Descriptor { place }
}

extension DescriptorTable {
    mutating func removeLast() { _ = removeLastDescriptor() }

    mutating func removeAll(but keep: Int) {
        while count > keep { removeLast() }
    }
}

extension Files {
    /// Opens a path below a directory without leaving its mount and without any link. openat2(2), RESOLVE_BENEATH,
    /// RESOLVE_NO_XDEV, RESOLVE_NO_SYMLINKS.
    package static func openBeneath(
        _ path: String, at directory: borrowing Descriptor, _ flags: OpenFlags
    ) throws(SystemError) -> Descriptor {
        var how = open_how()
        how.flags = UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC))
        how.resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)
        let raw = directory.raw
        let result = try check("open", path) {
            lend(path, &how) { system(Int(SYS_openat2), Int(raw), $0, $1, MemoryLayout<open_how>.size) }
        }
        return Descriptor(raw: Int32(result))
    }
}
