internal import Kernel
internal import KernelTypes
internal import Planning

/// What a container without a mount namespace has mounted on the host, so that its end takes that away, wherever the
/// container or others have moved it, and nothing else.
struct HostMounts: Sendable, Equatable {
    /// A mount's destination in the root file system.
    struct Place: Sendable, Equatable {
        let destination: String
        /// Which mount was there before the container; 0 where there was nothing.
        let covered: UInt64
        /// Which mount the container has made there; 0 until it is known.
        var made: UInt64 = 0

        /// As the record keeps it: `26 31 /proc`.
        var text: String { "\(covered) \(made) \(destination)" }
    }

    private(set) var places: [Place]

    init(places: [Place]) {
        self.places = places
    }

    /// Looks at the places before the container is made; nil where it mounts nothing on the host.
    init?(_ plan: LaunchPlan) {
        guard !plan.namespaces.has(.mount), !plan.rootfs.mounts.isEmpty else { return nil }
        places = plan.rootfs.mounts.map { mount in
            Place(
                destination: mount.destination, covered: Self.mount(at: mount.destination, below: plan.rootfs.path))
        }
    }

    /// Looks again when everything is mounted, and no program of the container has run yet that could move it.
    mutating func note(below root: String) {
        for index in places.indices {
            let now = Self.mount(at: places[index].destination, below: root)
            places[index].made = now == places[index].covered ? 0 : now
        }
    }

    /// Unmounts what the container has mounted, the last one first.
    /// - Parameter root: the root file system.
    func detach(below root: String, warn: (String) -> Void) {
        let made = places.map { $0.made }.filter { $0 != 0 }
        if made.isEmpty { detachUnnoted(below: root, warn: warn) } else { detach(made, warn: warn) }
    }

    /// By their identities: where they were mounted is no matter by now.
    private func detach(_ identities: [UInt64], warn: (String) -> Void) {
        do throws(SystemError) {
            for entry in try MountTable.read().reversed() {
                // One that cannot be opened by its path is covered by another.
                guard let place = try? Files.open(entry.path, [.path, .noFollow]),
                    let identity = try? Files.mountIdentity(of: place), identities.contains(identity)
                else { continue }
                try Mounting.detach(place.path)
            }
        } catch {
            warn("a mount of the container stays on the host: \(error)")
        }
    }

    /// Of a container that was never finished: none of its programs has run.
    private func detachUnnoted(below root: String, warn: (String) -> Void) {
        for place in places.reversed() {
            do throws(SystemError) {
                let now = try Self.open(place.destination, below: root)
                if now.identity != place.covered { try Mounting.detach(now.descriptor.path) }
            } catch {
                // It was never mounted, or its place is gone with the mount above it.
                if [.noEntry, .notDirectory, .invalidArgument].contains(error.code) { continue }
                warn("the mount at \(place.destination) of the root file system stays on the host: \(error.code)")
            }
        }
    }

    private static func mount(at destination: String, below root: String) -> UInt64 {
        do throws(SystemError) {
            return try open(destination, below: root).identity
        } catch {
            return 0  // it is made, or the set-up says what is wrong with it
        }
    }

    private struct Opened: ~Copyable {
        let descriptor: Descriptor
        let identity: UInt64

        init(_ descriptor: consuming Descriptor) throws(SystemError) {
            identity = try Files.mountIdentity(of: descriptor)
            self.descriptor = descriptor
        }
    }

    /// The root may be a link that the bundle's owner has made.
    private static func open(_ destination: String, below root: String) throws(SystemError) -> Opened {
        let root = RootDirectory(try Files.open(root, [.path, .directory]))
        return try Opened(root.open(destination, .path))
    }
}

extension HostMounts.Place {
    init?(_ text: String) {
        let parts = text.parts(by: " ", keepingEmpty: true, most: 3)
        guard parts.count == 3, let covered = UInt64(parts[0]), let made = UInt64(parts[1]) else { return nil }
        self.init(destination: parts[2], covered: covered, made: made)
    }
}
