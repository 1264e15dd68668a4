import KernelTypes
import TestSupport
import Testing

@testable import Kernel

/// A root file system as it will be once something is mounted over parts of it.
@Suite struct OverlaidTreeTests {
    private func names(_ tree: OverlaidTree, _ path: String) -> String {
        do throws(SystemError) {
            return try Files.readText("content", at: tree.open(path, [.path, .directory]))
        } catch {
            return error.code.rawValue == 0 ? "unknown" : "\(error.code)"
        }
    }

    /// root/{a/content, b/content, link → /a, up → ../../../b}, other/content
    private func make(_ folder: Folder) throws -> OverlaidTree {
        for name in ["root", "root/a", "root/b", "other", "other/below"] {
            try Files.makeDirectory(folder.path(name), mode: 0o755)
        }
        for (name, text) in [("root/a", "a"), ("root/b", "b"), ("other", "other"), ("other/below", "below")] {
            try folder.write("\(name)/content", text)
        }
        let root = try Files.open(folder.path("root"), [.path, .directory])
        try Files.makeSymbolicLink("link", to: "/a", at: root)
        try Files.makeSymbolicLink("up", to: "../../../b", at: root)
        try Files.makeSymbolicLink("out", to: folder.path("other"), at: root)
        try Files.makeSymbolicLink("circle", to: "circle", at: root)
        return OverlaidTree(root)
    }

    @Test(arguments: [
        ("/a", "a"), ("a", "a"), ("/a/../b", "b"), ("/../../a", "a"), ("/link", "a"), ("/link/../b", "b"), ("/up", "b"),
        ("/out", "not found"), ("/none", "not found"), ("/a/content/x", "not a directory"),
        ("/circle", "too many levels of symbolic links"),
    ])
    func pathsStayInsideTheTree(path: String, expected: String) throws {
        try withFolder { folder throws in #expect(names(try make(folder), path) == expected) }
    }

    @Test(
        arguments: [
            ("/a", "/a", "other", nil), ("/a", "/link", "other", nil), ("/a", "/a/below", "below", nil),
            ("/link", "/a", "other", nil), ("/new/place", "/new/place", "other", nil),
            ("/new/place", "/new/other", "not found", nil),
            ("/new/place", "/new", "not found", nil), ("/a/../b", "/b", "other", nil), ("/a", "/b", "b", nil),
            ("/a", "/a", "b", "/a"), ("/a/x", "/a", "b", "/a"),
        ] as [(String, String, String, String?)])
    func aCoveredPathShowsWhatLiesOverIt(place: String, path: String, expected: String, then: String?) throws {
        try withFolder { folder throws in
            let tree = try make(folder)
            tree.cover(place, with: folder.path("other"), tag: 7)
            if let then { tree.cover(then, with: folder.path("root/b"), tag: 8) }
            #expect(names(tree, path) == expected)
            if expected == "other" { #expect(tree.lastTag == 7) }
        }
    }

    @Test func whatIsNotThereYetHasNoName() throws {
        try withFolder { folder throws in
            let tree = try make(folder)
            tree.cover("/a", with: nil, tag: 1)
            #expect(names(tree, "/a") == "unknown")
            #expect(names(tree, "/link/x/y") == "unknown")
            #expect(names(tree, "/b") == "b")
        }
    }
}
