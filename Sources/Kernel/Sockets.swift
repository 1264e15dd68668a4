internal import CLinux
package import KernelTypes

/// What one receive brought.
package struct Packet: ~Copyable {
    package let bytes: [UInt8]
    package var descriptor: Descriptor?

    init(bytes: [UInt8], descriptor: consuming Descriptor?) {
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

    /// Sends bytes on a stream, in as many calls as it takes, the descriptor with the first.
    package static func sendAll(
        _ bytes: UnsafeRawBufferPointer, descriptor: borrowing Descriptor, on socket: borrowing Descriptor
    ) throws(SystemError) {
        let raw = socket.raw
        var passed = descriptor.raw
        var done = 0
        repeat {
            let (start, length, count) = (bytes.baseAddress.map { $0 + done }, bytes.count - done, done == 0 ? 1 : 0)
            done += try check("sendmsg") { clinux_send(raw, start, length, &passed, Int32(count), 0) }
        } while done < bytes.count
    }

    /// Sends bytes on a stream, in as many calls as it takes.
    package static func sendAll(_ bytes: [UInt8], on socket: borrowing Descriptor) throws(SystemError) {
        let raw = socket.raw
        var done = 0
        while done < bytes.count {
            done += try check("sendmsg") {
                bytes.withUnsafeBytes { clinux_send(raw, $0.baseAddress.map { $0 + done }, $0.count - done, nil, 0, 0) }
            }
        }
    }

    /// Ends a connect or send that waits longer than this with EAGAIN. socket(7), SO_SNDTIMEO.
    static func setSendTimeout(_ seconds: Int, of socket: borrowing Descriptor) throws(SystemError) {
        let raw = socket.raw
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        _ = try check("setsockopt") {
            setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Sends one packet, or none where there is no room for it now: EAGAIN.
    package static func sendPacket(
        _ bytes: ArraySlice<UInt8>, on socket: borrowing Descriptor
    ) throws(SystemError) {
        let raw = socket.raw
        _ = try check("sendmsg") {
            bytes.withUnsafeBytes { clinux_send(raw, $0.baseAddress, $0.count, nil, 0, Int32(MSG_DONTWAIT)) }
        }
    }

    /// Sends a descriptor alone, or nothing where there is no room for it now: EAGAIN.
    package static func sendPacket(
        descriptor: borrowing Descriptor, on socket: borrowing Descriptor
    ) throws(SystemError) {
        let raw = socket.raw
        var passed = descriptor.raw
        _ = try check("sendmsg") { clinux_send(raw, nil, 0, &passed, 1, Int32(MSG_DONTWAIT)) }
    }

    /// How many bytes may wait to be received by the other end. socket(7), SO_SNDBUF.
    package static func setSendRoom(_ bytes: Int32, of socket: borrowing Descriptor) throws(SystemError) {
        let raw = socket.raw
        var value = bytes
        _ = try check("setsockopt") {
            setsockopt(raw, SOL_SOCKET, SO_SNDBUF, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Receives one packet; an empty one means that the other end is closed.
    /// - Parameter waits: false: where there is none yet, the call fails with EAGAIN.
    package static func receive(
        on socket: borrowing Descriptor, limit: Int, waits: Bool = true
    ) throws(SystemError) -> Packet {
        let raw = socket.raw
        let flags = waits ? 0 : Int32(MSG_DONTWAIT)
        // Asked for its length first: room for the longest would be ten pages of a container's memory, whose limit may
        // be few more.
        let expected = try check("recv") { recv(raw, nil, 0, flags | Int32(MSG_PEEK) | Int32(MSG_TRUNC)) }
        let room = min(max(expected, 1), limit)
        var bytes = [UInt8](repeating: 0, count: room)
        var passed: Int32 = -1
        var count: Int32 = 0
        let length = try check("recvmsg") { clinux_receive(raw, &bytes, room, &passed, 1, &count, flags) }
        bytes.removeSubrange(length...)
        return Packet(bytes: bytes, descriptor: count > 0 ? Descriptor(raw: passed) : nil)
    }

    /// Receives what is there of a stream, or what comes next; nothing means that the other end is closed. A stream
    /// has no packets whose length could be asked for first.
    package static func receiveBytes(on socket: borrowing Descriptor, limit: Int) throws(SystemError) -> [UInt8] {
        let raw = socket.raw
        var bytes = [UInt8](repeating: 0, count: limit)
        let length = try check("recv") { recv(raw, &bytes, limit, 0) }
        bytes.removeSubrange(length...)
        return bytes
    }

    /// Connects to a listening stream socket. Paths longer than sun_path are reached through a descriptor of their
    /// folder.
    /// - Parameters:
    ///   - kind: connects to a socket of another kind instead, such as a log's.
    ///   - timeout: seconds to wait for a listener whose queue is full, and for sending; for ever where absent.
    package static func connect(
        _ path: String, _ kind: SocketKind = .stream, timeout: Int? = nil
    ) throws(SystemError) -> Descriptor {
        let end = try make(kind)
        if let timeout { try setSendTimeout(timeout, of: end) }
        let raw = end.raw
        if path.utf8.count < addressRoom {
            var (address, length) = unixAddress(path)
            _ = try check("connect", path) { lend(&address) { system(Int(SYS_connect), Int(raw), $0, length) } }
        } else {
            let handle = try Files.open(path, .path)
            var (address, length) = unixAddress(handle.path)
            _ = try check("connect", path) { lend(&address) { system(Int(SYS_connect), Int(raw), $0, length) } }
        }
        return end
    }

    static func make(_ kind: SocketKind) throws(SystemError) -> Descriptor {
        Descriptor(raw: try check("socket") { socket(AF_UNIX, kind.rawValue | Int32(SOCK_CLOEXEC.rawValue), 0) })
    }

    /// Listens at a new name in a folder, for this user only. Accepting does not wait.
    /// - Parameters:
    ///   - most: how many callers wait for being accepted.
    ///   - replaces: whether an older file of the name makes room.
    package static func listen(
        _ name: String, in folder: String, _ kind: SocketKind = .packets, most: Int32 = 1, replaces: Bool = false
    ) throws(SystemError) -> Descriptor {
        let end = try make(kind)
        let raw = end.raw
        // The mode that the file will have, unix(7).
        try Files.changeMode(of: end, mode: 0o600)
        try Files.setNonBlocking(end)
        let directory = try Files.open(folder, [.path, .directory])
        if replaces { try remove(name, at: directory) }
        var (address, length) = unixAddress("\(directory.path)/\(name)")
        _ = try check("bind", "\(folder)/\(name)") { lend(&address) { system(Int(SYS_bind), Int(raw), $0, length) } }
        _ = try check("listen", "\(folder)/\(name)") { CLinux.listen(raw, most) }
        return end
    }

    private static func remove(_ name: String, at directory: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.remove(name, at: directory)
        } catch {
            if error.code != .noEntry { throw error }
        }
    }

    /// The next connection that waits at a listening socket; EAGAIN when there is none.
    package static func accept(on listening: borrowing Descriptor) throws(SystemError) -> Descriptor {
        let raw = listening.raw
        return Descriptor(raw: try check("accept") { clinux_accept(raw) })
    }

    private static var addressRoom: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) }

    /// The address of a path, or of an abstract name, which is written with `@` in front; unix(7).
    static func unixAddress(_ path: String) -> (address: sockaddr_un, length: Int) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes.prefix($0.count)) }
        let family = MemoryLayout<sa_family_t>.size
        // Of an abstract name every byte counts, also the NULs behind it.
        return (address, isAbstract ? family + bytes.count : MemoryLayout<sockaddr_un>.size)
    }

    /// A datagram socket at a name in a directory, where an older one makes room. A process that may write to the file
    /// may send.
    /// - Parameter mode: of the file.
    package static func bindDatagram(
        _ name: String, at directory: borrowing Descriptor, mode: UInt32
    ) throws(SystemError) -> Descriptor {
        let end = try make(.datagram)
        // The mode that the file is made with, unix(7): changed afterwards, by its name, it could be that of another
        // file.
        try Files.changeMode(of: end, mode: mode)
        let mask = Files.setCreationMask(0)
        defer { Files.setCreationMask(mask) }
        try Files.setNonBlocking(end)
        do throws(SystemError) {
            try Files.remove(name, at: directory)
        } catch {
            if error.code != .noEntry { throw error }
        }
        let raw = end.raw
        // By the directory's descriptor: its path may be longer than an address.
        var (address, length) = unixAddress("\(directory.path)/\(name)")
        _ = try check("bind", name) { lend(&address) { system(Int(SYS_bind), Int(raw), $0, length) } }
        return end
    }

    /// The next packet of a socket that does not wait; nil when there is none. One that is longer than the limit is
    /// lost.
    package static func receiveAvailable(
        on socket: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> Packet? {
        do throws(SystemError) {
            return try receive(on: socket, limit: limit)
        } catch {
            if error.code == .tryAgain { return nil }
            if error.code.rawValue == EMSGSIZE { return Packet(bytes: [], descriptor: nil) }
            throw error
        }
    }

    /// Makes a pipe, lends its writing end, closes that, and returns the reading end: its hang-up means that no process
    /// has the other any more.
    package static func pipeWithEnd(
        _ body: (borrowing Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) -> Descriptor {
        var ends: [Int32] = [-1, -1]
        _ = try check("pipe") { pipe2(&ends, O_CLOEXEC) }
        let reading = Descriptor(raw: ends[0])
        let writing = Descriptor(raw: ends[1])
        try body(writing)
        return reading
    }
}

/// What a socket keeps of what is sent: bytes in a row, packets of a connection, or packets by themselves.
package enum SocketKind: Sendable {
    case stream, packets, datagram

    fileprivate var rawValue: Int32 {
        switch self {
        case .stream: Int32(SOCK_STREAM.rawValue)
        case .packets: Int32(SOCK_SEQPACKET.rawValue)
        case .datagram: Int32(SOCK_DGRAM.rawValue)
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
