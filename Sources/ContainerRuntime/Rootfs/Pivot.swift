internal import Kernel
internal import OCISpec

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
        if plan.noPivot {
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
        // The host's mounts may be shared with it: unmounting them here must not unmount them there.
        if plan.propagation.kind == .shared { try Mounting.setPropagation(".", .slave, recursive: true) }
        try Mounting.detach(".")
    }

    /// For roots on an initramfs, which cannot be pivoted away. What the host had mounted of proc and sysfs goes first:
    /// covered by the moved root, it would still count for the kernel as a full view that the container may mount again.
    private static func moveRoot(_ root: borrowing RootDirectory, _ plan: RootfsPlan) throws(SystemError) {
        for entry in try MountTable.read().reversed() where entry.type == "proc" || entry.type == "sysfs" {
            if entry.path == plan.path || entry.path.hasPrefix(plan.path + "/") { continue }
            do throws(SystemError) {
                try Mounting.detach(entry.path)
            } catch {
                guard error.code == .invalidArgument || error.code == .notPermitted else { throw error }
                // Locked by a user name space: cover it.
                try Mounting.mount("tmpfs", on: entry.path, type: "tmpfs", flags: [], data: nil)
            }
        }
        try Files.changeDirectory(to: root.descriptor)
        try Mounting.move(".", to: "/")
        try Mounting.changeRootHere()
    }
}
