internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Mounts what the configuration lists, in its order, below the prepared root.
struct Mounts: ~Copyable {
    let plan: RootfsPlan
    let namespaces: NamespacePlan
    /// The root as the kernel names it, whatever links lead there.
    let rootPath: String
    /// Where this container's cgroup lies, for hosts on which the cgroup file system cannot be mounted anew.
    let cgroupDirectory: String?
    /// The host's cgroups, for a container that is in the host's cgroup namespace and cannot undo its mounts.
    let hostCgroups: String?

    /// - Returns: the new file system that is now /dev, which the device nodes go into; nothing where there is none.
    /// - Parameter link: the runtime does what needs more privileges than this process has.
    func mountAll(
        _ sources: borrowing MountSources, in root: inout RootDirectory, _ link: borrowing Link
    ) throws(SystemError) -> Descriptor? {
        var devices = DescriptorTable()
        for mount in plan.mounts {
            do throws(SystemError) {
                let made = try self.mount(mount, sources, in: root, link)
                guard mount.destination == "/" || mount.destination == "/dev" else { continue }
                if mount.destination == "/" {
                    devices = DescriptorTable()
                    if let made { root = RootDirectory(made) }
                } else if let made {
                    devices = DescriptorTable()
                    devices.append(made)
                }
            } catch {
                throw mount.named(error)
            }
        }
        return devices.count > 0 ? devices.take(0) : nil
    }

    /// - Returns: the mount that was made, by the descriptor that it was made with: it need not be looked up again.
    func mount(
        _ mount: MountPlan, _ sources: borrowing MountSources, in root: borrowing RootDirectory, _ link: borrowing Link
    ) throws(SystemError) -> Descriptor? {
        if let target = sources.linkTarget(ofMount: mount.index) {
            try makeLink(mount, target, in: root)
            return nil
        }
        if let inside = sources.place(ofMount: mount.index) {
            return try bindLate(mount, inside, sources, in: root, link)
        }
        switch mount.kind {
        case .bind: return try bind(mount, sources, in: root)
        case .cgroup: return try mountCgroup(mount, in: root)
        case .fileSystem(let type, let source): return try mountFileSystem(mount, type, source, sources, in: root)
        case .remount(let isBind):
            let target = try root.open(mount.destination, [.path])
            let flags = mount.flags.union(isBind ? [.remount, .bind] : .remount)
            let data = mount.data.isEmpty ? nil : mount.data.joined(separator: ",")
            try Mounting.mount(nil, on: target.path, type: nil, flags: flags, data: data)
            return nil
        }
    }

    /// Asked when the kernel has refused a mount: the runtime itself may be root of a user namespace only.
    private var isInUserNamespace: Bool { namespaces.has(.user) || Credentials.isInUserNamespace }

    // MARK: Bind mounts

    func bind(
        _ mount: MountPlan, _ sources: borrowing MountSources, in root: borrowing RootDirectory
    ) throws(SystemError) -> Descriptor {
        try sources.trees.with(mount.index) { tree throws(SystemError) in
            try bind(tree.duplicate(), mount, in: root)
        }
    }

    func bind(
        _ tree: consuming Descriptor, _ mount: MountPlan, in root: borrowing RootDirectory
    ) throws(SystemError) -> Descriptor {
        let isDirectory = try Files.status(of: tree).kind == .directory
        let target = try root.openMountPoint(
            mount.destination, file: !isDirectory, follow: mount.followDestination)
        try ProcGuard.check(target, mount, root: rootPath, source: tree)
        do throws(SystemError) {
            try Mounting.attach(tree, on: target, subject: mount.destination)
        } catch  where error.code == .invalidArgument {
            // move_mount(2) has one answer for all that it refuses; engines explain what mount(2) would have said.
            let covers = try Files.status(of: target).kind == .directory
            guard covers != isDirectory else { throw error }
            let what = isDirectory ? "a directory cannot cover a file" : "a file cannot cover a directory"
            throw .refused("\(what): not a directory")
        }
        try setPropagation(of: tree, mount)
        return tree
    }

