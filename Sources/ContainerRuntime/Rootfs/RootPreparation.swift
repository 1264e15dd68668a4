package import Kernel
package import KernelTypes
internal import Planning

/// Makes the root file system a mount of its own, cut off from the host's, before anything is mounted in it.
package enum RootPreparation {
    /// - Returns: the root, opened; everything below is reached through it.
    static func prepare(_ plan: RootfsPlan, ownNamespace: Bool) throws(SystemError) -> RootDirectory {
        guard ownNamespace else { return RootDirectory(try open(plan.path)) }
        // What is unbindable could not be bound any more; the finished root gets that propagation at the end.
        let kind = plan.propagation.kind == .unbindable ? .private : plan.propagation.kind
        try Mounting.setPropagation("/", kind, recursive: plan.propagation.recursive)
        let place = try open(plan.path)
        // Only a new mount can become the root, and pivot_root refuses shared mounts around it. The root is bound from
        // the mount around it: a slave's copy is a slave of the same peers.
        if plan.propagation.kind == .shared || !plan.propagation.recursive {
            try cutOff(mountOf: Files.readLink(place.path), plan.propagation.kind == .slave ? .slave : .private)
        }
        let tree: Descriptor
        do throws(SystemError) {
            tree = try Mounting.cloneTree(of: place, recursive: true)
        } catch {
            throw .failed("bind root.path", plan.path, error.code)
        }
        if plan.propagation.kind == .shared {
            try Mounting.setAttributes(of: tree, propagation: .private)
        }
        try Mounting.attach(tree, on: place, subject: plan.path)
        return RootDirectory(tree)
    }

    package static func notADirectory(_ path: String) -> String {
        "\(path) must be a directory, or a symbolic link to one"
    }

    package static let isHosts = "must not be the host's own root"

    /// Opens the root, once for all that is done with it: what a link on the way leads to later does not matter.
    package static func open(_ path: String) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            do throws(SystemError) {
                return try Files.open(path, [.path, .directory, .noFollow])
            } catch  where error.code == .notDirectory || error.code == .symbolicLinkLoop {
                let root = try Files.open(path, [.path, .directory])
                // A path that says so is refused by the plan.
                if try Files.status(of: root).isSameFile(as: Files.status("/")) {
                    throw .refused("root.path: \(path) \(isHosts)")
                }
                return root
            }
        } catch {
            if error.isRefusal { throw error }
            if error.code == .notDirectory || error.code == .symbolicLinkLoop {
                throw .refused("root.path: \(notADirectory(path))")
            }
            throw SystemError("open", "root.path \(path)", error.code)
        }
    }

    /// Cuts the mount that holds a path off from its peers, so that what is mounted there does not show on the host.
    private static func cutOff(mountOf path: String, _ kind: MountPropagation) throws(SystemError) {
        var best = "/"
        for entry in try MountTable.read() where path == entry.path || path.begins(with: entry.path + "/") {
            if entry.path.utf8.count > best.utf8.count { best = entry.path }
        }
        try Mounting.setPropagation(best, kind, recursive: false)
    }
}
