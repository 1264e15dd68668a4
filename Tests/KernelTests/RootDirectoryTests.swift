import KernelTypes
import TestSupport
import Testing

@testable import Kernel

/// Whatever lies in a container's tree, nothing that is opened or made through it lies outside.
@Suite struct RootDirectoryTests {
    // MARK: Opening

    /// A tree with every kind of way out.
    private static func fill(_ inside: Folder, _ whole: Folder) throws {
        try inside.makeDirectory("a/b")
        try inside.makeDirectory("host")
        try inside.write("host/secret", "inside")
        try inside.write("a/file", "file")
        for (name, target) in [
            ("up", ".."), ("far-up", "../../../../../../../../.."), ("a/up", "../.."), ("slash", "/"),
            ("to-file", "a/file"), ("to-link", "to-file"), ("absolute", "/a/file"), ("a/b/back", "../file"),
            ("out", "../host"), ("a/out", "../../host"), ("absolute-out", "/../host"),
            ("loop", "loop"), ("ping", "pong"), ("pong", "ping"), ("dangling", "nothing/here"),
        ] { try inside.link(name, to: target) }
        // What would be read if the link were followed in the host's tree.
        try inside.link("host-path", to: whole.path("host/secret"))
    }

    @Test(arguments: [
        ("a/file", "file"), ("/a/file", "file"), ("//a//file", "file"), ("./a/./file", "file"), ("a/b/../file", "file"),
        ("to-file", "file"), ("to-link", "file"), ("absolute", "file"), ("a/b/back", "file"), ("slash/a/file", "file"),
        ("up/a/file", "file"), ("far-up/a/file", "file"), ("../a/file", "file"), ("../../../a/file", "file"),
        ("a/up/a/file", "file"), ("../host/secret", "inside"), ("up/host/secret", "inside"),
        ("out/secret", "inside"), ("a/out/secret", "inside"), ("absolute-out/secret", "inside"),
        ("/../../host/secret", "inside"),
    ])
    func whatTheContainerSeesIsOpened(path: String, content: String) throws {
        try withRoot { inside, whole throws in
            try Self.fill(inside, whole)
            let root = RootDirectory(try inside.open())
            let bytes = try Files.read(root.open(path, .readOnly))
            #expect(String(decoding: bytes, as: UTF8.self) == content)
        }
    }

    @Test(
        arguments: [
            ("nothing", .noEntry), ("a/nothing/x", .noEntry), ("a/file/x", .notDirectory), ("dangling", .noEntry),
            ("host-path", .noEntry), ("loop", .symbolicLinkLoop), ("ping", .symbolicLinkLoop),
            ("loop/x", .symbolicLinkLoop),
        ] as [(String, Errno)])
    func whatTheContainerDoesNotSeeIsRefused(path: String, code: Errno) throws {
        try withRoot { inside, whole throws in
            try Self.fill(inside, whole)
            let root = RootDirectory(try inside.open())
            let error = failure { () throws(SystemError) in _ = try root.open(path, .readOnly) }
            #expect(error == SystemError("open", path, code))
        }
    }

    @Test(arguments: ["", "/", ".", "..", "../..", "up", "slash", "far-up", "a/..", "/.."])
    func noPathGetsAboveTheRoot(path: String) throws {
        try withRoot { inside, whole throws in
            try Self.fill(inside, whole)
            let root = RootDirectory(try inside.open())
            let status = try Files.status(of: root.open(path, [.path, .directory]))
            #expect(try status.inode == Files.status(inside.path).inode)
        }
    }

    /// The links of procfs lead to open files, wherever these are.
    @Test func noMagicLinkIsFollowed() throws {
        let root = RootDirectory(try Files.open("/proc", [.path, .directory]))
        for path in ["self/root", "self/cwd", "self/exe", "self/fd/0"] {
            let error = failure { () throws(SystemError) in _ = try root.open("\(path)", .readOnly) }
            #expect(error?.code == .symbolicLinkLoop, "\(path)")
        }
    }