    func makeLink(
        _ mount: MountPlan, _ target: String, in root: borrowing RootDirectory
    ) throws(SystemError) {
        let (folder, name) = split(mount.destination)
        let parent = try root.openDirectory(folder)
        do throws(SystemError) {
            try Files.makeSymbolicLink(name, to: target, at: parent)
        } catch  where error.code == .exists {
            // What is no link cannot be read as one.
            guard (try? Files.readLink(name, at: parent)) == target else { throw error }
        }
    }

    // MARK: New file systems

    private func mountFileSystem(
        _ mount: MountPlan, _ type: String, _ source: String?, _ sources: borrowing MountSources,
        in root: borrowing RootDirectory
    ) throws(SystemError) -> Descriptor {
        // The targets of proc and sysfs must be plain directories: a link could point a later write at another file
        // (CVE-2023-27561, CVE-2023-28642). Looked up once, so that no process that shares the root can exchange it
        // behind the look (CVE-2019-19921). A link at /dev would have device nodes made wherever it points
        // (CVE-2026-41579, CVE-2026-47766).
        let isKernels = mount.isProc || mount.isSysfs
        let isDevices = mount.destination == "/dev" && plan.makesDevices
        let point = try root.mountPoint(
            mount.destination, file: false, follow: mount.followDestination && !isKernels && !isDevices)
        let status = try Files.status(of: point.place)
        if status.kind != .directory {
            if isKernels { throw .refused("filesystem \"\(type)\" must be mounted on ordinary directory") }
            if isDevices { throw .refused(Devices.notADirectory) }
            throw SystemError("mount", "type \(type)", .notDirectory)
        }
        try ProcGuard.check(point.place, mount, root: rootPath)
        // The directory that it covers says what is expected there; without one tmpfs's own 1777 stands, as in runc.
        let takesMode = mount.isTmpfs && point.existed && !mount.data.contains { $0.begins(with: "mode=") }
        if sources.trees.has(mount.index) {
            // The runtime has mounted it, and given it other ids, already.
            return try sources.trees.with(mount.index) { tree throws(SystemError) in
                if takesMode { try Files.changeMode(tree.path, mode: status.permissions) }
                return try place(NewFileSystem(shown: tree.duplicate()), mount, on: point.place)
            }
        }
        let options = mount.data + (takesMode ? ["mode=\(String(status.permissions, radix: 8))"] : [])
        let order = NewFileSystem.Request(mount, type, source: source, options: options, writable: mount.isFilled)
        do throws(SystemError) {
            return try place(NewFileSystem.make(order, on: point.place), mount, on: point.place)
        } catch  where isInUserNamespace {
            return try place(instead(of: order, on: point.place, after: error), mount, on: point.place)
        }
    }

    /// What the kernel refuses inside a user namespace is replaced by what comes nearest, as crun does it.
    private func instead(
        of order: NewFileSystem.Request, on target: borrowing Descriptor, after error: SystemError
    ) throws(SystemError) -> NewFileSystem {
        if order.type == "devpts", error.code == .invalidArgument, order.options.contains("gid=5") {
            // The group tty is not mapped.
            return try NewFileSystem.make(order.without("gid=5"), on: target)
        }
        // These two can be mounted only by the owner of the network or pid namespace. The host's are shown in their
        // place only where the container is in the host's namespace of that kind anyway.
        let isHosts =
            order.type == "proc" && !namespaces.has(.pid) || order.type == "sysfs" && !namespaces.has(.network)
        guard error.code == .notPermitted, isHosts else { throw error }
        let tree = try Mounting.cloneTree(order.type == "proc" ? "/proc" : "/sys", recursive: true)
        try Mounting.setAttributes(of: tree, set: order.attributes, propagation: .slave, recursive: true)
        return NewFileSystem(shown: tree)
    }

