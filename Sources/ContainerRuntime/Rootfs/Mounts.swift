internal import Kernel
internal import OCISpec

/// Mounts what the configuration lists, in its order, below the prepared root.
struct Mounts: ~Copyable {
    let plan: RootfsPlan
    let namespaces: NamespacePlan
    /// The root as the kernel names it, whatever links lead there.
    let rootPath: String
    /// Where this container's cgroup lies, for hosts on which the cgroup file system cannot be mounted anew.
    let cgroupDirectory: String?

    func mountAll(_ resources: borrowing LaunchResources, in root: inout RootDirectory) throws(SystemError) {
        for mount in plan.mounts {
            do throws(SystemError) {
                try self.mount(mount, resources, in: root)
                if mount.destination == "/" { root = RootDirectory(try Files.open(rootPath, [.path, .directory])) }
            } catch {
                throw named(error, mount)
            }
        }
    }

    /// The sentence says which mount it was; engines take the kernel's ENOENT words for a missing program.
    private func named(_ error: SystemError, _ mount: MountPlan) -> SystemError {
        if error.isRefusal { return .refused("mounts[\(mount.index)] at \(mount.destination): \(error.call)") }
        let subject = error.subject.isEmpty || error.subject == mount.destination ? "" : " (\(error.subject))"
        return SystemError("mounts[\(mount.index)]", "at \(mount.destination): \(error.call)\(subject)", error.code)
    }

    private func mount(
        _ mount: MountPlan, _ resources: borrowing LaunchResources, in root: borrowing RootDirectory
    ) throws(SystemError) {
        if let target = resources.linkTarget(ofMount: mount.index) { return try makeLink(mount, target, in: root) }
        switch mount.kind {
        case .bind: try bind(mount, resources, in: root)
        case .cgroup: try mountCgroup(mount, in: root)
        case .fileSystem(let type, let source): try mountFileSystem(mount, type, source, resources, in: root)
        case .remount(let isBind):
            let target = try root.open(mount.destination, [.path])
            let flags = mount.flags.union(isBind ? [.remount, .bind] : .remount)
            try Mounting.mount(nil, on: target.path, type: nil, flags: flags, data: data(mount))
        }
    }

    /// Asked when the kernel has refused a mount: the runtime itself may be root of a user name space only.
    private var isInUserNamespace: Bool { namespaces.has(.user) || Credentials.isInUserNamespace }

    private func data(_ mount: MountPlan) -> String? { mount.data.isEmpty ? nil : mount.data.joined(separator: ",") }

    // MARK: Bind mounts

    private func bind(
        _ mount: MountPlan, _ resources: borrowing LaunchResources, in root: borrowing RootDirectory
    ) throws(SystemError) {
        try resources.mountSources.with(mount.index) { tree throws(SystemError) in
            let isDirectory = try Files.status(of: tree).kind == .directory
            let target = try root.openMountPoint(
                mount.destination, file: !isDirectory, follow: mount.followDestination)
            try ProcGuard.check(target, mount, root: rootPath, source: tree)
            try Mounting.attach(tree, on: target, subject: mount.destination)
        }
    }

    private func makeLink(
        _ mount: MountPlan, _ target: String, in root: borrowing RootDirectory
    ) throws(SystemError) {
        let (folder, name) = split(mount.destination)
        let parent = try root.openDirectory(folder)
        do throws(SystemError) {
            try Files.makeSymbolicLink(name, to: target, at: parent)
        } catch  where error.code == .exists {
            if try Files.status(name, at: parent).kind == .symbolicLink,
                try Files.readLink(name, at: parent) == target
            {
                return
            }
            throw error
        }
    }

    // MARK: New file systems

    private func mountFileSystem(
        _ mount: MountPlan, _ type: String, _ source: String?, _ resources: borrowing LaunchResources,
        in root: borrowing RootDirectory
    ) throws(SystemError) {
        let existed = mount.isTmpfs ? try exists(mount.destination, in: root) : true
        // The targets of proc and sysfs must be plain directories: a link could point a later write at another file (CVE-2023-27561, CVE-2023-28642).
        // Looked up once, so that nobody who shares the root can exchange it behind the look (CVE-2019-19921).
        let isKernels = mount.isProc || mount.isSysfs
        let target = try root.openMountPoint(
            mount.destination, file: false, follow: mount.followDestination && !isKernels)
        if isKernels, try Files.status(of: target).kind != .directory {
            throw .refused("filesystem must be mounted on an ordinary directory")
        }
        try ProcGuard.check(target, mount, root: rootPath)
        if resources.mountSources.has(mount.index) {
            return try attach(mount, resources, over: target, asItsTarget: existed, in: root)
        }
        var data = mount.data
        if mount.isTmpfs, existed, !data.contains(where: { $0.begins(with: "mode=") }) {
            // The directory that it covers says what is expected there; without one tmpfs's own 1777 stands, as in runc.
            data.append("mode=\(String(try Files.status(of: target).permissions, radix: 8))")
        }
        // Left writable until what must lie in it is there: device nodes in /dev, what tmpcopyup copies.
        let laterReadOnly = mount.isReadOnly && (mount.copyUp || mount.destination == "/dev")
        let flags = laterReadOnly ? mount.flags.subtracting(.readOnly) : mount.flags
        do throws(SystemError) {
            try Mounting.mount(
                source ?? type, on: target.path, type: type, flags: flags,
                data: data.isEmpty ? nil : data.joined(separator: ","),
                subject: "type \(type)" + (data.isEmpty ? "" : ", options \(data.joined(separator: ","))"))
        } catch {
            try mountInstead(mount, type, data, flags, on: target, after: error)
        }
        try finish(mount, over: target, in: root, readOnly: laterReadOnly && mount.destination != "/dev")
    }

