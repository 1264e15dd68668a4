internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// User namespaces without processes: the kernel takes the mapping of a mount from one. Mounts with the same
/// mapping share it.
struct IDMapNamespaces: ~Copyable {
    private var sources: [IDMapPlan.Source] = []
    private var handles = DescriptorTable()

    /// Lends the namespace of a mapping, which is made when it is asked for first.
    /// - Parameter joined: the namespaces that the container joins.
    mutating func with(
        _ source: IDMapPlan.Source, joined: borrowing DescriptorTable,
        _ body: (borrowing Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        switch source {
        case .joined(let index): try joined.with(index, body)
        case .mappings(let uids, let gids):
            if let index = sources.firstIndex(of: source) { return try handles.with(index, body) }
            handles.append(try Self.make(uids, gids))
            sources.append(source)
            try handles.with(sources.count - 1, body)
        }
    }

    /// Makes a namespace by a child that only keeps it until it has its mappings and is held by a
    /// descriptor.
    private static func make(_ uids: [IDMapping], _ gids: [IDMapping]) throws(SystemError) -> Descriptor {
        let pair = try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
        let child = try Cloning.clone(.user, cgroup: nil) {
            pair.runtime.closeInChild()
            try? Processes.setNoNewPrivileges()  // it executes nothing anyway
            // It ends by being killed; should the runtime die first, by the end of the link.
            _ = try? pair.container.receive()
            Processes.exit(0)
        }
        defer {
            // It may only have ended by itself.
            try? Processes.kill(child)
            _ = try? Processes.wait(child)
        }
        try IDMapWriter(user: Credentials.effectiveUser, group: Credentials.effectiveGroup)
            .write(uids: uids, gids: gids, of: child.pid)
        return try Files.open("/proc/\(child.pid)/ns/user", .readOnly)
    }
}

/// Giving mounts their mapping, while they are still detached: the kernel takes it at no other time.
extension LaunchResources {
    /// - Parameter source: a path on the file system, for the message.
    mutating func mapIDs(
        of tree: borrowing Descriptor, _ mount: MountPlan, source: String?
    ) throws(SystemError) {
        guard let plan = mount.idMap else { return }
        do throws(SystemError) {
            try idMaps.with(plan.source, joined: namespaces) { handle throws(SystemError) in
                try Mounting.mapIDs(of: tree, by: handle, recursive: plan.recursive)
            }
        } catch {
            throw Self.explained(error, mount, plan, source)
        }
    }

    private static func explained(
        _ error: SystemError, _ mount: MountPlan, _ plan: IDMapPlan, _ source: String?
    ) -> SystemError {
        let subject = "mounts[\(mount.index)]: idmap" + (source.map { " of source \($0)" } ?? "")
        guard error.call == "mount_setattr" else {
            return .refused("\(subject): making a user namespace for it: \(error)")
        }
        if error.code == .noSystemCall {
            return .refused("\(subject): this kernel has no idmapped mounts; they need Linux 5.12")
        }
        let types = fileSystems(mount, source, plan.recursive)
        switch error.code {
        case .invalidArgument:
            return .refused("\(subject): the file system \(types) takes no idmapped mounts on this kernel")
        case .notPermitted:
            return .refused(
                "\(subject): operation not permitted for the file system \(types); it needs CAP_SYS_ADMIN where that was mounted, a source that is "
                    + "not idmapped itself, and another user namespace than the host's own")
        default: return SystemError("mount_setattr", subject, error.code)
        }
    }

    /// The types of the file systems that a mapping would have touched.
    private static func fileSystems(_ mount: MountPlan, _ source: String?, _ recursive: Bool) -> String {
        if case .fileSystem(let type, _) = mount.kind { return type }
        guard let source, let place = try? Files.open(source, .path), let path = try? Files.readLink(place.path),
            let table = try? MountTable.read()
        else { return "of the source" }  // only for an error message
        let around = table.filter { path == $0.path || $0.path == "/" || path.begins(with: $0.path + "/") }
        var types = around.max { $0.path.utf8.count < $1.path.utf8.count }.map { [$0.type] } ?? []
        if recursive {
            for entry in table where entry.path.begins(with: path + "/") && !types.contains(entry.type) {
                types.append(entry.type)
            }
        }
        return types.joined(separator: " or ")
    }

    /// A new file system that is to be idmapped: it is mounted by the runtime, since the container has no privileges
    /// over the mapping's namespace.
    mutating func openFileSystem(_ mount: MountPlan, _ type: String, _ source: String?) throws(SystemError)
        -> Descriptor
    {
        let tree: Descriptor
        do throws(SystemError) {
            tree = try NewFileSystem.makeDetached(
                NewFileSystem.Request(mount, type, source: source, options: mount.data, writable: mount.isFilled))
        } catch {
            throw mount.named(error)
        }
        try mapIDs(of: tree, mount, source: nil)
        return tree
    }
}
