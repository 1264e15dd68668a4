internal import Kernel
package import KernelTypes
internal import Planning

/// What every bind mount goes through, whoever opens its source.
enum BindMount {
    /// In a user namespace a tree may be shown only with what is mounted below it, because that may hide something
    /// (mount_namespaces(7)). Taking it along unasked would show more than was written.
    static func clone(
        _ mount: MountPlan, recursive: Bool, _ body: () throws(SystemError) -> Descriptor
    ) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try body()
        } catch  where error.code == .invalidArgument && !recursive {
            throw .refused(
                "mounts[\(mount.index)].source: \(mount.bindSource ?? "") cannot be bound without the mounts below it, which this user namespace may not uncover; write \"rbind\" to take them along"
            )
        }
    }

    /// Sets what the mount allows while it is still detached: no one ever sees a read-only mount writable.
    static func setAttributes(
        _ tree: borrowing Descriptor, _ mount: MountPlan, _ root: (kind: MountPropagation, recursive: Bool)
    ) throws(SystemError) {
        // A clone stays in the peer group of the host's mount; it follows the container's root unless the options say
        // otherwise.
        let isSaid = mount.propagation.contains(where: { $0.recursive })
        let inherited: MountPropagation? =
            root.kind == .shared || isSaid ? nil : root.kind == .private ? .private : .slave
        if inherited != nil || !mount.setRecursively.isEmpty || !mount.clearRecursively.isEmpty {
            try Mounting.setAttributes(
                of: tree, set: mount.setRecursively, clear: mount.clearRecursively, propagation: inherited,
                recursive: true)
        }
        if !mount.set.isEmpty || !mount.clear.isEmpty {
            try Mounting.setAttributes(of: tree, set: mount.set, clear: mount.clear)
        }
        for entry in mount.propagation {
            try Mounting.setAttributes(of: tree, propagation: entry.kind, recursive: entry.recursive)
        }
    }
}

extension MountPlan {
    /// What is to be bound; nil of a mount that is none.
    var bindSource: String? { if case .bind(let source, _) = kind { source } else { nil } }
}

extension SystemError {
    /// Whether there was nothing at a path.
    package var isMissing: Bool { !isRefusal && (code == .noEntry || code == .notDirectory) }
}