    @Test func aLinkItselfIsOpenedWhenAsked() throws {
        try withRoot { inside, whole throws in
            try Self.fill(inside, whole)
            let root = RootDirectory(try inside.open())
            for name in ["to-file", "loop", "dangling", "host-path"] {
                let kind = try Files.status(of: root.open(name, [.path, .noFollow])).kind
                #expect(kind == .symbolicLink, "\(name)")
            }
            // Only the last link is spared.
            let kind = try Files.status(of: root.open("slash/a/file", [.path, .noFollow])).kind
            #expect(kind == .regular)
        }
    }

    @Test func aDirectoryMustBeOne() throws {
        try withRoot { inside, whole throws in
            try Self.fill(inside, whole)
            let root = RootDirectory(try inside.open())
            for path in ["a/file", "to-file"] {
                let opened = failure { () throws(SystemError) in _ = try root.open(path, [.path, .directory]) }
                let made = failure { () throws(SystemError) in _ = try root.openDirectory(path) }
                #expect([opened?.code, made?.code] == [.notDirectory, .notDirectory], "\(path)")
            }
        }
    }

    // MARK: Making mount points

    /// - Parameters:
    ///   - links: laid before, name and target.
    ///   - made: where the new entry must be found, from the root.
    struct MountPoint: Sendable, CustomTestStringConvertible {
        let path: String
        var links: [(name: String, target: String)] = []
        let made: String
        var testDescription: String { "\(path) \(links.map { "\($0.name)->\($0.target)" })" }
    }

    static let mountPoints: [MountPoint] = [
        MountPoint(path: "/new", made: "new"),
        MountPoint(path: "new", made: "new"),
        MountPoint(path: "/a/b/c/d", made: "a/b/c/d"),
        MountPoint(path: "//a///b", made: "a/b"),
        MountPoint(path: "/a/./b", made: "a/b"),
        MountPoint(path: "/../a", made: "a"),
        MountPoint(path: "/a/../../b", made: "b"),
        MountPoint(path: "/link", links: [("link", "new")], made: "new"),
        MountPoint(path: "/link", links: [("link", "/new/deep")], made: "new/deep"),
        MountPoint(path: "/link/x", links: [("link", "new")], made: "new/x"),
        MountPoint(path: "/link", links: [("link", "../../../../new")], made: "new"),
        MountPoint(path: "/link", links: [("link", "/../../new")], made: "new"),
        MountPoint(path: "/link", links: [("link", "second"), ("second", "third/x")], made: "third/x"),
        MountPoint(path: "/link/x", links: [("link", "../host")], made: "host/x"),
        MountPoint(path: "/slash/x", links: [("slash", "/")], made: "x"),
        MountPoint(path: "/up/x", links: [("up", "..")], made: "x"),
        // From below the root a link's target begins in the link's own directory, or at the root.
        MountPoint(path: "/a/link", links: [("a/link", "new")], made: "a/new"),
        MountPoint(path: "/a/link", links: [("a/link", "/new")], made: "new"),
        MountPoint(path: "/a/link/x", links: [("a/link", "/new/deep")], made: "new/deep/x"),
        MountPoint(path: "/a/link", links: [("a/link", "../new")], made: "new"),
        MountPoint(path: "/a/link", links: [("a/link", "../../../host/x")], made: "host/x"),
        MountPoint(path: "/a/link/../x", links: [("a/link", "/")], made: "x"),
        MountPoint(path: "/a/link/x", links: [("a/link", "/second"), ("second", "a/third")], made: "a/third/x"),
    ]

    private static func lay(_ links: [(name: String, target: String)], in folder: Folder) throws(SystemError) {
        for link in links {
            if link.name.hasPrefix("a/") { try folder.makeDirectory("a") }
            try folder.link(link.name, to: link.target)
        }
    }

    @Test(arguments: mountPoints, [false, true])
    func mountPointsAreMadeInside(place: MountPoint, isFile: Bool) throws {
        try withRoot { inside, whole throws in
            try Self.lay(place.links, in: inside)
            let root = RootDirectory(try inside.open())
            let made = try Files.status(of: root.openMountPoint(place.path, file: isFile))
            #expect(made.kind == (isFile ? .regular : .directory))
            #expect(try Files.status(inside.path(place.made), follow: false).inode == made.inode)
            #expect(try whole.names() == ["host", "root"])
            #expect(try whole.names("host") == ["secret"])
            // The second time it is there already.
            let again = try Files.status(of: root.openMountPoint(place.path, file: isFile))
            #expect(again.inode == made.inode)
        }
    }

