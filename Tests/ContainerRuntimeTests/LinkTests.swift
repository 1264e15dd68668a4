import Errors
import JSON
import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import ContainerRuntime

/// One message of every kind, and the odd ones.
private let messages: [Message] =
    [
        .spawned, .acknowledged, .prepared, .terminal, .ready, .recorded, .start, .listener, .mapIDs(mount: 300),
        .proceed(program: [], flags: 0),
        .proceed(program: [1, 2, 3, 4, 5, 6, 7, 8], flags: 6),
        .proceed(program: [UInt8](repeating: 9, count: 32768), flags: .max),
        .warning(""), .warning("a sentence"), .warning("\u{0}\n\u{1f600}"),
        .failed(StepFailure(.pivot, SystemError("", "", Errno(rawValue: 0)))),
        .failed(StepFailure(.program, .refused("exec: \"x\": not found"), exitStatus: 127)),
        .failed(StepFailure(.mounts, .failed("mounts[3]", "at /a b\u{e9}: mount", .busy), exitStatus: -1)),
    ] + Step.allCases.map { .failed(StepFailure($0, SystemError("call", "subject", .accessDenied))) }

@Suite struct MessageTests {
    @Test(arguments: messages)
    func aMessageComesBackAsItWas(message: Message) {
        #expect(Message(message.encode()) == message)
        #expect(message.encode().count <= Message.limit)
    }

    /// The packets of the protocol, byte for byte: both ends are one program, but a created container may wait for a
    /// newer one's `start`.
    @Test(
        arguments: [
            (.spawned, [1]), (.acknowledged, [2]), (.prepared, [3]),
            (.proceed(program: [7, 8], flags: 0x0102_0304), [4, 4, 3, 2, 1, 7, 8]), (.terminal, [5]),
            (.warning("hi"), [6, 2, 0, 0, 0, 104, 105]), (.ready, [7]), (.start, [8]), (.recorded, [10]),
            (.listener, [11]), (.mapIDs(mount: 300), [13, 44, 1, 0, 0]),
            (
                .failed(StepFailure(.sources, SystemError("a", "", Errno(rawValue: 2)), exitStatus: 126)),
                [9, 0, 126, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 97, 0, 0, 0, 0]
            ),
            (
                .failed(StepFailure(.sources, .refused("a"))),
                [9, 128, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 97, 0, 0, 0, 0]
            ),
        ] as [(Message, [UInt8])])
    func everyMessageHasItsBytes(message: Message, bytes: [UInt8]) {
        #expect(message.encode() == bytes)
    }

    /// Cut anywhere, a packet is none; only a program may be shorter than it was.
    @Test(arguments: messages.filter { $0.encode().count < 200 })
    func cutPacketsAreRefused(message: Message) {
        let bytes = message.encode()
        for length in 0..<bytes.count {
            let cut = Message(Array(bytes[..<length]))
            if case .proceed(let program, let flags) = message, length >= 5 {
                #expect(cut == .proceed(program: Array(program.prefix(length - 5)), flags: flags))
            } else {
                #expect(cut == nil, "\(length) of \(bytes.count) bytes")
            }
        }
    }

    @Test(arguments: messages.filter { if case .proceed = $0 { false } else { true } })
    func longerPacketsAreRefused(message: Message) {
        #expect(Message(message.encode() + [0]) == nil)
        #expect(Message(message.encode() + message.encode()) == nil)
    }

    @Test(
        arguments: [
            [], [0], [13], [11, 0], [12, 0], [255], [1, 1], [10, 0], [6], [6, 255, 255, 255, 255],
            [6, 255, 255, 255, 127, 65],
            [6, 2, 0, 0, 0, 65],
            [6, 1, 0, 0, 0, 65, 66], [4], [4, 1, 2, 3], [9], [9, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [9, 0, 1, 0, 0, 0, 2, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 65],
        ] as [[UInt8]])
    func garbageIsRefused(bytes: [UInt8]) {
        #expect(Message(bytes) == nil)
    }

    /// Bytes of a hostile process must not be able to end the runtime.
    @Test func randomBytesDoNotCrash() {
        var state: UInt64 = 88_172_645_463_325_252
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<(round % 40) {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.append(UInt8(truncatingIfNeeded: state))
            }
            if !bytes.isEmpty { bytes[0] %= 13 }
            if let message = Message(bytes), case .failed = message { #expect(Message(message.encode()) == message) }
        }
    }

    @Test func textThatIsNoUTF8IsRepaired() {
        #expect(Message([6, 2, 0, 0, 0, 0xff, 65]) == .warning("\u{fffd}A"))
    }

    /// A failure's words are cut before they do not fit; the link takes every packet.
    @Test func absurdlyLongTextIsCut() throws {
        let long = String(repeating: "x", count: 100_000)
        let failure = Message.failed(StepFailure(.mounts, SystemError(long, long, .busy)))
        #expect(failure.encode().count < Message.limit)
        let cut = String(repeating: "x", count: 8192)
        #expect(Message(failure.encode()) == .failed(StepFailure(.mounts, SystemError(cut, cut, .busy))))
        #expect(Message(Message.warning(long).encode()) == .warning(cut))
    }

    /// The kernel takes filters of up to 4096 instructions.
    @Test func theLongestFilterFits() {
        let program = [UInt8](repeating: 1, count: 4096 * 8)
        #expect(Message.proceed(program: program, flags: 1).encode().count <= Message.limit)
    }
}

/// Both ends of a link, the far one once more as a plain socket, for what is no message.
private struct Pair: ~Copyable {
    let near: Link
    let far: Link
    let raw: Descriptor

