internal import KernelTypes

/// A walk along a path, component by component by descriptors, with symbolic links followed by hand: none leads above
/// the directory where the walk begins, and even a dangling one leads to where a process with that directory as its
/// root would see it.
///
/// The owner opens each component, and says what it makes of one that is not there.
struct PathWalk: ~Copyable {
    /// The directories from the first to the current one; a place may be empty, for one that is not there yet.
    private(set) var trail = DescriptorTable()
    /// Of each but the first: its name, and what the owner has noted of it.
    private var levels: [(name: String, tag: Int?)] = []
    private let path: String
    private let followsLast: Bool
    /// The components that are to come, the next one last.
    private var pending: [String]
    private var links = 0

    /// As many symbolic links as the kernel follows. path_resolution(7).
    private static let mostLinks = 40

    /// - Parameter followsLast: whether the last component is followed where it is a symbolic link.
    init(_ path: String, from root: borrowing Descriptor, followsLast: Bool) throws(SystemError) {
        self.path = path
        self.followsLast = followsLast
        pending = path.parts(by: "/").reversed()
        trail.append(try root.duplicate())
    }

    /// The next component to open; nil at the end.
    mutating func next() -> String? {
        while let name = pending.popLast() {
            switch name {
            case ".": continue
            case "..": if trail.count > 1 { goBack(to: trail.count - 1) }
            default: return name
            }
        }
        return nil
    }

    /// Whether the component that ``next()`` gave is the last.
    var isAtLast: Bool { pending.isEmpty }

    /// Where the walk has come to, without links.
    var place: String { levels.map { "/\($0.name)" }.joined() }

    /// What is to come, as far as it leads on.
    var rest: String { pending.reversed().filter { $0 != "." && $0 != ".." }.map { "/\($0)" }.joined() }

    var lastName: String { levels.last?.name ?? "." }
    var lastTag: Int? { levels.last?.tag }

    /// Goes on to what was opened (with O_PATH and O_NOFOLLOW) as the component, or to where it leads.
    /// - Parameters:
    ///   - tag: what is to be noted of it and of what lies below; nil notes the same as above it.
    ///   - followsLink: whether it is followed where it is a symbolic link.
    mutating func enter(
        _ name: String, _ child: consuming Descriptor, tag: Int? = nil, followsLink: Bool = true
    ) throws(SystemError) {
        let status = try Files.status(of: child)
        if followsLink, status.kind == .symbolicLink, followsLast || !isAtLast {
            links += 1
            if links > Self.mostLinks { throw SystemError("open", path, .symbolicLinkLoop) }
            let target = try Files.readLink("", at: child)
            if target.isAbsolutePath { goBack(to: 1) }
            pending += target.parts(by: "/").reversed()
            return
        }
        if !isAtLast, status.kind != .directory { throw SystemError("open", path, .notDirectory) }
        levels.append((name, tag ?? lastTag))
        trail.append(child)
    }

    /// Goes on to a directory that is not there yet.
    mutating func enterMissing(_ name: String) {
        levels.append((name, lastTag))
        trail.appendNothing()
    }

    private mutating func goBack(to count: Int) {
        trail.removeAll(but: count)
        levels.removeLast(levels.count - (count - 1))
    }

    /// Takes what the walk has led to; nil where that is not there yet.
    mutating func takeLast() -> Descriptor? { trail.take(trail.count - 1) }
}
