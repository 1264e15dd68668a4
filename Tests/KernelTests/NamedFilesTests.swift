import KernelTypes
import TestSupport
import Testing

@testable import Kernel

/// Files that the user has named: what is there already, and is more than a file, stays what it is.
@Suite struct NamedFilesTests {
    private func deliver(_ text: String, _ path: String, timeout: Int64 = 10_000) -> SystemError? {
        failure { () throws(SystemError) in try Files.deliver(text, to: path, mode: 0o644, timeout: timeout) }
    }

    @Test func aFileIsReplacedWhole() throws {
        try withFolder { folder throws in
            #expect(deliver("1", folder.path("pid")) == nil)
            let before = try Files.status(folder.path("pid")).inode
            let reader = try Files.open(folder.path("pid"), .readOnly)
            #expect(deliver("22", folder.path("pid")) == nil)
            #expect(try folder.text("pid") == "22" && Files.status(folder.path("pid")).inode != before)
            let seen = try Files.read(reader)
            #expect(seen == Array("1".utf8))
            #expect(try folder.names() == ["pid"])
        }
    }

    @Test(arguments: ["long before: this text must not stay behind", ""])
    func aLinkStaysAndItsTargetIsWritten(before: String) throws {
        try withFolder { folder throws in
            try folder.write("target", before)
            try folder.link("one", to: "target")
            try folder.link("two", to: folder.path("one"))
            #expect(deliver("12", folder.path("two")) == nil)
            #expect(folder.kind("two") == .symbolicLink && folder.kind("one") == .symbolicLink)
            #expect(folder.kind("target") == .regular)
            #expect(try folder.text("target") == "12")
        }
    }

    @Test func aDanglingLinkGetsItsTarget() throws {
        try withFolder { folder throws in
            try folder.link("name", to: "later")
            #expect(deliver("12", folder.path("name")) == nil)
            #expect(folder.kind("name") == .symbolicLink)
            #expect(try folder.text("later") == "12")
        }
    }

    @Test func linksInACircleAreRefused() throws {
        try withFolder { folder throws in
            try folder.link("a", to: "b")
            try folder.link("b", to: "a")
            #expect(deliver("12", folder.path("a"))?.code == .symbolicLinkLoop)
            #expect(folder.kind("a") == .symbolicLink && folder.kind("b") == .symbolicLink)
        }
    }

    /// As /dev/stdout leads: what was written before stays, and so does the position.
    @Test func aLinkToAnOwnDescriptorIsWrittenThrough() throws {
        try withFolder { folder throws in
            try folder.write("file", "")
            let file = try Files.open(folder.path("file"), .writeOnly)
            try Files.write("before,", to: file)
            try folder.link("out", to: "/proc/self/fd/\(file.number)")
            #expect(deliver("here,", folder.path("out")) == nil)
            try Files.write("after", to: file)
            #expect(folder.kind("out") == .symbolicLink)
            #expect(try folder.text("file") == "before,here,after")
        }
    }

    @Test func whatAnotherProcessHasOpenIsAppendedTo() throws {
        try withFolder { folder throws in
            try folder.write("file", "before,")
            let file = try Files.open(folder.path("file"), .readWrite)
            let number = file.number
            let (near, far) = try gate()
            let child = try Cloning.clone(cgroup: nil) {
                _ = try? Polling.wait([(far, .readable)])
                Processes.exit(0)
            }
            #expect(deliver("here", "/proc/\(child.pid)/fd/\(number)") == nil)
            try Processes.kill(child)
            _ = try Processes.wait(child)
            #expect(try folder.text("file") == "before,here")
            _ = near
        }
    }

    private func gate() throws -> (Int32, Int32) {
        let ends = try Sockets.packetPair { Ends(near: $0, far: $1) }
        let numbers = (try ends.near?.duplicate().take() ?? -1, try ends.far.duplicate().take())
        return numbers
    }

    @Test func aFIFOIsWrittenTo() throws {
        try withFolder { folder throws in
            try Files.makeFIFO(folder.path("fifo"), mode: 0o600)
            let reader = try Files.open(folder.path("fifo"), [.readOnly, .nonBlocking])
            #expect(deliver("12", folder.path("fifo")) == nil)
            let seen = try Terminals.readAvailable(reader)
            #expect(seen == Array("12".utf8))
            #expect(folder.kind("fifo") == .fifo)
        }
    }

    @Test func aFIFOIsNotWaitedForForEver() throws {
        try withFolder { folder throws in
            try Files.makeFIFO(folder.path("fifo"), mode: 0o600)
            let error = deliver("12", folder.path("fifo"), timeout: 30)
            #expect(
                error?.description.contains("no process has opened this FIFO for reading") == true, "\(error as Any)")
            #expect(folder.kind("fifo") == .fifo)
            let log = failure { () throws(SystemError) in
                _ = try Files.openForAppending(folder.path("fifo"), mode: 0o600)
            }
            #expect(log?.description.contains("no process has opened this FIFO") == true, "\(log as Any)")
        }
    }

    /// A FIFO that is full, and whose reader sleeps.
    @Test func aSlowReaderIsNotWaitedForForEver() throws {
        try withFolder { folder throws in
            try Files.makeFIFO(folder.path("fifo"), mode: 0o600)
            let reader = try Files.open(folder.path("fifo"), [.readOnly, .nonBlocking])
            let text = String(repeating: "x", count: 1 << 20)
            #expect(deliver(text, folder.path("fifo"), timeout: 30)?.code == .timedOut)
            _ = reader.number
        }
    }

    @Test(.needsDeviceNodes) func aDeviceStaysOne() throws {
        try withFolder { folder throws in
            let place = try folder.open()
            for (name, minor) in [("null", 3), ("full", 7)] as [(String, UInt32)] {
                try Files.makeNode(name, at: place, kind: .characterDevice, mode: 0o666, major: 1, minor: minor)
            }
            #expect(deliver("12", folder.path("null")) == nil)
            #expect(deliver("12", folder.path("full"))?.code == .noSpace)
            try folder.link("link", to: "full")
            #expect(deliver("12", folder.path("link"))?.code == .noSpace)
            #expect(folder.kind("null") == .characterDevice && folder.kind("full") == .characterDevice)
            #expect(folder.kind("link") == .symbolicLink)
        }
    }

    @Test func aDirectoryIsRefused() throws {
        try withFolder { folder throws in
            try folder.makeDirectory("folder")
            #expect(deliver("12", folder.path("folder"))?.code == .isDirectory)
            #expect(deliver("12", folder.path("no/pid"))?.code == .noEntry)
        }
    }
}
