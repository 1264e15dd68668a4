import Testing

@testable import Kernel

@Suite struct DirectoryTests {
    @Test func removesATreeWithoutFollowingLinks() throws {
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

    @Test func removesNoTreeThroughALink() throws {
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

    @Test func makesWhatIsMissingAbove() throws {
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

    @Test func listsNamesOrDirectories() throws {
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
}
