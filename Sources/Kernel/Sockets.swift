internal import CLinux

/// What one receive brought.
package struct Packet: ~Copyable {
    package let bytes: [UInt8]
    package var descriptor: Descriptor?

    package init(bytes: [UInt8], descriptor: consuming Descriptor?) {
        self.bytes = bytes
        self.descriptor = descriptor
    }
}

/// Unix-domain sockets and packets with descriptors.
package enum Sockets {
    /// Two connected ends that keep packets apart. socketpair(2), SOCK_SEQPACKET.
    /// - Parameter make: makes something of the two ends.
    package static func packetPair<Result: ~Copyable>(
        _ make: (consuming Descriptor, consuming Descriptor) -> Result
    ) throws(SystemError) -> Result {
        var ends: [Int32] = [-1, -1]
        _ = try check("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        return make(Descriptor(raw: ends[0]), Descriptor(raw: ends[1]))
    }

    /// Sends one packet.
    package static func send(_ bytes: UnsafeRawBufferPointer, on socket: borrowing Descriptor) throws(SystemError) {
        let raw = socket.raw
        _ = try check("sendmsg") { clinux_send(raw, bytes.baseAddress, bytes.count, nil, 0, 0) }
    }

    /// Sends one packet with a descriptor.
    package static func send(
        _ bytes: UnsafeRawBufferPointer, descriptor: borrowing Descriptor, on socket: borrowing Descriptor
    ) throws(SystemError) {
        let raw = socket.raw
        var passed = descriptor.raw
        _ = try check("sendmsg") { clinux_send(raw, bytes.baseAddress, bytes.count, &passed, 1, 0) }
    }

    /// Receives one packet; an empty one means that the other end is closed.
    package static func receive(
        on socket: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> Packet {
        let raw = socket.raw
        var bytes = [UInt8](repeating: 0, count: limit)
        var passed: Int32 = -1
        var count: Int32 = 0
        let length = try check("recvmsg") { clinux_receive(raw, &bytes, limit, &passed, 1, &count, 0) }
        bytes.removeSubrange(length...)
        return Packet(bytes: bytes, descriptor: count > 0 ? Descriptor(raw: passed) : nil)
    }

    /// Connects to a listening stream socket. Paths longer than sun_path are reached through a descriptor of their folder.
    /// - Parameter datagram: connects to a datagram socket instead, such as a log's.
    package static func connect(_ path: String, datagram: Bool = false) throws(SystemError) -> Descriptor {
        let kind = Int32((datagram ? SOCK_DGRAM : SOCK_STREAM).rawValue | SOCK_CLOEXEC.rawValue)
        let end = Descriptor(raw: try check("socket") { socket(AF_UNIX, kind, 0) })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        if path.utf8.count < room {
            try connect(end, &address, path, subject: path)
        } else {
            let handle = try Files.open(path, .path)
            try connect(end, &address, handle.path, subject: path)
        }
        return end
    }

    private static func connect(
        _ end: borrowing Descriptor, _ address: inout sockaddr_un, _ path: String, subject: String
    ) throws(SystemError) {
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let raw = end.raw
        _ = try check("connect", subject) {
            clinux_connect_unix(raw, &address)
        }
    }
}

/// What a descriptor is ready for.
package struct PollEvents: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    package static let readable = PollEvents(rawValue: Int16(POLLIN))
    package static let writable = PollEvents(rawValue: Int16(POLLOUT))
    package static let priority = PollEvents(rawValue: Int16(POLLPRI))
    package static let hungUp = PollEvents(rawValue: Int16(POLLHUP))
    package static let failed = PollEvents(rawValue: Int16(POLLERR))
}

package enum Polling {
    /// Waits until one of the descriptors is ready.
    /// - Parameter timeout: milliseconds; negative waits for ever.
    /// - Returns: what each is ready for, empty where it is not; all empty after the time-out.
    package static func wait(
        _ waiting: [(number: Int32, events: PollEvents)], timeout: Int32 = -1
    ) throws(SystemError) -> [PollEvents] {
        var entries = waiting.map { pollfd(fd: $0.number, events: $0.events.rawValue, revents: 0) }
        _ = try check("poll") { poll(&entries, nfds_t(entries.count), timeout) }
        return entries.map { PollEvents(rawValue: $0.revents) }
    }
}
