package import KernelTypes

/// An untrusted directory tree with other trees put over some of its places, as mounts would be, without mounting
/// anything.
///
/// Paths are walked component by component by descriptors, and symbolic links are followed by hand: none leads out of
/// the tree, but for the places of covers.
package final class OverlaidTree {
    private struct Cover {
        let path: String
        /// A path of this process's own namespace; nil for a file system that does not exist yet, of which nothing is
        /// known.
        let source: String?
        let tag: Int
    }

    private let root: Descriptor
    private var covers: [Cover] = []
    /// The cover that the path opened last lies on; nil on the tree itself.
    package private(set) var lastTag: Int?

    package init(_ root: consuming Descriptor) { self.root = root }

    /// Puts something over a place. A later one hides earlier ones at the same place and below.
    /// - Parameter source: what is seen there; nil where that is not known.
    package func cover(_ path: String, with source: String?, tag: Int) {
        guard let place = try? walk(path, follow: true, tolerant: true) else { return }  // nowhere: nothing is covered
        covers.removeAll { $0.path == place.path || $0.path.begins(with: "\(place.path)/") }
        covers.append(Cover(path: place.path, source: source, tag: tag))
    }

    /// Opens a path.
    /// - Throws: an error without an errno where the path lies on a cover of which nothing is known.
    package func open(_ path: String, _ flags: OpenFlags) throws(SystemError) -> Descriptor {
        let found = try walk(path, follow: !flags.contains(.noFollow), tolerant: false)
        lastTag = found.tag
        guard let handle = found.take() else { throw SystemError("open", path, .noEntry) }
        if flags.contains(.path) { return handle }
        return try Files.open(handle.path, flags.subtracting(.noFollow))
    }

    private struct Found: ~Copyable {
        var handle: Descriptor?
        /// The path without links.
        let path: String
        let tag: Int?

        consuming func take() -> Descriptor? { handle }
    }

    private func walk(_ path: String, follow: Bool, tolerant: Bool) throws(SystemError) -> Found {
        var walk = try PathWalk(path, from: root, followsLast: follow)
        while let name = walk.next() {
            let place = "\(walk.place)/\(name)"
            let cover = covers.last { $0.path == place }
            let child: Descriptor
            do throws(SystemError) {
                child = try open(name, walk.trail, cover, subject: path)
            } catch {
                if error.code == .noEntry, cover == nil, covers.contains(where: { $0.path.begins(with: "\(place)/") }) {
                    // It will be made as a place on the way to what covers something below it.
                    walk.enterMissing(name)
                    continue
                }
                guard tolerant, error.code == .noEntry || error.code == .noError else { throw error }
                return Found(handle: nil, path: place + walk.rest, tag: nil)
            }
            try walk.enter(name, child, tag: cover?.tag, followsLink: cover == nil)
        }
        return Found(handle: walk.takeLast(), path: walk.place, tag: walk.lastTag)
    }

    private func open(
        _ name: String, _ trail: borrowing DescriptorTable, _ cover: Cover?, subject: String
    ) throws(SystemError) -> Descriptor {
        if let cover {
            guard let source = cover.source else {
                throw .refused("\(subject) lies on a mount that is not there yet")
            }
            return try Files.open(source, .path)
        }
        guard trail.has(trail.count - 1) else { throw SystemError("open", subject, .noEntry) }
        do throws(SystemError) {
            return try trail.with(trail.count - 1) { parent throws(SystemError) in
                try Files.open(name, at: parent, [.path, .noFollow])
            }
        } catch {
            throw SystemError("open", subject, error.code)
        }
    }
}
