internal import Kernel

/// What the mounts of a container are made of, opened before its root file system is.
struct MountSources: ~Copyable {
    /// For each mount: its detached tree, with its attributes; nothing for one that is made in the container.
    var trees = DescriptorTable()
    /// Targets of symbolic links that are to be made again instead of followed, by mount.
    private var links: [(mount: Int, target: String)] = []

    mutating func addLink(_ mount: Int, to target: String) { links.append((mount, target)) }

    /// What a link that takes the place of a mount points to; nil where the mount is one.
    func linkTarget(ofMount index: Int) -> String? { links.first { $0.mount == index }?.target }
}
