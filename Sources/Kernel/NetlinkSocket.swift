internal import CLinux
package import KernelTypes

/// A conversation with the kernel about one network namespace: its interfaces (rtnetlink(7)) or its sockets
/// (sock_diag(7)); netlink(7).
///
/// The socket belongs to the namespace in which it was opened, wherever its owner goes later.
package struct NetlinkSocket: ~Copyable {
    private let socket: Descriptor

    /// Opens it in the network namespace that this process is in.
    package init() throws(SystemError) { try self.init(family: NETLINK_ROUTE) }

    /// - Parameter family: what it is about.
    init(family: Int32) throws(SystemError) {
        socket = Descriptor(
            raw: try check("socket", "netlink") {
                CLinux.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), family)
            })
    }

    /// Opens it in another network namespace. This process, which must have one thread, enters that for a moment.
    package static func open(in namespace: borrowing Descriptor, subject: String) throws(SystemError) -> NetlinkSocket {
        let own = try Files.open("/proc/self/ns/net", .readOnly)
        try Namespaces.join(namespace, .network, subject: subject)
        do throws(SystemError) {
            let socket = try NetlinkSocket()
            try Namespaces.join(own, .network, subject: "of the runtime")
            return socket
        } catch {
            try Namespaces.join(own, .network, subject: "of the runtime")
            throw error
        }
    }

    /// Sends one message and collects the answers until the kernel says that it is done.
    /// - Parameters:
    ///   - dump: asks for all entries, not for one.
    ///   - flags: of the message beyond those that every request has.
    ///   - call: its name, for an error.
    func request(
        _ type: Int, flags: Int32 = 0, dump: Bool = false, body: [UInt8], _ call: String, _ subject: String
    ) throws(SystemError) -> [NetlinkMessage] {
        var answers: [NetlinkMessage] = []
        try request(type, flags: flags, dump: dump, body: body, call, subject) { answers.append($0) }
        return answers
    }

    /// The same, for answers that are looked at and forgotten.
    /// - Parameter room: of the buffer that takes a packet. The kernel sends so many messages at once as fit into it.
    func request(
        _ type: Int, flags: Int32 = 0, dump: Bool = false, body: [UInt8], _ call: String, _ subject: String,
        room: Int = 64 << 10, take: (NetlinkMessage) -> Void
    ) throws(SystemError) {
        var bytes: [UInt8] = []
        bytes.append(value: UInt32(16 + body.count))
        bytes.append(value: UInt16(type))
        bytes.append(value: UInt16(NLM_F_REQUEST | flags | (dump ? NLM_F_DUMP : NLM_F_ACK)))
        bytes.append(value: UInt32(1))
        bytes.append(value: UInt32(0))
        bytes += body
        let raw = socket.raw
        _ = try check(call, subject) { bytes.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, 0) } }
        var buffer = [UInt8](repeating: 0, count: room)
        while try !receive(in: &buffer, call, subject, take) {}
    }

    /// - Returns: whether that was the last packet of the answer.
    private func receive(
        in buffer: inout [UInt8], _ call: String, _ subject: String, _ take: (NetlinkMessage) -> Void
    ) throws(SystemError) -> Bool {
        let raw = socket.raw
        let room = buffer.count
        let length = try check(call, subject) { recv(raw, &buffer, room, 0) }
        var rest = buffer[..<length]
        while rest.count >= 16 {
            let size = Int(rest.value(at: 0, as: UInt32.self))
            let type = Int32(rest.value(at: 4, as: UInt16.self))
            guard size >= 16, size <= rest.count else { return true }
            let content = rest.dropFirst(16).prefix(size - 16)
            if type == NLMSG_DONE { return true }
            if type == NLMSG_ERROR {
                let code = content.count >= 4 ? -content.value(at: 0, as: Int32.self) : EIO
                if code == 0 { return true }
                throw SystemError(call, subject, Errno(rawValue: code))
            }
            take(NetlinkMessage(type: type, content: Array(content)))
            rest = rest.dropFirst((size + 3) & ~3)
        }
        return false
    }
}

/// One message of an answer: a fixed part that depends on its type, then attributes.
struct NetlinkMessage {
    let type: Int32
    let content: [UInt8]

    /// The attributes behind a fixed part of a given length; rtnetlink(7), `struct rtattr`.
    func attributes(after length: Int) -> [NetlinkAttribute] {
        var found: [NetlinkAttribute] = []
        var rest = content.dropFirst(length)
        while rest.count >= 4 {
            let size = Int(rest.value(at: 0, as: UInt16.self))
            guard size >= 4, size <= rest.count else { break }
            // The upper two bits are flags.
            found.append(
                NetlinkAttribute(
                    type: rest.value(at: 2, as: UInt16.self) & 0x3fff, value: Array(rest.dropFirst(4).prefix(size - 4)))
            )
            rest = rest.dropFirst((size + 3) & ~3)
        }
        return found
    }
}

struct NetlinkAttribute: Sendable, Equatable {
    let type: UInt16
    let value: [UInt8]

    init(type: UInt16, value: [UInt8]) {
        self.type = type
        self.value = value
    }

    /// Text with its NUL.
    init(type: UInt16, text: String) { self.init(type: type, value: Array(text.utf8) + [0]) }

    init(type: UInt16, number: UInt32) {
        var value: [UInt8] = []
        value.append(value: number)
        self.init(type: type, value: value)
    }

    var text: String { String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
    var number: UInt32 { value.count >= 4 ? value[...].value(at: 0, as: UInt32.self) : 0 }
}

extension [UInt8] {
    /// Appends a number in the machine's byte order, as netlink wants it.
    mutating func append<Number: FixedWidthInteger>(value: Number) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }

    /// Appends an attribute, filled up to a multiple of four bytes.
    mutating func append(_ attribute: NetlinkAttribute) {
        append(value: UInt16(4 + attribute.value.count))
        append(value: attribute.type)
        self += attribute.value
        while count % 4 != 0 { append(0) }
    }
}
