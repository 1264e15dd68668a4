import CLinux
import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct DescriptorTests {
    @Test func anOwnerClosesAtItsEnd() throws {
        var ends = try Ends.make()
        let before = try isHungUp(ends.far)
        #expect(!before)
        ends.near = nil
        let after = try isHungUp(ends.far, within: 5000)
        #expect(after)
    }

    @Test func closingReportsItsResult() throws {
        var ends = try Ends.make()
        let near = try ends.takeNear()
        try near.close()
        let closed = try isHungUp(ends.far, within: 5000)
        #expect(closed)
    }

    @Test func aCopyOutlivesTheFirst() throws {
        var ends = try Ends.make()
        let near = try ends.takeNear()
        let copy = try near.duplicate()
        #expect(copy.number != near.number)
        #expect(copy.number >= 3)
        try near.close()
        let early = try isHungUp(ends.far)
        #expect(!early)
        try copy.close()
        let late = try isHungUp(ends.far, within: 5000)
        #expect(late)
    }

    @Test func descriptorsDoNotSurviveExec() throws {
        let file = try Files.memoryFile("x")
        let pair = try Ends.make()
        let opened = try Files.open("/dev/null", .readOnly)
        let copy = try opened.duplicate()
        for number in [file.number, pair.far.number, opened.number, copy.number] {
            let flags = try Files.readText("/proc/self/fdinfo/\(number)").split(separator: "\n")
            let line = try #require(flags.first { $0.hasPrefix("flags:") })
            let value = try #require(UInt32(line.split(separator: "\t")[1], radix: 8))
            #expect(value & 0o2000000 != 0, "descriptor \(number)")
        }
        extendLifetime(file)
        extendLifetime(pair.far)
        extendLifetime(opened)
        extendLifetime(copy)
    }

    @Test func aTableOwnsWhatIsPutIn() throws {
        var first = try Ends.make()
        var second = try Ends.make()
        do {
            var table = DescriptorTable()
            table.append(try first.takeNear())
            table.appendNothing()
            table.append(try second.takeNear())
            #expect(table.count == 3)
            #expect((0..<3).map { table.has($0) } == [true, false, true])
            let early = [try isHungUp(first.far), try isHungUp(second.far)]
            #expect(early == [false, false])
            extendLifetime(table)
        }
        let late = [try isHungUp(first.far, within: 5000), try isHungUp(second.far, within: 5000)]
        #expect(late == [true, true])
    }

    @Test func aTableLendsWithoutGivingAway() throws {
        var ends = try Ends.make()
        var table = DescriptorTable()
        table.append(try ends.takeNear())
        for _ in 0..<2 {
            let kind = try table.with(0) { lent throws(SystemError) in try Files.status(of: lent).kind }
            #expect(kind == .socket)
        }
        // A body that fails must not cost the descriptor either.
        let error = failure { () throws(SystemError) in
            try table.with(0) { _ throws(SystemError) in throw SystemError("x", "", .busy) }
        }
        #expect(error?.code == .busy)
        let has = table.has(0)
        #expect(has)
        let closed = try isHungUp(ends.far)
        #expect(!closed)
        extendLifetime(table)
    }

    @Test func anEmptyPlaceLendsNothing() {
        var table = DescriptorTable()
        table.appendNothing()
        let error = failure { () throws(SystemError) in try table.with(0) { _ throws(SystemError) in } }
        #expect(error?.code == .badDescriptor)
    }

    @Test func whatIsTakenOutBelongsToTheTaker() throws {
        var ends = try Ends.make()
        var table = DescriptorTable()
        table.append(try ends.takeNear())
        var taken = table.take(0)
        #expect(table.count == 1)
        let isLeft = table.has(0)
        #expect(!isLeft)
        let isThere = taken != nil
        #expect(isThere)
        let second = table.take(0) == nil
        #expect(second)
        table.removeAll(but: 0)
        let early = try isHungUp(ends.far)
        #expect(!early)
        taken = nil
        let late = try isHungUp(ends.far, within: 5000)
        #expect(late)
    }

    @Test func aTableIsCutFromTheEnd() throws {
        var first = try Ends.make()
        var second = try Ends.make()
        var table = DescriptorTable()
        table.append(try first.takeNear())
        table.append(try second.takeNear())
        table.removeAll(but: 1)
        #expect(table.count == 1)
        let state = [try isHungUp(second.far, within: 5000), try isHungUp(first.far)]
        #expect(state == [true, false])
        table.removeLast()
        table.removeLast()
        #expect(table.count == 0)
        let last = try isHungUp(first.far, within: 5000)
        #expect(last)
    }

    @Test func packetsKeepTheirBordersAndTheirDescriptors() throws {
        var ends = try Ends.make()
        let near = try ends.takeNear()
        let file = try Files.memoryFile("passed")
        let inode = try Files.status(of: file).inode
        for text in ["first", "second"] {
            try Array(text.utf8).withUnsafeBufferPointer { bytes throws(SystemError) in
                try Sockets.send(UnsafeRawBufferPointer(bytes), descriptor: file, on: near)
            }
        }
        for text in ["first", "second"] {
            var packet = try Sockets.receive(on: ends.far, limit: 100)
            #expect(packet.bytes == Array(text.utf8))
            let passed = try unwrap(packet.descriptor.take())
            let received = try Files.status(of: passed).inode
            #expect(received == inode)
        }
        try near.close()
        let end = try Sockets.receive(on: ends.far, limit: 100)
        #expect(end.bytes == [])
    }

    /// systemd says much on its own socket: byte by byte, a runtime on a busy host falls behind until it gives up.
    @Test func aStreamIsReceivedInPiecesAsLargeAsThereAre() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let near = Descriptor(raw: ends[0])
        let far = Descriptor(raw: ends[1])
        let sent = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        try Sockets.sendAll(sent, on: near)
        let first = try Sockets.receiveBytes(on: far, limit: 600)
        let second = try Sockets.receiveBytes(on: far, limit: 600)
        #expect(first == Array(sent[..<600]) && second == Array(sent[600...]))
        try near.close()
        let end = try Sockets.receiveBytes(on: far, limit: 600)
        #expect(end == [])
    }

    @Test func aClosedPeerIsABrokenPipeAndNoSignal() throws {
        var ends = try Ends.make()
        ends.near = nil
        _ = try isHungUp(ends.far, within: 5000)
        let far = ends.far
        let error = failure { () throws(SystemError) in
            try [UInt8](repeating: 1, count: 1).withUnsafeBufferPointer { bytes throws(SystemError) in
                try Sockets.send(UnsafeRawBufferPointer(bytes), on: far)
            }
        }
        #expect(error?.code == .brokenPipe)
    }
}
