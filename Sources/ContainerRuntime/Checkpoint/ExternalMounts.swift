internal import Kernel
internal import KernelTypes
internal import Planning

/// Mounts that come from outside of the container: CRIU saves no more than their names, and is told at the restore what
/// to show there. The names are the destinations, and the path on the host for what hides a file, as runc has it.
struct ExternalMounts: Equatable, Sendable {
    struct Place: Equatable, Sendable {
        let key: String
        let value: String
    }

    private(set) var places: [Place] = []

    private mutating func add(_ key: String, _ value: String) {
        if !places.contains(where: { $0.key == key }) { places.append(Place(key: key, value: value)) }
    }
}

// MARK: Checkpoint

extension ExternalMounts {
    /// File systems that the kernel makes up, one for each namespace or for all: CRIU mounts them anew.
    private static let kernels = ["proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "debugfs", "tracefs"]
    /// What hides a file.
    private static let null = "/dev/null"

    /// Which part of which file system is shown.
    private struct Shown: Equatable {
        let device: String
        let root: String
    }

    /// Which mounts of a container are not its own: bind mounts of its configuration, and whatever else shows a file
    /// system that the host has mounted.
    ///
    /// A bind mount is known by what it shows, and not by its place: the container may have moved it, or made a link of
    /// its place, so that the restore would show one source with another mount's flags (CVE-2026-115520).
    /// - Parameters:
    ///   - mounts: as the container's process sees them.
    ///   - host: as this process sees them.
    ///   - resolve: follows the links of a path on the host.
    init(saving mounts: [MountDetail], host: [MountDetail], plan: RootfsPlan, resolve: (String) -> String) {
        let sources = Self.sources(plan, host, resolve)
        let root = mounts.last { $0.path == "/" }
        for mount in mounts where mount.path != "/" {
            let shown = Shown(device: mount.device, root: mount.root)
            if let source = sources.first(where: { $0.shown == shown }) {
                add(mount.path, source.name)
            } else if !Self.kernels.contains(mount.type), host.contains(where: { $0.device == mount.device }) {
                let isOwn = root.map { $0.device == mount.device && mount.root.isAtOrBelow($0.root) } ?? false
                if isOwn { continue }
                // The place of another mount is no name for this one.
                let isTaken = sources.contains { $0.name == mount.path }
                add(mount.path, isTaken ? "moved:\(mount.path)" : mount.path)
            }
        }
    }

    private static func sources(
        _ plan: RootfsPlan, _ host: [MountDetail], _ resolve: (String) -> String
    ) -> [(name: String, shown: Shown)] {
        var found: [(name: String, shown: Shown)] = []
        func note(_ name: String, _ path: String) {
            if let shown = shown(at: path, host) { found.append((name, shown)) }
        }
        for mount in plan.mounts {
            guard case .bind(let source, let recursive) = mount.kind else { continue }
            let place = resolve(source)
            note(mount.destination, place)
            for below in recursive ? host : [] where below.path.isBelow(place) {
                let shown = Shown(device: below.device, root: below.root)
                found.append((mount.destination + below.path.tail(behind: place), shown))
            }
        }
        note(null, null)
        let root = resolve(plan.path)
        for below in host where below.path.isBelow(root) {
            found.append((below.path.tail(behind: root), Shown(device: below.device, root: below.root)))
        }
        return found
    }

    /// What a path of the host's shows: the last of the mounts that are nearest to it.
    private static func shown(at path: String, _ host: [MountDetail]) -> Shown? {
        var best: MountDetail?
        for mount in host where path.isAtOrBelow(mount.path) {
            if mount.path.utf8.count >= best?.path.utf8.count ?? 0 { best = mount }
        }
        guard let best else { return nil }
        let tail = path.tail(behind: best.path)
        return Shown(device: best.device, root: best.root == "/" && !tail.isEmpty ? tail : best.root + tail)
    }
}

// MARK: Restore

extension ExternalMounts {
    /// What is shown at each name. More names than the image has do no harm.
    /// - Parameters:
    ///   - moved: other sources than the configuration's, by destination.
    ///   - host: as this process sees them.
    ///   - resolve: follows the links of a path on the host.
    init(
        restoring plan: RootfsPlan, moved: [(destination: String, source: String)], host: [MountDetail],
        resolve: (String) -> String
    ) {
        for (destination, source) in moved {
            addTree(destination.cleanedPath, resolve(source), isRecursive: true, host)
        }
        for mount in plan.mounts {
            guard case .bind(let source, let recursive) = mount.kind else { continue }
            addTree(mount.destination, resolve(source), isRecursive: recursive, host)
        }
        // runc's name for what hides a file is the first, and for devices of a user namespace their path.
        add(Self.null, Self.null)
        for path in plan.devices.map({ $0.path }) { add(path, path) }
        let root = resolve(plan.path)
        for mount in host where mount.path.isBelow(root) { add(mount.path.tail(behind: root), mount.path) }
    }

    private mutating func addTree(
        _ destination: String, _ source: String, isRecursive: Bool, _ host: [MountDetail]
    ) {
        add(destination, source)
        for mount in isRecursive ? host : [] where mount.path.isBelow(source) {
            add(destination + mount.path.tail(behind: source), mount.path)
        }
    }
}

extension String {
    fileprivate func isAtOrBelow(_ folder: String) -> Bool { self == folder || isBelow(folder) }

    fileprivate func isBelow(_ folder: String) -> Bool {
        folder == "/" ? self != "/" : begins(with: folder + "/")
    }

    /// What follows a folder that the path is at or below, with its slash.
    fileprivate func tail(behind folder: String) -> String {
        folder == "/" ? (self == "/" ? "" : self) : String(decoding: utf8.dropFirst(folder.utf8.count), as: UTF8.self)
    }
}
