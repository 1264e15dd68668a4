package import KernelTypes

/// Goes through a tree of directories with one descriptor, however deep the tree is and whatever its names are made of.
///
/// A path would be too long for the kernel at some depth, and a descriptor for each level too many. The way back up is
/// `..`, and it is looked at: a directory that was moved elsewhere meanwhile is not followed.
package struct DirectoryWalk: ~Copyable {
    /// Where the walk is.
    package private(set) var directory: Descriptor
    private var above: [Level] = []

    /// A directory that was gone down from.
    private struct Level {
        let device: UInt64
        let inode: UInt64
        /// What was gone into.
        let name: ByteName
    }

    package init(_ top: borrowing Descriptor) throws(SystemError) {
        directory = try Files.open(".", at: top, [.path, .directory])
    }

    /// Into a directory of this one; never through a symbolic link.
    package mutating func descend(into name: ByteName) throws(SystemError) {
        let here = try Files.status(of: directory)
        directory = try Files.open(name, at: directory, [.path, .directory, .noFollow])
        above.append(Level(device: here.device, inode: here.inode, name: name))
    }

    /// Back to the directory above.
    /// - Returns: the name that was gone into; nil at the top.
    mutating func ascend() throws(SystemError) -> ByteName? {
        guard let level = above.last else { return nil }
        let upper = try Files.open("..", at: directory, [.path, .directory])
        let status = try Files.status(of: upper)
        guard status.device == level.device, status.inode == level.inode else {
            throw SystemError("open", "\(level.name.text)/.. (the folder was moved)", .noEntry)
        }
        directory = upper
        above.removeLast()
        return level.name
    }
}

extension Files {
    /// Shows every directory of a tree, the uppermost first. Those that vanish meanwhile are left out.
    package static func visitDirectories(
        of top: borrowing Descriptor, _ visit: (borrowing Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        var walk = try DirectoryWalk(top)
        try visit(walk.directory)
        var pending = [try subdirectories(of: walk.directory)]
        while let last = pending.indices.last {
            guard let name = pending[last].popLast() else {
                pending.removeLast()
                if !pending.isEmpty { _ = try walk.ascend() }
                continue
            }
            do throws(SystemError) {
                try walk.descend(into: name)
            } catch {
                if error.code == .noEntry { continue }
                throw error
            }
            try visit(walk.directory)
            pending.append(try subdirectories(of: walk.directory))
        }
    }

    /// What a directory says of itself is enough in the kernel's own file systems, and saves a call for each name.
    private static func subdirectories(of directory: borrowing Descriptor) throws(SystemError) -> [ByteName] {
        try entriesUnlessGone(directory).filter { $0.kind == .directory }.map { $0.name }
    }

    private static func entriesUnlessGone(_ directory: borrowing Descriptor) throws(SystemError) -> [DirectoryEntry] {
        do throws(SystemError) {
            return try entries(of: directory)
        } catch {
            if error.code == .noEntry || error.code == .noDevice { return [] }
            throw error
        }
    }

    /// Which things in a tree can be removed.
    package enum Removable: Sendable {
        case everything
        /// Where the files are the kernel's and go with their directory: cgroups.
        case directories
    }

    /// Empties a directory. Names that vanish meanwhile are as good as removed.
    package static func removeContents(
        of top: borrowing Descriptor, _ removable: Removable = .everything
    ) throws(SystemError) {
        var walk = try DirectoryWalk(top)
        var pending = [try remains(in: walk.directory, removable)]
        while let last = pending.indices.last {
            if let name = pending[last].popLast() {
                do throws(SystemError) {
                    try walk.descend(into: name)
                } catch {
                    if error.code == .noEntry { continue }
                    throw error
                }
                pending.append(try remains(in: walk.directory, removable))
                continue
            }
            pending.removeLast()
            guard let name = try walk.ascend() else { return }
            try unlessMissing { () throws(SystemError) in try removeDirectory(name, at: walk.directory) }
        }
    }

    /// Removes what can be removed at once.
    /// - Returns: the directories that must be emptied first.
    private static func remains(
        in directory: borrowing Descriptor, _ removable: Removable
    ) throws(SystemError) -> [ByteName] {
        var rest: [ByteName] = []
        for entry in try entriesUnlessGone(directory) {
            let isKnown = entry.kind != .unknown
            let isDirectory = try (isKnown ? entry.kind : status(entry.name, at: directory).kind) == .directory
            if !isDirectory {
                guard removable == .everything else { continue }
                try unlessMissing { () throws(SystemError) in try remove(entry.name, at: directory) }
                continue
            }
            do throws(SystemError) {
                try unlessMissing { () throws(SystemError) in try removeDirectory(entry.name, at: directory) }
            } catch {
                // A cgroup is busy with cgroups below it, or with processes, where another directory is not empty.
                guard [.busy, .notEmpty, .exists].contains(error.code) else { throw error }
                rest.append(entry.name)
            }
        }
        return rest
    }

    private static func unlessMissing(_ body: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try body()
        } catch {
            if error.code != .noEntry { throw error }
        }
    }

    /// Removes a directory with all that is in it; follows no symbolic link.
    package static func removeTree(_ path: String) throws(SystemError) {
        try removeContents(of: try open(path, [.readOnly, .directory, .noFollow]))
        try removeDirectory(path)
    }
}
