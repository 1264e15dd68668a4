internal import Cgroups
internal import Kernel
internal import KernelTypes
internal import Planning

/// Makes the prepared root the process's root and takes the host's away.
enum Pivot {
    static func enter(
        _ root: borrowing RootDirectory, _ plan: RootfsPlan, ownNamespace: Bool
    ) throws(SystemError) {
        guard ownNamespace else {
            try Files.changeDirectory(to: root.descriptor)
            try Mounting.changeRootHere()
            return try Files.changeDirectory("/")
        }
        if !plan.pivotRoot {
            try moveRoot(root, plan)
        } else {
            try pivot(root, plan)
        }
        try Files.changeDirectory("/")
    }

    private static func pivot(_ root: borrowing RootDirectory, _ plan: RootfsPlan) throws(SystemError) {
        let old = try Files.open("/", [.path, .directory])
        try Files.changeDirectory(to: root.descriptor)
        try Mounting.pivotRootHere()
        try Files.changeDirectory(to: old)
        // Some of the old tree may still be the host's peer, whatever the root's propagation: unmounting here must not
        // unmount there.
        try Mounting.setPropagation(".", .slave, recursive: true)
        try Mounting.detach(".")
    }

    /// For roots on an initramfs, which cannot be pivoted away. What the host had mounted of proc and sysfs goes first:
    /// covered by the moved root, it would still count for the kernel as a full view that the container may mount
    /// again.
    private static func moveRoot(_ root: borrowing RootDirectory, _ plan: RootfsPlan) throws(SystemError) {
        let own = try Files.readLink(root.descriptor.path)
        let others = try MountTable.read().filter { $0.path != own && !$0.path.begins(with: own + "/") }
        try cutOff(others, plan)
        for entry in others.reversed() where entry.type == "proc" || entry.type == "sysfs" {
            do throws(SystemError) {
                try Mounting.detach(entry.path)
            } catch {
                guard error.code == .invalidArgument || error.code == .notPermitted else { throw error }
                // Locked by a user namespace: cover it.
                try Mounting.mount("tmpfs", on: entry.path, type: "tmpfs", flags: [], data: nil)
            }
        }
        try Files.changeDirectory(to: root.descriptor)
        try Mounting.move(".", to: "/")
        try Mounting.changeRootHere()
    }

    /// What is unmounted from, or moved to, a mount that the host's is a peer of is unmounted and moved there too
    /// (mount_namespaces(7), "Propagation"): it is the mount above that counts. After this none of those around the
    /// root is a peer.
    private static func cutOff(_ mounts: [MountTable.Entry], _ plan: RootfsPlan) throws(SystemError) {
        guard plan.propagation.kind == .shared || !plan.propagation.recursive else { return }
        for entry in mounts {
            do throws(SystemError) {
                try Mounting.setPropagation(entry.path, .slave, recursive: false)
            } catch {
                // Covered by another mount: not to be reached, so nothing happens to it either.
                guard error.code == .invalidArgument || error.code == .noEntry else { throw error }
            }
        }
    }
}
