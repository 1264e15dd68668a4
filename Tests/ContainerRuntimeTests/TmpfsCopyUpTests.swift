import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import ContainerRuntime

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
            try TmpfsCopyUp.copy(from: old, to: new)
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
                try TmpfsCopyUp.copy(
                    from: Files.open(folder.path("old"), [.path, .directory]),
                    to: Files.open(folder.path("new"), [.path, .directory]))
            }
            #expect(error == "open file: file exists")
            #expect(try folder.text("new/file") == "new")
        }
    }
}