    /// Fills a mount and sets its attributes while it is detached, and attaches it where its destination was opened.
    private func place(
        _ new: consuming NewFileSystem, _ mount: MountPlan, on target: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
        let isAttached = new.isAttached
        let tree = new.intoMount()
        if let label = mount.fileLabel { try Labels.label(Files.open(".", at: tree, [.readOnly, .directory]), label) }
        if mount.copyUp { try TmpfsCopyUp.copy(from: target, to: tree) }
        // What lies in /dev is made later.
        if mount.isFilled, mount.isReadOnly, !(mount.destination == "/dev" && plan.makesDevices) {
            try Mounting.setAttributes(of: tree, set: .readOnly)
        }
        if !mount.setRecursively.isEmpty || !mount.clearRecursively.isEmpty {
            try Mounting.setAttributes(
                of: tree, set: mount.setRecursively, clear: mount.clearRecursively, recursive: true)
        }
        if !isAttached { try Mounting.attach(tree, on: target, subject: mount.destination) }
        try setPropagation(of: tree, mount)
        return tree
    }

    /// Below a mount that is shared one becomes so by being attached, whatever it was before.
    private func setPropagation(of tree: borrowing Descriptor, _ mount: MountPlan) throws(SystemError) {
        for entry in mount.propagation {
            try Mounting.setAttributes(of: tree, propagation: entry.kind, recursive: entry.recursive)
        }
    }

    // MARK: cgroup

    private func mountCgroup(
        _ mount: MountPlan, in root: borrowing RootDirectory
    ) throws(SystemError) -> Descriptor {
        let target = try root.openMountPoint(mount.destination, file: false)
        let order = NewFileSystem.Request(mount, "cgroup2", source: "cgroup", options: mount.data, writable: false)
        do throws(SystemError) {
            return try place(NewFileSystem.make(order, on: target), mount, on: target)
        } catch  where error.code == .notPermitted && isInUserNamespace {
            return try place(NewFileSystem(shown: cgroupInstead(mount)), mount, on: target)
        } catch  where error.code == .busy {
            // mount(2): the very file system is there already, with the host's sysfs that a bind mount shows.
            return try place(NewFileSystem(shown: cgroupAgain(mount, at: target)), mount, on: target)
        }
    }

    private func cgroupAgain(
        _ mount: MountPlan, at target: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
        if namespaces.has(.cgroup) || isInUserNamespace { return try cgroupInstead(mount) }
        let tree = try Mounting.cloneTree(of: target, recursive: false)
        guard try Files.fileSystem(of: tree).isCgroup2 else { throw SystemError("mount", "", .busy) }
        try Mounting.setAttributes(of: tree, set: mount.set, propagation: .slave)
        return tree
    }

    private func cgroupInstead(_ mount: MountPlan) throws(SystemError) -> Descriptor {
        guard namespaces.has(.cgroup), let cgroupDirectory else {
            // What others have there must not be written to (CVE-2023-25809).
            if let hostCgroups, !namespaces.has(.cgroup),
                let tree = try? Mounting.cloneTree(hostCgroups, recursive: false)
            {
                try Mounting.setAttributes(of: tree, set: mount.set.union(.readOnly), propagation: .slave)
                return tree
            }
            // An empty place instead, where a mount can be undone or may not be shown without those below it.
            return try Mounting.detachedFileSystem(
                "tmpfs", options: [("nr_blocks", "1"), ("nr_inodes", "1"), ("ro", nil)],
                attributes: [.readOnly, .noSetID, .noDevices, .noExecute])
        }
        let tree = try Mounting.cloneTree(cgroupDirectory, recursive: false)
        try Mounting.setAttributes(of: tree, set: mount.set, propagation: .slave)
        return tree
    }
}

/// The folder and the last name of an absolute path.
func split(_ path: String) -> (folder: String, name: String) {
    guard let parts = path.splitAtLastSlash else { return ("/", path) }
    return (parts.folder.isEmpty ? "/" : parts.folder, parts.name)
}