    /// A new file system that the runtime has mounted, and given other ids, already.
    private func attach(
        _ mount: MountPlan, _ resources: borrowing LaunchResources, over target: borrowing Descriptor,
        asItsTarget: Bool, in root: borrowing RootDirectory
    ) throws(SystemError) {
        try resources.mountSources.with(mount.index) { tree throws(SystemError) in
            try Mounting.attach(tree, on: target, subject: mount.destination)
        }
        if mount.isTmpfs, asItsTarget, !mount.data.contains(where: { $0.begins(with: "mode=") }) {
            let new = try root.open(mount.destination, .path)
            try Files.changeMode(new.path, mode: Files.status(of: target).permissions)
        }
        try finish(mount, over: target, in: root, readOnly: mount.isReadOnly && mount.destination != "/dev")
    }

    private func exists(_ path: String, in root: borrowing RootDirectory) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try root.open(path, .path)
            return true
        } catch {
            if error.code == .noEntry { return false }
            throw error
        }
    }

    /// What the kernel refuses inside a user name space is replaced by what comes nearest, as crun does it.
    private func mountInstead(
        _ mount: MountPlan, _ type: String, _ data: [String], _ flags: MountFlags, on target: borrowing Descriptor,
        after error: SystemError
    ) throws(SystemError) {
        guard isInUserNamespace else { throw error }
        if type == "devpts", error.code == .invalidArgument, data.contains("gid=5") {
            // The group tty is not mapped.
            let rest = data.filter { $0 != "gid=5" }.joined(separator: ",")
            return try Mounting.mount(
                "devpts", on: target.path, type: type, flags: flags, data: rest, subject: mount.destination)
        }
        // These two can be mounted only by whoever owns the network or pid name space. The host's are shown in their place only
        // where the container is in the host's name space of that kind anyway.
        let isHosts =
            type == "proc" && !namespaces.has(.pid) || type == "sysfs" && !namespaces.has(.network)
        guard error.code == .notPermitted, isHosts else { throw error }
        let tree = try Mounting.cloneTree(type == "proc" ? "/proc" : "/sys", recursive: true)
        try Mounting.setAttributes(of: tree, set: mount.set, propagation: .slave, recursive: true)
        try Mounting.attach(tree, on: target, subject: mount.destination)
    }

    /// Propagation, recursive words and copied content need the new mount itself, which is opened by looking at the destination again.
    private func finish(
        _ mount: MountPlan, over old: borrowing Descriptor, in root: borrowing RootDirectory, readOnly: Bool
    ) throws(SystemError) {
        let recursive = !mount.setRecursively.isEmpty || !mount.clearRecursively.isEmpty
        if let label = mount.fileLabel {
            try Labels.label(root.open(mount.destination, [.readOnly, .directory]), label)
        }
        guard recursive || readOnly || mount.copyUp || !mount.propagation.isEmpty else { return }
        let new = try root.open(mount.destination, [.path])
        if mount.copyUp { try TreeCopy.copy(from: old, to: new) }
        if readOnly { try Mounting.setAttributes(of: new, set: .readOnly) }
        if recursive {
            try Mounting.setAttributes(
                of: new, set: mount.setRecursively, clear: mount.clearRecursively, recursive: true)
        }
        for entry in mount.propagation {
            try Mounting.setAttributes(of: new, propagation: entry.kind, recursive: entry.recursive)
        }
    }

    // MARK: cgroup

    private func mountCgroup(_ mount: MountPlan, in root: borrowing RootDirectory) throws(SystemError) {
        let target = try root.openMountPoint(mount.destination, file: false)
        do throws(SystemError) {
            try Mounting.mount(
                "cgroup", on: target.path, type: "cgroup2", flags: mount.flags, data: nil, subject: mount.destination)
        } catch {
            guard error.code == .notPermitted || error.code == .busy, isInUserNamespace else { throw error }
            guard namespaces.has(.cgroup), let cgroupDirectory else {
                // Another's cgroups would be there to write to (CVE-2023-25809): an empty, read-only place instead.
                return try Mounting.mount(
                    "tmpfs", on: target.path, type: "tmpfs", flags: [.readOnly, .noSetID, .noDevices, .noExecute],
                    data: "nr_blocks=1,nr_inodes=1", subject: mount.destination)
            }
            let tree = try Mounting.cloneTree(cgroupDirectory, recursive: false)
            try Mounting.setAttributes(of: tree, set: mount.set, propagation: .slave)
            try Mounting.attach(tree, on: target, subject: mount.destination)
        }
        try finish(mount, over: target, in: root, readOnly: false)
    }
}

/// The folder and the last name of an absolute path.
func split(_ path: String) -> (folder: String, name: String) {
    guard let parts = path.splitAtLastSlash else { return ("/", path) }
    return (parts.folder.isEmpty ? "/" : parts.folder, parts.name)
}