    @Test(arguments: mountPoints)
    func directoriesAreMadeInside(place: MountPoint) throws {
        try withRoot { inside, whole throws in
            try Self.lay(place.links, in: inside)
            let root = RootDirectory(try inside.open())
            let made = try Files.status(of: root.openDirectory(place.path))
            #expect(made.kind == .directory)
            #expect(try Files.status(inside.path(place.made), follow: false).inode == made.inode)
            #expect(try whole.names("host") == ["secret"])
        }
    }

    /// A letter of some scripts melts with the slash before or behind it into one character of Swift's, but never
    /// into one of the kernel's.
    @Test(arguments: [
        ("x\u{600}", "x\u{600}/made"), ("x", "x/\u{301}made"), ("x\u{600}", "x\u{600}/../host/made"),
    ])
    func aSlashIsAByte(trap: String, target: String) throws {
        try withRoot { inside, whole throws in
            try inside.link(trap, to: whole.path("host"))
            try inside.link("link", to: target)
            let root = RootDirectory(try inside.open())
            _ = failure { () throws(SystemError) in _ = try root.openMountPoint("/link", file: true) }
            let outside = try whole.names("host")
            #expect(outside == ["secret"])
        }
    }

    @Test func whatIsThereIsKept() throws {
        try withRoot { inside, _ throws in
            try inside.makeDirectory("directory")
            try inside.write("file", "kept")
            let root = RootDirectory(try inside.open())
            // The kind that was asked for decides only what is made: mounting shows a difference.
            let first = try Files.status(of: root.openMountPoint("/directory", file: true)).kind
            let second = try Files.status(of: root.openMountPoint("/file", file: false)).kind
            #expect([first, second] == [.directory, .regular])
            #expect(try inside.text("file") == "kept")
        }
    }

    @Test func impossibleMountPointsAreRefused() throws {
        try withRoot { inside, _ throws in
            try inside.write("file")
            try inside.link("loop", to: "loop")
            try inside.link("to-file", to: "file")
            let root = RootDirectory(try inside.open())
            for (path, code) in [
                ("/file/x", Errno.notDirectory), ("/to-file/x", .notDirectory), ("/loop", .symbolicLinkLoop),
                ("/loop/x", .symbolicLinkLoop),
            ] {
                let error = failure { () throws(SystemError) in _ = try root.openMountPoint(path, file: false) }
                #expect(error?.code == code, "\(path)")
            }
        }
    }

    @Test func noLinkAtTheEndIsFollowedWhenAsked() throws {
        try withRoot { inside, _ throws in
            try inside.link("link", to: "elsewhere")
            let root = RootDirectory(try inside.open())
            let kind = try Files.status(of: root.openMountPoint("/link", file: true, follow: false)).kind
            #expect(kind == .symbolicLink)
            #expect(!inside.has("elsewhere"))
        }
    }

    @Test func madeDirectoriesAreForEverybody() throws {
        try withRoot { inside, _ throws in
            let root = RootDirectory(try inside.open())
            let directory = try Files.status(of: root.openMountPoint("/a/b", file: false))
            let file = try Files.status(of: root.openMountPoint("/c", file: true))
            // The test's own mask may take bits away, but none of the owner's.
            #expect([directory.permissions & ~0o755, directory.permissions & 0o700] == [0, 0o700])
            #expect([file.permissions & ~0o644, file.permissions & 0o600] == [0, 0o600])
        }
    }

    @Test func anExistingMountPointIsRecognised() throws {
        try withFolder { folder throws in
            try folder.makeDirectory("old")
            try folder.link("link", to: "/old/new")
            let root = RootDirectory(try folder.open())
            #expect(try root.mountPoint("/old", file: false).existed)
            #expect(try !root.mountPoint("/link/deep", file: false).existed)
            #expect(try root.mountPoint("/old/new/deep", file: false).existed)
            #expect(try !root.mountPoint("/file", file: true).existed)
            #expect(folder.kind("file") == .regular)
            // Nothing is mounted on it.
            let (own, top) = (try Files.status(of: root.descriptor), try Files.status(of: root.topmost()))
            #expect(own.inode == top.inode && own.device == top.device)
        }
    }
}
