internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// A container's cgroup as a directory that runbox made itself (the `cgroupfs` manager).
///
/// The directory is opened once; its files, and the cgroups below it, are opened below that descriptor, whatever their
/// names and however deep they lie: the container may have made them. Paths are used only for what lies above it, which
/// is the host's.
package struct FSManager: ~Copyable, Sendable {
    /// The mount point of the v2 tree.
    let root: String
    let path: CgroupPath
    /// The paths of the cgroups that runbox made for the container, from the topmost.
    let created: [String]
    /// The cgroup's directory, for `CLONE_INTO_CGROUP`; nil when the cgroup is gone.
    let directory: Descriptor?

    init(root: String, path: CgroupPath, created: [String], directory: consuming Descriptor?) {
        self.root = root
        self.path = path
        self.created = created
        self.directory = directory
    }

    /// Finds the cgroup of an earlier call again. One that is gone is no error: it can be asked, killed and removed
    /// like an empty one.
    init(_ record: CgroupRecord) throws(CgroupError) {
        path = CgroupPath(stored: record.path)
        root = record.root
        created = record.created
        // Everything below works on this path, and removing kills what it finds: never the root.
        guard !path.components.isEmpty, !root.isEmpty else {
            throw CgroupError("the container's state names no cgroup (\"\(printable(record.path))\")")
        }
        do throws(SystemError) {
            let found = try Files.open(root + path.description, [.readOnly, .directory])
            // What has the path now may be another container's, or another unit's of the name: then this one's is gone.
            let expected = record.scope?.inode ?? (record.inode == 0 ? nil : record.inode)
            let inode = expected == nil ? nil : try Files.status(of: found).inode
            let isOwn = inode == expected
            directory = isOwn ? .some(found) : .none
        } catch {
            guard error.isMissing else { throw CgroupError(error, in: path.description) }
            directory = nil
        }
    }

    var record: CgroupRecord {
        CgroupRecord(mode: .cgroupfs, root: root, path: path.description, created: created, inode: inode() ?? 0)
    }

    /// What distinguishes this cgroup from one that has its path later; nil when it is gone.
    func inode() -> UInt64? {
        switch directory {
        case .some(let directory): try? Files.status(of: directory).inode
        case .none: nil
        }
    }

    /// The directory's path in the runtime's own namespace.
    var fullPath: String { root + path.description }

    /// Lends the directory to a call, and turns its failure into a message; nil when the cgroup is gone.
    func inDirectory<Result>(
        _ body: (borrowing Descriptor) throws(SystemError) -> Result
    ) throws(CgroupError) -> Result? {
        switch directory {
        case .none: return nil
        case .some(let directory):
            do throws(SystemError) {
                return try body(directory)
            } catch {
                // A cgroup that is being removed answers ENODEV in its files.
                if error.isMissing || error.code == .noDevice { return nil }
                throw CgroupError(error, in: path.description)
            }
        }
    }

    /// Moves a process into the cgroup; for kernels and cases where `CLONE_INTO_CGROUP` is not available.
    func join(_ pid: Int32) throws(CgroupError) {
        switch directory {
        case .none: throw gone
        case .some(let directory):
            do throws(SystemError) {
                try Files.write(String(pid), into: "cgroup.procs", at: directory)
            } catch {
                throw entryRefused(error) ?? CgroupError(error, in: path.description)
            }
        }
    }

    /// The message for the kernel's refusal to let a process into the cgroup, by `cgroup.procs` or by clone3
    /// (cgroup-v2.rst, "Threads", "No Internal Process Constraint"); nil where the errno does not speak of the cgroup.
    func entryRefused(_ error: SystemError) -> CgroupError? {
        if error.code == .busy {
            return CgroupError(
                "cgroup \(path) takes no processes, for its own children have controllers (cgroup.subtree_control)",
                remedy: "name another cgroup in linux.cgroupsPath", code: error.code)
        }
        if error.code == .notSupported, let type = try? Files.readText("\(fullPath)/cgroup.type"), type != "domain" {
            return CgroupError(
                "cgroup \(path) is of the type \"\(type)\", because a cgroup above it is threaded, and takes no containers",
                remedy: "name a cgroup elsewhere in linux.cgroupsPath", code: error.code)
        }
        return nil
    }

    var gone: CgroupError { CgroupError("the container's cgroup \(path) is gone", code: .noEntry) }

    /// The processes in the cgroup, by their numbers in this pid namespace.
    /// - Parameter recursive: also those in the cgroups below it, which the container may have made.
    func processes(recursive: Bool) throws(CgroupError) -> [Int32] {
        let found = try inDirectory { directory throws(SystemError) in
            try Self.processes(in: directory, recursive: recursive)
        }
        return found ?? []
    }

    static func processes(in directory: borrowing Descriptor, recursive: Bool) throws(SystemError) -> [Int32] {
        if !recursive { return try members(of: directory) }
        var found: [Int32] = []
        try Files.visitDirectories(of: directory) { cgroup throws(SystemError) in found += try members(of: cgroup) }
        return found
    }

    private static func members(of cgroup: borrowing Descriptor) throws(SystemError) -> [Int32] {
        do throws(SystemError) {
            let bytes = try Files.read("cgroup.procs", at: cgroup, limit: 64 << 20)
            return bytes.split(separator: UInt8(ascii: "\n")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        } catch {
            // A cgroup that is going away has none; the processes of a threaded one are listed where its domain begins
            // (EOPNOTSUPP).
            guard error.isMissing || error.code == .noDevice || error.code == .notSupported else { throw error }
            return []
        }
    }

    /// Whether any living process is in the cgroup or below it.
    func isPopulated() throws(CgroupError) -> Bool { try event("populated") }

    /// One line of `cgroup.events`; false when the cgroup is gone.
    func event(_ name: String) throws(CgroupError) -> Bool {
        let text = try inDirectory { directory throws(SystemError) in
            try Files.readText("cgroup.events", at: directory)
        }
        return text.map { Self.event(name, in: $0) } ?? false
    }

    static func event(_ name: String, in text: String) -> Bool {
        text.parts(by: "\n").contains { $0 == "\(name) 1" }
    }
}

extension SystemError {
    /// Whether what was named is not there.
    var isMissing: Bool { code == .noEntry }
}
