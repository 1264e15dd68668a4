internal import CLinux
package import KernelTypes

/// What is going on at a listening socket.
package struct SocketUse: Sendable, Equatable {
    /// Connections that wait to be accepted, each by a number that no other has as long as it is there.
    package var waiting: [UInt64] = []
    /// Connections that it has accepted and that a program still has open.
    package var open = 0
    /// Whether the kernel has shown the socket itself. Where it has not, the socket belongs to another network
    /// namespace, and nothing is known about it.
    package var isKnown = false

    package init() {}
}

/// Asks the kernel for the connections of listening sockets; sock_diag(7).
///
/// They are looked for in the network namespace of this process: a connection belongs to that of its listening socket,
/// wherever the program is that has accepted it.
package enum SocketDiagnosis {
    /// - Parameter number: a listening stream socket of this process.
    /// - Throws: ENOENT where the kernel has no such thing (tcp_diag, unix_diag).
    package static func use(of number: Int32) throws(SystemError) -> SocketUse {
        let socket = try SocketFacts(of: number)
        let netlink = try NetlinkSocket(family: 4)  // NETLINK_SOCK_DIAG
        return socket.family == AF_UNIX ? try local(socket, netlink) : try internet(socket, netlink)
    }

    /// SOCK_DIAG_BY_FAMILY.
    private static let byFamily = 20
    /// Much less than the kernel would fill: this process lives long, and stays small.
    private static let room = 16 << 10

    private static func internet(
        _ socket: SocketFacts, _ netlink: borrowing NetlinkSocket
    ) throws(SystemError) -> SocketUse {
        var use = SocketUse()
        let body = InternetConnection.request(family: UInt8(socket.family), port: socket.port)
        try netlink.request(byFamily, dump: true, body: body, "list connections of", socket.text, room: room) {
            if let connection = InternetConnection($0.content) { connection.count(in: &use, of: socket) }
        }
        return use
    }

    /// Connections have the name of the socket that has accepted them, and the file of it: other mount namespaces may
    /// have the same name.
    private static func local(
        _ socket: SocketFacts, _ netlink: borrowing NetlinkSocket
    ) throws(SystemError) -> SocketUse {
        var own: LocalConnection?
        var connections: [LocalConnection] = []
        try netlink.request(
            byFamily, dump: true, body: LocalConnection.request, "list connections of", socket.text, room: room
        ) {
            guard let connection = LocalConnection($0) else { return }
            if connection.inode == socket.inode { own = connection }
            if connection.hasName(socket.name) { connections.append(connection) }
        }
        var use = SocketUse()
        guard let own else { return use }
        for connection in connections { connection.count(in: &use, of: own) }
        return use
    }
}

/// A listening socket as its owner sees it.
package struct SocketFacts: Sendable, Equatable {
    package let family: Int32
    /// SOCK_STREAM and others.
    let type: Int32
    /// Whether it waits for connections; the others, for datagrams or for nothing.
    package let isListening: Bool
    /// In the order of the network; empty for a Unix socket.
    let address: [UInt8]
    package let port: UInt16
    /// Of a Unix socket, as the kernel has it: a path without its NUL, or a NUL with an abstract name.
    let name: [UInt8]
    let inode: UInt64

    package var isStream: Bool { type == Int32(SOCK_STREAM.rawValue) || type == Int32(SOCK_SEQPACKET.rawValue) }

    /// Whether it was bound to an address and a port; nil for any address.
    package func isAt(_ host: IPAddress?, port: UInt16) -> Bool {
        guard port == self.port, !address.isEmpty else { return false }
        guard let host else { return address.allSatisfy { $0 == 0 } }
        return address == host.bytes
    }

    /// Whether it was bound to a path, or to a name that is written with `@` in front.
    package func isAt(_ path: String) -> Bool {
        guard family == AF_UNIX else { return false }
        return path.begins(with: "@") ? name == [0] + path.utf8.dropFirst() : name.elementsEqual(path.utf8)
    }

    package init(of number: Int32) throws(SystemError) {
        type = try Self.option(SO_TYPE, of: number)
        family = try Self.option(SO_DOMAIN, of: number)
        isListening = try Self.option(SO_ACCEPTCONN, of: number) != 0
        inode = try Files.status(ofNumber: number).inode
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
        var length = socklen_t(bytes.count)
        let size = length
        _ = try check("getsockname", "\(number)") {
            lend(writable: &bytes) { place in
                lend(writable: &length) { system(Int(SYS_getsockname), Int(number), place, $0) }
            }
        }
        bytes.removeSubrange(Int(min(length, size))...)
        (address, port) = Self.internet(bytes[...], family)
        name = family == AF_UNIX ? Self.local(bytes[...]) : []
    }

    /// sockaddr_in: family, port, address; sockaddr_in6: family, port, flow, address.
    private static func internet(_ bytes: ArraySlice<UInt8>, _ family: Int32) -> ([UInt8], UInt16) {
        let (offset, length) = family == AF_INET ? (4, 4) : (8, 16)
        guard family == AF_INET || family == AF_INET6, bytes.count >= offset + length else { return ([], 0) }
        return (
            Array(bytes.dropFirst(offset).prefix(length)), UInt16(bigEndian: bytes.value(at: 2, as: UInt16.self))
        )
    }

    private static func local(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let name = bytes.dropFirst(2)
        return name.first == 0 ? Array(name) : Array(name.prefix { $0 != 0 })
    }

    private static func option(_ option: Int32, of number: Int32) throws(SystemError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try check("getsockopt", "\(number)") { getsockopt(number, SOL_SOCKET, option, &value, &length) }
        return value
    }

    /// For a message.
    var text: String {
        if family != AF_UNIX { return "port \(port)" }
        let isAbstract = name.first == 0
        return (isAbstract ? "@" : "") + String(decoding: name.drop { $0 == 0 }, as: UTF8.self)
    }
}

