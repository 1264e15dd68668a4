internal import Kernel
internal import KernelTypes
package import Planning

/// Finds the bind mounts whose source leads into the container's own root file system. What is there may be an earlier
/// mount of the container, so such a source is opened at the turn of its mount, below the root.
package struct LateSources: ~Copyable {
    private let plan: RootfsPlan
    /// The root as the kernel names it, and the file system that it lies on; looked up when they are asked for first.
    private var root: String?
    private var device: UInt64?
    /// Where the source that was asked about last lies below the root.
    package private(set) var found = ""

    package init(_ plan: RootfsPlan) { self.plan = plan }

    /// Whether a source that is there already is to be opened later.
    mutating func takes(
        _ mount: MountPlan, _ source: String, opened tree: borrowing Descriptor
    ) throws(SystemError) -> Bool {
        if isBelowRootAsWritten(source) { return takes(mount, source) }
        // By a link it may lead there all the same. No more than a look for what no mount could have covered.
        guard isPreceded(mount), try Files.status(of: tree).device == rootDevice() else { return false }
        return takes(mount, source)
    }

    /// The same of one that may not be there yet.
    package mutating func takes(_ mount: MountPlan, _ source: String) -> Bool {
        // The root of a container that is there already: sources are the host's.
        guard plan.path != "/" else { return false }
        guard let root = rootPath(), let inside = Self.place(of: source, below: root) else { return false }
        found = inside
        return true
    }

    /// Opens what was found last, along the links as the container would follow them.
    func openFound(follow: Bool) throws(SystemError) -> Descriptor {
        try RootDirectory(Files.open(plan.path, [.path, .directory])).open(found, follow ? .path : [.path, .noFollow])
    }

    private func isBelowRootAsWritten(_ source: String) -> Bool {
        source.begins(with: plan.path) || source.cleanedPath.begins(with: plan.path)
    }

    /// Whether an earlier mount may show at a source: those of the kernel's own file systems hardly do.
    private func isPreceded(_ mount: MountPlan) -> Bool {
        plan.mounts.contains { earlier in
            earlier.index < mount.index
                && !["/dev", "/proc", "/sys"].contains {
                    earlier.destination == $0 || earlier.destination.begins(with: $0 + "/")
                }
        }
    }

    /// nil for a root that is not there, which is reported by who opens it.
    private mutating func rootPath() -> String? {
        if root == nil, let place = try? Files.open(plan.path, [.path, .directory]) {
            root = try? Files.readLink(place.path)
        }
        return root
    }

    private mutating func rootDevice() -> UInt64? {
        if device == nil { device = try? Files.status(plan.path).device }
        return device
    }

    /// The path of a source as a process sees it that has the root as its own: the way is the host's up to the root,
    /// and the image's from there on. nil where it does not lead into it.
    private static func place(of source: String, below root: String) -> String? {
        let names = source.parts(by: "/")
        var way = ""
        for (index, name) in names.enumerated() {
            way += "/" + name
            guard let place = try? Files.open(way, .path), let path = try? Files.readLink(place.path) else {
                return nil
            }
            let rest = names[(index + 1)...]
            guard let below = path == root ? "" : path.rest(after: root), below.isEmpty || below.isAbsolutePath,
                staysBelow(rest)
            else { continue }
            return rest.reduce(below.isEmpty ? "/" : below) { $0 + "/" + $1 }
        }
        return nil
    }

    private static func staysBelow(_ names: ArraySlice<String>) -> Bool {
        var depth = 0
        for name in names where name != "." {
            depth += name == ".." ? -1 : 1
            if depth < 0 { return false }
        }
        return true
    }
}

extension LaunchResources {
    /// Maps the ids of a bind mount that the container's process has made: for the runtime, which has the privileges.
    static func mapLate(
        _ tree: borrowing Descriptor, _ mount: MountPlan, _ plan: LaunchPlan
    ) throws(SystemError) {
        var resources = LaunchResources()
        if case .joined = mount.idMap?.source {
            for joined in plan.namespaces.joined {
                resources.namespaces.append(try open(joined, plan.system))
            }
        }
        try resources.mapIDs(of: tree, mount, source: mount.bindSource)
    }
}
