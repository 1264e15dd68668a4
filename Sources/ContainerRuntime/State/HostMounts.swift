internal import Kernel
internal import KernelTypes
internal import Planning

/// Where a container without a mount namespace mounts on the host, so that its end takes away what it has made, and
/// nothing that was there before.
struct HostMounts: Sendable, Equatable {
    /// A mount's destination in the root file system.
    struct Place: Sendable, Equatable {
        let destination: String
        /// Which mount is there before the container; 0 where there is nothing.
        let covered: UInt64

        /// As the record keeps it: `26 /proc`.
        var text: String { "\(covered) \(destination)" }
    }

    let places: [Place]

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

    /// Unmounts what the container has mounted, the last one first.
    /// - Parameter root: the root file system.
    func detach(below root: String, warn: (String) -> Void) {
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

    private static func open(_ destination: String, below root: String) throws(SystemError) -> Opened {
        let root = RootDirectory(try Files.open(root, [.path, .directory, .noFollow]))
        return try Opened(root.open(destination, .path))
    }
}

extension HostMounts.Place {
    init?(_ text: String) {
        guard let blank = text.utf8.firstIndex(of: UInt8(ascii: " ")), let covered = UInt64(text[..<blank]) else {
            return nil
        }
        self.init(destination: String(text[text.utf8.index(after: blank)...]), covered: covered)
    }
}
