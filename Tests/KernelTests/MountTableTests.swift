import Testing

@testable import Kernel

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

    @Test func whoseFileSystemAMountShowsIsFound() {
        let details = MountTable.details(in: Self.lines + "\n22 1 0:21 / /x rw -")
        #expect(
            details.first == MountDetail(id: "22", device: "0:21", root: "/", path: "/", type: "ext4"))
        #expect(details.map(\.root) == ["/", "/", "/sub", "/", "/"])
        #expect(details.map(\.path) == MountTable.parse(Self.lines).map(\.path))
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