/// One TCP socket of a network namespace; struct inet_diag_msg of linux/inet_diag.h.
struct InternetConnection: Equatable {
    let state: UInt8
    /// Its own address, 4 or 16 bytes.
    let address: [UInt8]
    let port: UInt16
    /// The kernel's own number of it.
    let cookie: UInt64
    /// 0 where no program has it open: not accepted yet, or closed already.
    let inode: UInt32

    // tcp_states.h.
    static let established: UInt8 = 1
    static let finished: [UInt8] = [4, 5]
    static let halfClosed: UInt8 = 8
    static let listening: UInt8 = 10

    /// Asks for those that have a local port: struct inet_diag_req_v2.
    static func request(family: UInt8, port: UInt16) -> [UInt8] {
        let states = ([established, halfClosed, listening] + finished).reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
        var body: [UInt8] = [family, UInt8(IPPROTO_TCP), 0, 0]
        body.append(value: states)
        body.append(value: port.bigEndian)
        // The other port, both addresses, interface and cookie: any.
        body += [UInt8](repeating: 0, count: 2 + 32 + 4 + 8)
        return body
    }

    /// Family, state, timer, retransmissions; ports, both addresses of 16 bytes, interface, cookie; expiry, two queues,
    /// user, inode.
    init?(_ content: [UInt8]) {
        guard content.count >= 72 else { return nil }
        state = content[1]
        port = UInt16(bigEndian: content[...].value(at: 4, as: UInt16.self))
        address = Array(content[8..<(content[0] == UInt8(AF_INET) ? 12 : 24)])
        cookie = content[...].value(at: 44, as: UInt64.self)
        inode = content[...].value(at: 68, as: UInt32.self)
    }

    /// Counts this one where it belongs to a listening socket.
    func count(in use: inout SocketUse, of socket: SocketFacts) {
        guard port == socket.port else { return }
        if state == Self.listening {
            guard UInt64(inode) == socket.inode else { return }
            use.isKnown = true
            return
        }
        guard socket.address.allSatisfy({ $0 == 0 }) || address == socket.address else { return }
        if inode != 0 {
            use.open += 1
        } else if !Self.finished.contains(state) {
            use.waiting.append(cookie)
        }
        // The kernel closes by itself what no program has open any more.
    }
}

/// One Unix socket of a network namespace; struct unix_diag_msg of linux/unix_diag.h.
struct LocalConnection: Equatable {
    let isListening: Bool
    let inode: UInt64
    let name: [UInt8]
    /// The file that it is bound to, as the kernel counts; empty without one.
    let file: [UInt8]
    /// Of a listening one, the inodes of those who wait at the other end.
    let queue: [UInt64]

    /// Asks for those that listen and those that are connected, with name, file and queue: struct unix_diag_req.
    static var request: [UInt8] {
        var body: [UInt8] = [UInt8(AF_UNIX), 0, 0, 0]
        body.append(
            value: UInt32(1) << UInt32(InternetConnection.established) | 1 << UInt32(InternetConnection.listening))
        body.append(value: UInt32(0))
        body.append(value: UInt32(0x1 | 0x2 | 0x8))
        body.append(value: UInt64.max)
        return body
    }

    /// Family, type, state, a byte of nothing, inode, cookie; then attributes.
    init?(_ message: NetlinkMessage) {
        let content = message.content
        guard content.count >= 16 else { return nil }
        isListening = content[2] == InternetConnection.listening
        inode = UInt64(content[...].value(at: 4, as: UInt32.self))
        let attributes = message.attributes(after: 16)
        func value(_ type: UInt16) -> [UInt8] {
            for attribute in attributes where attribute.type == type { return attribute.value }
            return []
        }
        name = value(0)
        file = value(1)
        let waiting = value(3)
        queue = stride(from: 0, to: waiting.count & ~3, by: 4).map {
            UInt64(waiting[...].value(at: $0, as: UInt32.self))
        }
    }

    /// Paths come with their NUL or without it.
    func hasName(_ other: [UInt8]) -> Bool {
        name.first == 0 ? name == other : name.prefix { $0 != 0 }.elementsEqual(other) && !other.isEmpty
    }

    /// Counts this one where it belongs to a listening socket.
    func count(in use: inout SocketUse, of socket: LocalConnection) {
        if inode == socket.inode {
            use.isKnown = true
            use.waiting = queue
        } else if !isListening, file == socket.file, inode != 0 {
            use.open += 1
        }
    }
}
