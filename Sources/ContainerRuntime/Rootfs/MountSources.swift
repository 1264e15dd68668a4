internal import Kernel

/// What the mounts of a container are made of, opened before its root file system is.
struct MountSources: ~Copyable {
    /// For each mount: its detached tree, with its attributes; nothing for one that is made in the container.
    var trees = DescriptorTable()
    /// Targets of symbolic links that are to be made again instead of followed, by mount.
    private var links: [(mount: Int, target: String)] = []

    /// Sources that lie in the container's own root, by mount. The tree of such a mount, if it has one, is what the
    /// host shows there.
    private var late: [(mount: Int, inside: String)] = []

    mutating func addLate(_ mount: Int, inside: String) { late.append((mount, inside)) }

    /// The place of a source below the root; nil where it was opened before.
    func place(ofMount index: Int) -> String? { late.first { $0.mount == index }?.inside }

    mutating func addLink(_ mount: Int, to target: String) { links.append((mount, target)) }

    /// What a link that takes the place of a mount points to; nil where the mount is one.
    func linkTarget(ofMount index: Int) -> String? { links.first { $0.mount == index }?.target }
}
