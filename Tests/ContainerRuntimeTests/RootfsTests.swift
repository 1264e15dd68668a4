import Kernel
import Testing

@testable import ContainerRuntime

@Suite struct MountTableTests {
    private static let lines = """
        22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/sda rw
        23 22 0:22 / /proc rw - proc proc rw
        24 22 0:23 /sub /mnt/a\\040b rw,noatime master:1 propagate_from:2 - tmpfs tmpfs rw,size=1k
        25 22 0:24 / /tab\\011line\\012back\\134slash rw shared:5 unbindable - fuse.x src\\040x rw
        26 22 0:25 / /hyphen-in-it rw - xfs - rw
        """

    @Test func pathsAndTypesAreFound() {
        let entries = MountTable.parse(Self.lines)
        #expect(entries.map(\.path) == ["/", "/proc", "/mnt/a b", "/tab\tline\nback\\slash", "/hyphen-in-it"])
        #expect(entries.map(\.type) == ["ext4", "proc", "tmpfs", "fuse.x", "xfs"])
    }

    @Test(
        arguments: [
            ("", []), ("\n\n", []), ("a b c", []), ("22 1 0:21 / /x rw shared:1 ext4 /dev/sda rw", []),
            ("22 1 0:21 / /x rw -", []), ("22 1 0:21 / /x rw - ext4", ["/x"]),
        ] as [(String, [String])])
    func malformedLinesAreLeftOut(text: String, paths: [String]) {
        #expect(MountTable.parse(text).map(\.path) == paths)
    }

    @Test(arguments: [
        (#"/a\040"#, "/a "), (#"/\134040"#, #"/\040"#), (#"/a\04"#, #"/a\04"#), (#"/a\"#, #"/a\"#),
        (#"/a\999"#, #"/a\999"#),
        (#"/\303\251"#, "/\u{e9}"), (#"/a\134\134b"#, #"/a\\b"#), (#"/\777"#, #"/\777"#), (#"/\043"#, "/#"),
    ])
    func escapesAreRead(field: String, path: String) {
        #expect(MountTable.parse("22 1 0:21 / \(field) rw - ext4 /dev/sda rw").map(\.path) == [path])
    }

    /// A blank is a byte, also behind a letter that Swift would join with it.
    @Test func fieldsEndAtBytes() {
        let entries = MountTable.parse(
            "22 1 0:21 / /a\u{600} rw - ext4 /dev/sda rw\r\n23 22 0:22 / /b rw - proc proc rw")
        #expect(entries.map(\.path) == ["/a\u{600}", "/b"])
    }

    @Test func theOwnTableHasARoot() throws {
        #expect(try MountTable.read().contains { $0.path == "/" })
        #expect(try MountTable.read().contains { $0 == MountTable.Entry(path: "/proc", type: "proc") })
    }
}

@Suite struct TreeCopyTests {
    @Test func everythingIsCopiedAndNoLinkIsFollowed() throws {
        try withFolder { folder throws in
            for name in ["old", "new", "outside", "old/sub", "old/sub/deep"] {
                try Files.makeDirectory(folder.path(name), mode: 0o755)
            }
            try folder.write("outside/secret", "secret")
            try folder.write("old/file", "content")
            try folder.write("old/empty")
            try folder.write("old/sub/deep/file", String(repeating: "x", count: 200_000))
            let old = try Files.open(folder.path("old"), [.path, .directory])
            let new = try Files.open(folder.path("new"), [.path, .directory])
            try Files.makeSymbolicLink("link", to: "../outside", at: old)
            try Files.makeSymbolicLink("dangling", to: "/no/where", at: old)
            try Files.makeFIFO(folder.path("old/fifo"), mode: 0o600)
            try Files.changeMode("file", at: old, mode: 0o4711)
            try Files.changeMode("sub", at: old, mode: 0o1770)
            try Files.changeMode("fifo", at: old, mode: 0o622)
            try TreeCopy.copy(from: old, to: new)
            #expect(try folder.names("new") == ["dangling", "empty", "fifo", "file", "link", "sub"])
            #expect(try folder.text("new/file") == "content")
            #expect(try folder.text("new/empty") == "")
            #expect(try folder.text("new/sub/deep/file").utf8.count == 200_000)
            #expect(try Files.readLink(folder.path("new/link")) == "../outside")
            #expect(try Files.readLink(folder.path("new/dangling")) == "/no/where")
            #expect(try folder.names("outside") == ["secret"])
            for (name, kind, mode) in [
                ("file", FileKind.regular, 0o4711), ("sub", .directory, 0o1770), ("fifo", .fifo, 0o622),
                ("empty", .regular, 0o600), ("sub/deep", .directory, 0o755),
            ] {
                let status = try Files.status(folder.path("new/\(name)"), follow: false)
                #expect(status.kind == kind, "\(name)")
                #expect(status.permissions == UInt32(mode), "\(name)")
                #expect(status.owner == Credentials.effectiveUser, "\(name)")
            }
        }
    }

    @Test func nothingIsOverwritten() throws {
        try withFolder { folder throws in
            for name in ["old", "new"] { try Files.makeDirectory(folder.path(name), mode: 0o755) }
            try folder.write("old/file", "old")
            try folder.write("new/file", "new")
            let error = failure {
                try TreeCopy.copy(
                    from: Files.open(folder.path("old"), [.path, .directory]),
                    to: Files.open(folder.path("new"), [.path, .directory]))
            }
            #expect(error == "open file: file exists")
            #expect(try folder.text("new/file") == "new")
        }
    }
}

@Suite struct ProcGuardTests {
    /// What lxcfs and its like put in the place of the machine's own files.
    @Test func onlyTheMachinesFilesMayBeReplaced() {
        #expect(
            ProcGuard.replaceable == [
                "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo",
                "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
            ])
    }

    @Test(arguments: [
        ("/a/b", "/a", "b"), ("/a", "/", "a"), ("/a/b/c", "/a/b", "c"), ("a", "/", "a"),
    ])
    func pathsAreSplitAtTheLastSlash(path: String, folder: String, name: String) {
        #expect(split(path) == (folder, name))
    }
}
