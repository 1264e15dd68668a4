internal import Criu
internal import Kernel
internal import KernelTypes
internal import Planning

/// What a restored container gets from outside: sources of mounts, namespaces that it joins, standard streams.
struct RestoreSources: ~Copyable {
    let mounts: ExternalMounts
    /// Namespaces to join that CRIU takes by path: kind and path.
    private(set) var joined: [CriuOptions.Pair] = []
    /// Copies of the caller's standard streams, and of the descriptors that it hands on, which CRIU puts in the place
    /// of the saved ones.
    private var streams = DescriptorTable()
    /// The caller's numbers for them.
    private var streamNumbers: [Int32] = []
    /// Namespaces that CRIU takes by descriptor, with the names that they are saved under.
    private var handles = DescriptorTable()
    private var handleKeys: [String] = []

    private init(_ mounts: ExternalMounts) { self.mounts = mounts }

    static func open(_ plan: LaunchPlan, _ options: RestoreOptions) throws(SystemError) -> RestoreSources {
        let places = ExternalMounts(
            restoring: plan.rootfs, moved: options.mounts, host: try MountTable.details(), resolve: real)
        var sources = RestoreSources(places)
        try sources.openNamespaces(plan)
        sources.streamNumbers = [0, 1, 2] + (plan.caller.inherited ?? [])
        for number in sources.streamNumbers { sources.streams.append(try Descriptor.duplicate(of: number)) }
        return sources
    }

    /// What is not there is named as it is; CRIU says what it misses.
    static func real(_ path: String) -> String {
        guard let place = try? Files.open(path, .path), let name = try? Files.readLink(place.path) else { return path }
        return name
    }

    private mutating func openNamespaces(_ plan: LaunchPlan) throws(SystemError) {
        for joined in plan.namespaces.joined {
            let handle = try LaunchResources.open(joined, plan.system)
            switch joined.type {
            case .network, .pid:
                let isNetwork = joined.type == .network
                // CRIU's own is not in the image.
                if try Namespaces.isOwn(isNetwork ? "net" : "pid", Files.status(of: handle)) { continue }
                handleKeys.append(
                    isNetwork ? ContainerCheckpoint.networkKey : ContainerCheckpoint.processesKey)
                handles.append(handle)
            case .uts, .ipc, .user, .time: self.joined.append(CriuOptions.Pair(joined.type.rawValue, joined.path))
            case .mount, .cgroup:
                throw .refused(
                    "\(joined.field): CRIU cannot restore a container into a \(joined.type.rawValue) namespace of others; leave the path out"
                )
            }
        }
    }

    /// What CRIU's process must keep.
    var numbers: [Int32] {
        (0..<streams.count).compactMap { number(streams, $0) } + (0..<handles.count).compactMap { number(handles, $0) }
    }

    private func number(_ table: borrowing DescriptorTable, _ index: Int) -> Int32? {
        try? table.with(index) { descriptor throws(SystemError) in descriptor.number }
    }

    /// - Parameter names: what the descriptors of the saved init were, from 0 on.
    func inherited(_ names: [String]) -> [CriuOptions.Inherited] {
        var result: [CriuOptions.Inherited] = []
        for (index, key) in handleKeys.enumerated() {
            if let number = number(handles, index) { result.append(CriuOptions.Inherited(key, number)) }
        }
        for (index, place) in streamNumbers.enumerated() {
            // One file may be several streams: its first copy stands for all.
            guard let name = Self.outside(names, place), !result.contains(where: { $0.key == name }),
                let number = number(streams, index)
            else { continue }
            result.append(CriuOptions.Inherited(name, number))
        }
        return result
    }

    /// Descriptors that the caller hands on and nothing saved has a use for.
    func unused(_ names: [String]) -> [Int32] {
        streamNumbers.filter { $0 > 2 && Self.outside(names, $0) == nil }
    }

    /// The name of a saved descriptor that the caller's may take the place of.
    private static func outside(_ names: [String], _ place: Int32) -> String? {
        guard place < names.count else { return nil }
        let name = names[Int(place)]
        return ["pipe:", "socket:", "file[", "tty["].contains { name.begins(with: $0) } ? name : nil
    }

    // MARK: Mount points

    /// Makes the places in the root file system that mounts need and an image without the container's changes lacks.
    /// What lies in a file system of the container's own comes with that.
    func makeMountPoints(_ plan: LaunchPlan) throws(SystemError) {
        guard plan.namespaces.has(.mount) else { return }
        let root = RootDirectory(try RootPreparation.open(plan.rootfs.path))
        for mount in plan.rootfs.mounts {
            let isCovered = plan.rootfs.mounts.contains {
                $0.destination != mount.destination && mount.destination.begins(with: $0.destination + "/")
            }
            if isCovered || mount.destination == "/" { continue }
            var isFile = false
            if case .bind(let source, _) = mount.kind {
                let source = mounts.places.first { $0.key == mount.destination }?.value ?? source
                do throws(SystemError) {
                    isFile = try Files.status(source).kind != .directory
                } catch {
                    throw mount.named(.refused(MountPlan.missing(source, error.code)))
                }
            }
            do throws(SystemError) {
                _ = try root.openMountPoint(mount.destination, file: isFile, follow: mount.followDestination)
            } catch {
                throw mount.named(error)
            }
        }
    }
}
