internal import Kernel
internal import KernelTypes
internal import Planning

/// Bind mounts of what the container's own mounts before them show.
extension Mounts {
    /// - Parameters:
    ///   - inside: where the source lies below the root. A link of the image leads nowhere else.
    ///   - link: the runtime maps the ids of mounts, over whose file systems a user namespace has no privileges.
    /// - Returns: nothing where a link was made in the mount's place.
    func bindLate(
        _ mount: MountPlan, _ inside: String, _ sources: borrowing MountSources, in root: borrowing RootDirectory,
        _ link: borrowing Link
    ) throws(SystemError) -> Descriptor? {
        guard case .bind(let source, let recursive) = mount.kind else { return nil }
        do throws(SystemError) {
            let follow = mount.followSource && !mount.copySymbolicLink
            let handle = try root.open(inside, follow ? .path : [.path, .noFollow])
            return try bindLate(handle, mount, recursive: recursive, in: root, link)
        } catch  where error.isMissing && error.subject == inside {
            throw .refused("source \(MountPlan.missing(source, error.code))")
        } catch  where error.code == .accessDenied && error.subject == inside && sources.trees.has(mount.index) {
            // Only the host's root reaches it, who has opened it before, below the root as well.
            return try bind(mount, sources, in: root)
        }
    }

    private func bindLate(
        _ handle: borrowing Descriptor, _ mount: MountPlan, recursive: Bool, in root: borrowing RootDirectory,
        _ link: borrowing Link
    ) throws(SystemError) -> Descriptor? {
        if mount.copySymbolicLink, try Files.status(of: handle).kind == .symbolicLink {
            try makeLink(mount, Files.readLink("", at: handle), in: root)
            return nil
        }
        let tree = try BindMount.clone(mount, recursive: recursive) { () throws(SystemError) in
            try Mounting.cloneTree(of: handle, recursive: recursive)
        }
        if mount.idMap != nil {
            try link.send(.mapIDs(mount: UInt32(mount.index)), descriptor: tree)
            try link.expect(.acknowledged)
        }
        try BindMount.setAttributes(tree, mount, plan.propagation)
        return try bind(tree, mount, in: root)
    }
}
