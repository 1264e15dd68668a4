import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct FilesTests {
    // MARK: replace

    @Test func replaceMakesAndReplaces() throws {
        try withFolder { folder throws in
            try Files.replace(folder.path("pid"), with: "12", mode: 0o640)
            #expect(try folder.text("pid") == "12")
            #expect(try Files.status(folder.path("pid")).permissions == 0o640)
            try Files.replace(folder.path("pid"), with: "", mode: 0o600)
            #expect(try folder.text("pid") == "")
            #expect(try folder.names() == ["pid"])
        }
    }

    /// Whoever has the old file open goes on reading the old text: the new one is another file.
    @Test func replaceIsNoRewrite() throws {
        try withFolder { folder throws in
            try folder.write("state", "old")
            let reader = try Files.open(folder.path("state"), .readOnly)
            try Files.replace(folder.path("state"), with: "new text", mode: 0o600)
            let seen = try Files.read(reader)
            #expect(seen == Array("old".utf8))
        }
    }

    @Test func replaceReplacesALinkAndKeepsItsTarget() throws {
        try withFolder { folder throws in
            try folder.write("target", "kept")
            try folder.link("name", to: "target")
            try Files.replace(folder.path("name"), with: "new", mode: 0o600)
            #expect(folder.kind("name") == .regular)
            #expect(try folder.text("target") == "kept")
        }
    }

    /// Where the last step is refused, neither half a file nor the hidden one stays.
    @Test func aFailedReplaceLeavesNothingBehind() throws {
        try withFolder { folder throws in
            try folder.makeDirectory("taken")
            let error = failure { () throws(SystemError) in
                try Files.replace(folder.path("taken"), with: "x", mode: 0o600)
            }
            #expect(error?.code == .isDirectory)
            #expect(try folder.names() == ["taken"])
            #expect(folder.kind("taken") == .directory)
        }
    }

    @Test func replaceNeedsItsFolder() throws {
        try withFolder { folder throws in
            let error = failure { () throws(SystemError) in
                try Files.replace(folder.path("no/pid"), with: "x", mode: 0o600)
            }
            #expect(error?.code == .noEntry)
            #expect(try folder.names() == [])
        }
    }

    // MARK: read

    @Test(arguments: [0, 1, 4095, 4096, 4097, 8192, 100_000])
    func filesOfAnySizeAreRead(size: Int) throws {
        try withFolder { folder throws in
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try Files.write(bytes, toNew: folder.path("x"), mode: 0o600)
            #expect(try Files.read(folder.path("x")) == bytes)
            #expect(try Files.read(folder.path("x"), limit: max(size, 4096)) == bytes)
        }
    }

    @Test func readRefusesMoreThanItsLimit() throws {
        try withFolder { folder throws in
            try folder.write("x", String(repeating: "a", count: 101))
            let error = failure { () throws(SystemError) in _ = try Files.read(folder.path("x"), limit: 100) }
            #expect(error == SystemError("read", folder.path("x"), .fileTooLarge))
            #expect(try Files.read(folder.path("x"), limit: 101).count == 101)
        }
    }

    /// Files of procfs say that they have no bytes; the limit must hold for what they give.
    @Test func readLimitsFilesWithoutASize() throws {
        #expect(try Files.read("/proc/self/stat", limit: 4096).count > 50)
        let error = failure { () throws(SystemError) in _ = try Files.read("/dev/zero", limit: 10_000) }
        #expect(error?.code == .fileTooLarge)
    }

    @Test func readTakesWhatIsJustWithinTheLimit() throws {
        try withFolder { folder throws in
            try folder.write("empty")
            let empty = failure { () throws(SystemError) in _ = try Files.read(folder.path("empty"), limit: 100) }
            #expect(empty == nil)
            let pipe = failure { () throws(SystemError) in
                _ = try Files.read([UInt8](repeating: 7, count: 5000).inPipe(), limit: 5000)
            }
            #expect(pipe == nil)
        }
    }

    @Test(arguments: [
        ("", ""), ("a", "a"), ("a\n", "a"), ("a\n\n", "a"), ("\n", ""), ("a\nb\n", "a\nb"), (" a ", " a "),
    ])
    func textIsReadWithoutItsLastLineEnd(content: String, text: String) throws {
        try withFolder { folder throws in
            try folder.write("x", content)
            #expect(try Files.readText(folder.path("x")) == text)
            let handle = try folder.open()
            #expect(try Files.readText("x", at: handle) == text)
        }
    }

    @Test func aFileIsReadAgainFromTheBeginning() throws {
        try withFolder { folder throws in
            try folder.write("x", "one")
            let file = try Files.open(folder.path("x"), .readOnly)
            let first = try Files.rereadText(file)
            try Files.write("two", into: folder.path("x"))
            let second = try Files.rereadText(file)
            #expect([first, second] == ["one", "two"])
        }
    }

    // MARK: write

    @Test func aNewFileMustBeNew() throws {
        try withFolder { folder throws in
            try folder.write("there", "old")
            try folder.link("dangling", to: "elsewhere")
            for name in ["there", "dangling"] {
                let error = failure { () throws(SystemError) in try folder.write(name, "new") }
                #expect(error?.code == .exists, "\(name)")
            }
            #expect(try folder.text("there") == "old")
            #expect(!folder.has("elsewhere"))
        }
    }

    @Test func writingIntoAFileNeedsTheFile() throws {
        try withFolder { folder throws in
            let error = failure { () throws(SystemError) in try Files.write("x", into: folder.path("no")) }
            #expect(error?.code == .noEntry)
            #expect(!folder.has("no"))
        }
    }

    @Test func theRestOfAFileIsCopied() throws {
        try withFolder { folder throws in
            let text = String(repeating: "0123456789", count: 30_000)
            try folder.write("from", text)
            let from = try Files.open(folder.path("from"), .readOnly)
            let to = try Files.open(folder.path("to"), [.writeOnly, .create, .exclusive], mode: 0o600)
            try Files.copyContents(from: from, to: to, subject: "from")
            #expect(try folder.text("to") == text)
        }
    }

    // MARK: status and links

    @Test func theKindOfAFileIsKnown() throws {
        try withFolder { folder throws in
            try folder.write("file", "12345", mode: 0o640)
            try folder.makeDirectory("directory")
            try folder.link("link", to: "file")
            try Files.makeFIFO(folder.path("fifo"), mode: 0o600)
            #expect(folder.kind("file") == .regular)
            #expect(folder.kind("directory") == .directory)
            #expect(folder.kind("link") == .symbolicLink)
            #expect(folder.kind("fifo") == .fifo)
            #expect(try Files.status(folder.path("link")).kind == .regular)
            let status = try Files.status(folder.path("file"))
            #expect(status.size == 5)
            #expect(status.permissions == 0o640)
            #expect(status.owner == Credentials.effectiveUser)
            let null = try Files.status("/dev/null")
            #expect(null.kind == .characterDevice)
            #expect((null.deviceMajor, null.deviceMinor) == (1, 3))
        }
    }

    @Test(arguments: ["a", "/absolute/path", "../..", "with blank", String(repeating: "x/", count: 2000)])
    func linksAreRead(target: String) throws {
        try withFolder { folder throws in
            try folder.link("link", to: target)
            #expect(try Files.readLink(folder.path("link")) == target)
            let handle = try folder.open()
            #expect(try Files.readLink("link", at: handle) == target)
        }
    }

    @Test func fileSystemsAreRecognised() throws {
        #expect(try Files.fileSystem("/proc").isProc)
        #expect(try !Files.fileSystem("/proc").isCgroup2)
        try withFolder { folder throws in
            #expect(try !Files.fileSystem(folder.path).isProc)
            #expect(try !Files.fileSystem(folder.path).isReadOnly)
        }
    }

    @Test func aSealedFileIsSealed() throws {
        let plain = try Files.memoryFile("x", sealable: true)
        try Files.write("text", to: plain)
        let before = Files.isSealed(plain)
        #expect(!before)
        try Files.seal(plain)
        let after = Files.isSealed(plain)
        #expect(after)
        let error = failure { () throws(SystemError) in try Files.write("more", to: plain) }
        #expect(error?.code == .notPermitted)
        let disk = Files.isSealed(try Files.open("/proc/self/exe", .readOnly))
        #expect(!disk)
    }

    // MARK: openBeneath

    @Test func openingBeneathFollowsNoLink() throws {
        try withRoot { inside, whole throws in
            try inside.makeDirectory("sys/net")
            try inside.write("sys/net/value", "1")
            try inside.link("sys/link", to: "net")
            try inside.link("escape", to: "../host")
            try inside.link("absolute", to: whole.path("host"))
            let root = try inside.open()
            let good = try Files.openBeneath("sys/net/value", at: root, .readOnly)
            let bytes = try Files.read(good)
            #expect(bytes == Array("1".utf8))
            for path in [
                "sys/link/value", "escape/secret", "absolute/secret", "../host/secret", whole.path("host/secret"),
                "sys/../../host/secret",
            ] {
                let error = failure { () throws(SystemError) in _ = try Files.openBeneath(path, at: root, .readOnly) }
                #expect(error?.code == .crossDevice || error?.code == .symbolicLinkLoop, "\(path)")
            }
        }
    }

    @Test func openingBeneathStaysOnOneMount() throws {
        let root = try Files.open("/", [.path, .directory])
        let error = failure { () throws(SystemError) in _ = try Files.openBeneath("proc/version", at: root, .readOnly) }
        #expect(error?.code == .crossDevice)
    }
}

extension [UInt8] {
    /// A descriptor that gives these bytes and has no size.
    fileprivate func inPipe() throws(SystemError) -> Descriptor {
        let folder = try Folder()
        defer { try? Files.removeTree(folder.path) }  // the descriptor outlives its name
        try Files.makeFIFO(folder.path("fifo"), mode: 0o600)
        let reader = try Files.open(folder.path("fifo"), [.readOnly, .nonBlocking])
        let writer = try Files.open(folder.path("fifo"), .writeOnly)
        try withUnsafeBufferPointer { buffer throws(SystemError) in
            try Files.write(UnsafeRawBufferPointer(buffer), to: writer)
        }
        return reader
    }
}