    static func make() throws(SystemError) -> Pair {
        let ends = try Sockets.packetPair { Ends(near: $0, far: $1) }
        let raw = try ends.far.duplicate()
        return ends.link(raw)
    }

    init(near: consuming Link, far: consuming Link, raw: consuming Descriptor) {
        self.near = near
        self.far = far
        self.raw = raw
    }
}

private struct Ends: ~Copyable {
    let near: Descriptor
    let far: Descriptor

    init(near: consuming Descriptor, far: consuming Descriptor) {
        self.near = near
        self.far = far
    }

    consuming func link(_ raw: consuming Descriptor) -> Pair { Pair(near: Link(near), far: Link(far), raw: raw) }
}

@Suite struct LinkTests {
    @Test(arguments: messages)
    func everyMessageIsCarried(message: Message) throws {
        let pair = try Pair.make()
        try pair.far.send(message)
        let received = try #require(try pair.near.receive()?.message)
        #expect(received == message)
    }

    @Test func packetsKeepTheirOrderAndTheirBorders() throws {
        let pair = try Pair.make()
        for message in [.prepared, .warning("one"), .warning("two"), .ready] as [Message] { try pair.far.send(message) }
        var received: [Message] = []
        for _ in 0..<4 { received.append(try #require(try pair.near.receive()?.message)) }
        #expect(received == [.prepared, .warning("one"), .warning("two"), .ready])
    }

    @Test func descriptorsAreCarried() throws {
        let pair = try Pair.make()
        let file = try Files.memoryFile("terminal")
        try pair.far.send(.terminal, descriptor: file)
        try pair.far.send(.ready)
        let inode = try Self.inode(pair.near)
        #expect(try inode == Files.status(of: file).inode)
        let none = try Self.inode(pair.near)
        #expect(none == nil)
    }

    /// Which file came with the next packet.
    private static func inode(_ link: borrowing Link) throws(SystemError) -> UInt64? {
        guard var received = try link.receive(), let descriptor = received.descriptor.take() else { return nil }
        return try Files.status(of: descriptor).inode
    }

    @Test(arguments: [[0], [1, 1], [6, 9, 0, 0, 0, 65], [9, 255]] as [[UInt8]])
    func aMalformedPacketEndsTheLink(bytes: [UInt8]) throws {
        let pair = try Pair.make()
        try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in try Sockets.send(buffer, on: pair.raw) }
        var words: String?
        do throws(SystemError) {
            _ = try pair.near.receive()
        } catch {
            words = error.description
        }
        #expect(words == "the container's process sent a packet that is none")
    }

    /// The kernel cuts a packet to what the receiver has room for: what is left of a filter must not be taken for one.
    @Test func aPacketThatWasCutIsRefused() throws {
        let pair = try Pair.make()
        try pair.far.send(.proceed(program: [UInt8](repeating: 1, count: Message.limit), flags: 0))
        var length: Int?
        do throws(SystemError) {
            if case .proceed(let program, _)? = try pair.near.receive()?.message { length = program.count }
        } catch {
            // Refused, as it should be.
        }
        #expect(length == nil)
    }

    /// The kernel reports an end that was closed with a packet unread before it hands out what that end had said.
    @Test func theLastMessageIsReadBehindAReset() throws {
        let ends = try Sockets.packetPair { Ends(near: $0, far: $1) }
        let failure = StepFailure(.terminal, .refused("a terminal needs a devpts mount"))
        let near = try ends.sayAndClose(
            [.warning("before"), .failed(failure)], unread: .proceed(program: [], flags: 0))
        let first = try #require(try near.receive()?.message)
        #expect(first == .warning("before"))
        #expect(near.lastFailure() == failure)
    }

    @Test func aPacketToAClosedLinkIsAnsweredByTheLastMessage() throws {
        let ends = try Sockets.packetPair { Ends(near: $0, far: $1) }
        let failure = StepFailure(.labels, .refused("AppArmor profile \"x\" is not loaded"))
        let near = try ends.sayAndClose([.failed(failure)], unread: nil)
        #expect(throws: failure) { try near.deliver(.proceed(program: [], flags: 0)) }
    }

    @Test func anEndWithoutALastMessageIsADeath() throws {
        let ends = try Sockets.packetPair { Ends(near: $0, far: $1) }
        let near = try ends.sayAndClose([.warning("only this")], unread: nil)
        #expect(throws: Conversation.ended) { try near.deliver(.start) }
    }

    @Test func askingForTheLastMessageDoesNotWait() throws {
        let pair = try Pair.make()
        #expect(pair.near.lastFailure() == nil)
    }

    @Test func theEndOfThePeerIsNoPacket() throws {
        let ends = try Sockets.packetPair { Ends(near: $0, far: $1) }
        let near = Link(ends.closeFar())
        let isOver = try near.receive() == nil
        #expect(isOver)
    }
}

extension Ends {
    /// Lets the far end speak and end, with or without a packet that it has not read.
    fileprivate consuming func sayAndClose(_ messages: [Message], unread: Message?) throws(SystemError) -> Link {
        let near = Link(self.near)
        let far = Link(self.far)
        if let unread { try near.send(unread) }
        for message in messages { try far.send(message) }
        try far.close()
        return near
    }

    /// Leaves only the near end.
    fileprivate consuming func closeFar() -> Descriptor { near }
}
