import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct DirectoryTests {
    @Test func aTreeIsRemovedWithoutFollowingLinks() throws {
        try withFolder { folder throws in
            try folder.makeDirectory("tree/a/b")
            try folder.makeDirectory("kept")
            try folder.write("kept/file", "x")
            try folder.write("tree/a/file", "x")
            try folder.link("tree/link", to: "../kept")
            try folder.link("tree/a/file-link", to: "../../kept/file")
            try folder.link("tree/dangling", to: "nowhere")
            try folder.link("tree/self", to: "self")
            try Files.makeFIFO(folder.path("tree/fifo"), mode: 0o600)
            try Files.removeTree(folder.path("tree"))
            #expect(try folder.names() == ["kept"])
            #expect(try folder.names("kept") == ["file"])
        }
    }

    @Test func noTreeIsRemovedThroughALink() throws {
        try withFolder { folder throws in
            try folder.makeDirectory("kept")
            try folder.write("kept/file", "x")
            try folder.link("link", to: "kept")
            let error = failure { () throws(SystemError) in try Files.removeTree(folder.path("link")) }
            #expect(error?.code == .notDirectory)
            let kept = try folder.names("kept")
            #expect(kept == ["file"])
        }
    }

    @Test func missingFoldersAboveAreMade() throws {
        try withFolder { folder throws in
            try Files.makeDirectories(folder.path("a/b/c"), mode: 0o700)
            try Files.makeDirectories(folder.path("a/b/c"), mode: 0o700)
            #expect(folder.kind("a/b/c") == .directory)
            try folder.write("file")
            let error = failure { () throws(SystemError) in
                try Files.makeDirectories(folder.path("file/x"), mode: 0o700)
            }
            #expect(error?.code == .notDirectory)
        }
    }

    @Test func namesOrDirectoriesAreListed() throws {
        try withFolder { folder throws in
            try folder.makeDirectory("one")
            try folder.makeDirectory(".two")
            try folder.write("file")
            try folder.link("link", to: "one")
            #expect(try folder.names() == [".two", "file", "link", "one"])
            #expect(try Files.listDirectories(folder.path).sorted() == [".two", "one"])
            let error = failure { () throws(SystemError) in _ = try Files.list(folder.path("file")) }
            #expect(error?.code == .notDirectory)
        }
    }

    @Test func namesAreBytes() throws {
        try withFolder { folder throws in
            let handle = try folder.open()
            let odd = ByteName([0xFF, 0x2E, 0xC3])
            try Files.makeDirectory(odd, at: handle, mode: 0o700)
            let inner = try Files.open(odd, at: handle, [.path, .directory, .noFollow])
            try Files.makeNode(ByteName("..."), at: inner, kind: .regular, mode: 0o600)
            try Files.makeSymbolicLink(ByteName([0x80]), to: ByteName([0xFE, 0x2F, 0xFE]), at: inner)
            #expect(try Files.entries(of: handle) == [DirectoryEntry(name: odd, kind: .directory)])
            let below = try Files.entries(of: inner).sorted { $0.name.text < $1.name.text }
            #expect(below.map(\.name) == [ByteName("..."), ByteName([0x80])])
            #expect(below.map(\.kind) == [.regular, .symbolicLink])
            #expect(try Files.linkTarget(ByteName([0x80]), at: inner) == ByteName([0xFE, 0x2F, 0xFE]))
            // A second listing begins at the beginning again.
            #expect(try Files.entries(of: inner).count == 2)
            for entry in below { try Files.remove(entry.name, at: inner) }
            try Files.removeDirectory(odd, at: handle)
            #expect(try folder.names() == [])
        }
    }

    @Test func moreEntriesThanOneCallBringsAreListed() throws {
        try withFolder { folder throws in
            let handle = try folder.open()
            let long = String(repeating: "x", count: 200)
            for number in 0..<1000 {
                try Files.makeNode(ByteName("\(long)\(number)"), at: handle, kind: .regular, mode: 0o600)
            }
            #expect(Set(try Files.entries(of: handle).map(\.name.text)).count == 1000)
        }
    }

    @Test func holesStayHoles() throws {
        try withFolder { folder throws in
            let handle = try folder.open()
            let source = try Files.open("source", at: handle, [.readWrite, .create], mode: 0o600)
            try Files.write("begin", to: source)
            try Files.copySparsely(from: source, to: source, size: 1 << 24, subject: "")
            #expect(try Files.status(of: source).size == 1 << 24)
            let copy = try Files.open("copy", at: handle, [.readWrite, .create], mode: 0o600)
            try Files.copySparsely(from: source, to: copy, size: 1 << 24, subject: "")
            #expect(try Files.status(of: copy).size == 1 << 24)
            #expect(try Files.read(copy, at: 0, count: 6) == Array("begin\0".utf8))
            // What has been made longer meanwhile is not copied.
            let part = try Files.open("part", at: handle, [.readWrite, .create], mode: 0o600)
            try Files.copySparsely(from: source, to: part, size: 3, subject: "")
            #expect(try folder.text("part") == "beg")
        }
    }
}
