import CLinux
import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct SocketDiagnosisTests {
    private static let local = IPAddress("127.0.0.1")

    @Test func aRequestIsTheKernelsStructure() {
        let body = InternetConnection.request(family: 2, port: 8080)
        #expect(body.count == 56)
        // ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LISTEN.
        #expect(body.prefix(10) == [2, 6, 0, 0, 0b0011_0010, 0b0000_0101, 0, 0, 0x1f, 0x90])
        #expect(body.dropFirst(10).allSatisfy { $0 == 0 })
        #expect(
            LocalConnection.request == [1, 0, 0, 0, 2, 4, 0, 0, 0, 0, 0, 0, 0x0b, 0, 0, 0]
                + [UInt8](repeating: 0xff, count: 8))
    }

    private static func answer(
        state: UInt8, port: UInt16 = 8080, address: [UInt8] = [127, 0, 0, 1], cookie: UInt64 = 0, inode: UInt32
    ) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(address.count == 4 ? AF_INET : AF_INET6), state, 0, 0]
        bytes.append(value: port.bigEndian)
        bytes += [0x12, 0x34] + address
        bytes += [UInt8](repeating: 0, count: 44 - bytes.count)
        bytes.append(value: cookie)
        bytes += [UInt8](repeating: 0, count: 16)
        bytes.append(value: inode)
        return bytes
    }

    @Test func anAnswerIsReadToItsLength() throws {
        let bytes = Self.answer(state: 10, cookie: 3, inode: 77)
        let one = try #require(InternetConnection(bytes))
        #expect(one.port == 8080 && one.address == [127, 0, 0, 1] && one.cookie == 3 && one.inode == 77)
        let six = [UInt8](repeating: 0, count: 15) + [1]
        #expect(InternetConnection(Self.answer(state: 1, address: six, inode: 1))?.address == six)
        for length in 0..<72 { #expect(InternetConnection(Array(bytes.prefix(length))) == nil) }
    }

    /// What is counted: open ones at the own address, and the queue of the own socket.
    @Test func onlyOpenConnectionsOfTheSocketCount() throws {
        let end = try Sockets.listen(.tcp, Self.local, port: 0)
        let facts = try SocketFacts(of: end.number)
        let (port, own) = (facts.port, UInt32(truncatingIfNeeded: facts.inode))
        var use = SocketUse()
        for answer in [
            Self.answer(state: 10, port: port, inode: own),
            Self.answer(state: 10, port: port, address: [0, 0, 0, 0], inode: own &+ 1),
            Self.answer(state: 1, port: port, inode: 5), Self.answer(state: 8, port: port, inode: 6),
            // Not accepted yet.
            Self.answer(state: 1, port: port, cookie: 11, inode: 0),
            Self.answer(state: 8, port: port, cookie: 12, inode: 0),
            // Closed by the program, of another address, of another port.
            Self.answer(state: 4, port: port, inode: 0),
            Self.answer(state: 1, port: port, address: [127, 0, 0, 2], inode: 7),
            Self.answer(state: 1, port: port &+ 1, inode: 8),
        ] { InternetConnection(answer)?.count(in: &use, of: facts) }
        #expect(use.isKnown && use.waiting == [11, 12] && use.open == 2)
    }

    /// A client that connects, is accepted, and goes.
    private func follow(_ listening: borrowing Descriptor, connect: () throws -> Descriptor) throws {
        func use() throws -> [Int] {
            let use = try SocketDiagnosis.use(of: listening.number)
            return use.isKnown ? [use.waiting.count, use.open] : []
        }
        #expect(try use() == [0, 0])
        do {
            let client = try connect()
            #expect(try use() == [1, 0])
            let accepted = try Sockets.accept(on: listening)
            #expect(try use() == [0, 1])
            _ = client.number
            _ = accepted.number
        }
        #expect(try use() == [0, 0])
    }

    private func connect(_ facts: SocketFacts) throws -> Descriptor {
        let end = Descriptor(raw: socket(facts.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var bytes: [UInt8] = []
        bytes.append(value: UInt16(facts.family))
        bytes.append(value: facts.port.bigEndian)
        if facts.family == AF_INET6 { bytes.append(value: UInt32(0)) }
        bytes += facts.address + [UInt8](repeating: 0, count: 8)
        let raw = Int(end.number)
        _ = try check("connect") { lend(bytes) { system(Int(SYS_connect), raw, $0, bytes.count) } }
        return end
    }

    @Test(arguments: ["127.0.0.1", "::1", nil] as [String?])
    func connectionsOfTCPAreSeen(host: String?) throws {
        let listening: Descriptor
        do throws(SystemError) {
            listening = try Sockets.listen(.tcp, host.flatMap { IPAddress($0) }, port: 0)
        } catch {
            guard host == "::1" else { throw error }
            print("skipped ::1: \(error)")
            return
        }
        let facts = try SocketFacts(of: listening.number)
        #expect(facts.isStream && facts.isListening)
        #expect(facts.isAt(host.flatMap { IPAddress($0) }, port: facts.port))
        #expect(!facts.isAt(IPAddress("127.0.0.9"), port: facts.port))
        try follow(listening) { try connect(facts) }
    }

    @Test func connectionsOfUnixSocketsAreSeen() throws {
        try withFolder { folder in
            let path = folder.path("s")
            let listening = try Sockets.listen(atPath: path, mode: 0o640)
            #expect(try Files.status(path).permissions == 0o640)
            let facts = try SocketFacts(of: listening.number)
            #expect(facts.isAt(path) && !facts.isAt(path + "x") && facts.isListening)
            try follow(listening) { try Sockets.connect(path) }
            let abstract = "@\(path)"
            let other = try Sockets.listen(atPath: abstract, mode: 0o666)
            #expect(try SocketFacts(of: other.number).isAt(abstract))
            try follow(other) { try Sockets.connect(abstract) }
        }
    }

    @Test func whoListensIsFoundOut() throws {
        try withFolder { folder in
            let path = folder.path("s")
            #expect(try !Sockets.hasListener(path))
            do {
                let listening = try Sockets.listen(atPath: path, mode: 0o600)
                #expect(try Sockets.hasListener(path))
                _ = listening.number
            }
            #expect(try !Sockets.hasListener(path))
            let datagrams = try Sockets.bindDatagram("d", at: folder.open(), mode: 0o600)
            #expect(try Sockets.hasListener(folder.path("d")))
            _ = datagrams.number
        }
    }

    @Test func aDatagramSocketIsNoStream() throws {
        let end = try Sockets.listen(.udp, Self.local, port: 0)
        let facts = try SocketFacts(of: end.number)
        #expect(!facts.isStream && !facts.isListening && facts.isAt(Self.local, port: facts.port))
        #expect(throws: SystemError.self) { _ = try Sockets.listen(.udp, Self.local, port: facts.port) }
    }

    @Test func aDescriptorKeepsTheNumberThatItIsMovedTo() throws {
        let one = try Files.open("/dev/null", .readOnly).duplicate(from: 300)
        #expect(one.number >= 300)
        let moved = try one.moved(to: 311)
        #expect(moved.number == 311 && InheritedDescriptors.kept(from: 311, count: 1).isEmpty)
        try InheritedDescriptors.copy(311, to: 313)
        #expect(InheritedDescriptors.open(from: 311, count: 3) == [311, 313])
        try InheritedDescriptors.close(from: 313, to: 313)
    }
}
