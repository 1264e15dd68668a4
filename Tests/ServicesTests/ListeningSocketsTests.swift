import Errors
import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import Planning
@testable import Services

/// One after the other: descriptors have numbers that the whole process shares. They are far from those of others.
@Suite(.serialized) struct ListeningSocketsTests {
    private func addresses(_ texts: String...) throws -> [ListenAddress] {
        try texts.map { try #require(ListenAddress($0, folder: "/")) }
    }

    private func caller(activation: Int = 400, inherited: [Int32] = []) -> Caller {
        var caller = Caller()
        caller.activationDescriptors = activation
        caller.inherited = inherited
        return caller
    }

    private func reason(_ body: () throws(RuntimeError) -> Void) -> String {
        do throws(RuntimeError) {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    /// A port that was free a moment ago.
    private func freePort() throws -> UInt16 {
        let end = try Sockets.listen(.tcp, IPAddress("127.0.0.1"), port: 0)
        return try SocketFacts(of: end.number).port
    }

    @Test func socketsFollowThoseOfTheServiceManagerAndPrecedeWhatIsPreserved() throws {
        try withFolder { folder in
            let given = try Files.open("/dev/null", .readOnly).moved(to: 402)
            let preserved = try Files.open("/dev/zero", .readOnly).moved(to: 404)
            var caller = caller(inherited: [402, 404])
            caller.preservedDescriptors = 2
            let port = try freePort()
            var sockets = try ListeningSockets(
                reserving: addresses("web=tcp:127.0.0.1:\(port)", "unix:\(folder.path("s"))"), caller: &caller)
            #expect(InheritedDescriptors.open(from: 402, count: 6) == [402, 403, 404, 406])
            try sockets.open()
            #expect(caller.activationDescriptors == 402 && caller.inherited == [402, 403, 404, 406])
            #expect(caller.activationNames?.hasSuffix("unknown:web:unknown") == true)
            #expect(sockets.numbers == [402, 403, 404])
            #expect(try SocketFacts(of: 403).port == port)
            #expect(try SocketFacts(of: 404).isAt(folder.path("s")))
            #expect(try Files.status(ofNumber: 406).deviceMinor == 5)
            // Only the payload's init lets them through an execve.
            #expect(InheritedDescriptors.kept(from: 402, count: 5).isEmpty)
            sockets.close()
            #expect(!folder.has("s"))
            _ = given.number
            _ = preserved.number
            try InheritedDescriptors.close(from: 406, keeping: [])
        }
    }

    @Test func whatWaitsIsCounted() throws {
        try withFolder { folder in
            var caller = caller()
            var sockets = try ListeningSockets(reserving: addresses("unix:\(folder.path("s"))"), caller: &caller)
            try sockets.open()
            #expect(sockets.waiting.isEmpty)
            let one = try Sockets.connect(folder.path("s"))
            let two = try Sockets.connect(folder.path("s"))
            #expect(Set(sockets.waiting).count == 2)
            _ = one.number
            _ = two.number
            sockets.close()
        }
    }

    @Test func aStaleFileMakesRoomAndALivingOneDoesNot() throws {
        try withFolder { folder in
            let path = folder.path("below/s")
            let wanted = try addresses("unix:\(path)")
            func open() -> String {
                var caller = caller()
                return reason { () throws(RuntimeError) in
                    var sockets = try ListeningSockets(reserving: wanted, caller: &caller)
                    try sockets.open()
                    sockets.close()
                }
            }
            #expect(open() == "" && !folder.has("below/s"))
            do {
                let listening = try Sockets.listen(atPath: path, mode: 0o600)
                #expect(open().hasSuffix("unix:\(path): another program listens there; end it, or choose another path"))
                _ = listening.number
            }
            #expect(folder.has("below/s"))
            #expect(open() == "")
            try folder.write("below/s", "precious")
            #expect(open().contains("is there and is no socket"))
            #expect(try folder.text("below/s") == "precious")
        }
    }

    /// The name may be another's by the time.
    @Test func onlyTheOwnFileIsRemoved() throws {
        try withFolder { folder in
            let path = folder.path("s")
            var caller = caller()
            var sockets = try ListeningSockets(reserving: addresses("unix:\(path)"), caller: &caller)
            try sockets.open()
            try Files.remove(path)
            let other = try Sockets.listen(atPath: path, mode: 0o600)
            sockets.close()
            #expect(try Sockets.hasListener(path))
            _ = other.number
        }
    }

    @Test func aPortInUseIsSaid() throws {
        let end = try Sockets.listen(.tcp, IPAddress("127.0.0.1"), port: 0)
        let port = try SocketFacts(of: end.number).port
        var caller = caller()
        let said = reason { () throws(RuntimeError) in
            guard let wanted = try? addresses("tcp:127.0.0.1:\(port)") else { return }
            var sockets = try ListeningSockets(reserving: wanted, caller: &caller)
            try sockets.open()
        }
        #expect(
            said == "listen at tcp:127.0.0.1:\(port): address already in use; ss -ltnp names the program that has it")
    }

    /// `[::]` would take version 4 as well, where the host's settings say so.
    @Test func bothVersionsOfAnyAddressAreForThemselves() throws {
        let port = try freePort()
        var caller = caller()
        guard (try? Sockets.listen(.tcp, IPAddress("::1"), port: 0)) != nil else { return print("skipped: no IPv6") }
        var sockets = try ListeningSockets(
            reserving: addresses("tcp:0.0.0.0:\(port)", "tcp:[::]:\(port)"), caller: &caller)
        try sockets.open()
        #expect(sockets.numbers.count == 2)
        sockets.close()
    }

    /// As from a payload whose supervisor was killed: here this process is both.
    @Test func socketsOfAProcessAreTakenOver() throws {
        let end = try Sockets.listen(.tcp, IPAddress("127.0.0.1"), port: 0)
        let facts = try SocketFacts(of: end.number)
        let left = LeftSockets([Processes.currentID])
        let wanted = try addresses("tcp:127.0.0.1:\(facts.port)", "udp:127.0.0.1:\(facts.port)")
        switch left.take(wanted[0]) {
        case .some(let copy): #expect(try SocketFacts(of: copy.number) == facts)
        case .none: Issue.record("it is not found")
        }
        if case .some = left.take(wanted[1]) { Issue.record("it is another") }
    }
}
