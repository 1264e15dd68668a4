/// One message: a call, its answer, or a signal. D-Bus Specification, "Message Format".
package struct Message: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case call = 1
        case answer = 2
        case failure = 3
        case signal = 4
    }

    package var kind: Kind
    /// Bits: 1 no reply is expected, 2 nothing is started for it, 4 a person may be asked for permission.
    var flags: UInt8 = 0
    package var serial: UInt32 = 0
    package var path: String?
    package var interface: String?
    package var member: String?
    package var errorName: String?
    /// Which call is answered.
    package var replySerial: UInt32?
    package var destination: String?
    package var sender: String?
    package var body: [Value] = []

    package init(_ kind: Kind) { self.kind = kind }

    static let longestArray = 1 << 26
    /// Much less than the protocol allows: no service that is asked here has that much to say.
    static let longest = 1 << 24
    /// The bytes that say how long the whole is.
    package static let headLength = 16

    /// The bytes of the message.
    package func encode() throws(DBusError) -> [UInt8] {
        var encoder = Encoder()
        for byte in [UInt8(ascii: "l"), kind.rawValue, flags, 1] { encoder.put(byte) }
        encoder.put(UInt32(0))  // the body's length, set below
        encoder.put(serial)
        try encoder.append(.array(of: Self.fieldType, fields))
        encoder.align(8)
        let start = encoder.bytes.count
        for value in body { try encoder.append(value) }
        encoder.replace(at: 4, with: UInt32(encoder.bytes.count - start))
        guard encoder.bytes.count <= Self.longest else { throw .malformed("the message is too long") }
        return encoder.bytes
    }

    private static let fieldType = TypeCode.structure([.byte, .variant])

    private var fields: [Value] {
        var fields: [Value] = []
        func add(_ code: Field, _ value: Value?) {
            if let value { fields.append(.structure([.byte(code.rawValue), .variant(value)])) }
        }
        add(.path, path.map { .objectPath($0) })
        add(.member, member.map { .string($0) })
        add(.interface, interface.map { .string($0) })
        add(.errorName, errorName.map { .string($0) })
        add(.replySerial, replySerial.map { .uint32($0) })
        add(.destination, destination.map { .string($0) })
        add(.sender, sender.map { .string($0) })
        add(.signature, body.isEmpty ? nil : .signature(body.map { $0.type.text }.joined()))
        return fields
    }

    private enum Field: UInt8 {
        case path = 1
        case interface, member, errorName, replySerial, destination, sender, signature
    }

    /// How many bytes a message has, by its first ``headLength``.
    package static func length(of head: [UInt8]) throws(DBusError) -> Int {
        guard head.count >= headLength else { throw .malformed("a message is shorter than its head") }
        let isBigEndian = try isBigEndian(head[0])
        var decoder = Decoder(head, at: 4, isBigEndian: isBigEndian)
        let body: UInt32 = try decoder.number()
        let _: UInt32 = try decoder.number()
        let fields: UInt32 = try decoder.number()
        guard body <= longest, fields <= longest else { throw .malformed("a message is too long") }
        let length = (headLength + Int(fields) + 7) / 8 * 8 + Int(body)
        guard length <= longest else { throw .malformed("a message is too long") }
        return length
    }

    /// Reads a whole message.
    package init(_ bytes: [UInt8]) throws(DBusError) {
        guard try Self.length(of: bytes) == bytes.count else {
            throw .malformed("a message of another length than it says")
        }
        guard bytes[3] == 1 else { throw .malformed("protocol version \(bytes[3])") }
        guard let kind = Kind(rawValue: bytes[1]) else { throw .malformed("message type \(bytes[1])") }
        self.init(kind)
        flags = bytes[2]
        var decoder = Decoder(bytes, at: 8, isBigEndian: try Self.isBigEndian(bytes[0]))
        serial = try decoder.number()
        guard case .array(_, let fields) = try decoder.value(.array(Self.fieldType)) else { return }
        var signature = ""
        for case .structure(let field) in fields { try take(field, &signature) }
        try decoder.align(8)
        guard let types = TypeCode.parse(signature) else { throw .malformed("a body that has no signature") }
        for type in types { body.append(try decoder.value(type)) }
        guard decoder.isAtEnd else { throw .malformed("more bytes than the signature says") }
    }

    private mutating func take(_ field: [Value], _ signature: inout String) throws(DBusError) {
        guard field.count == 2, case .byte(let code) = field[0], case .variant(let value) = field[1] else { return }
        // Fields that are not known are to be ignored.
        switch (Field(rawValue: code), value) {
        case (.path, .objectPath(let text)): path = text
        case (.interface, .string(let text)): interface = text
        case (.member, .string(let text)): member = text
        case (.errorName, .string(let text)): errorName = text
        case (.replySerial, .uint32(let number)): replySerial = number
        case (.destination, .string(let text)): destination = text
        case (.sender, .string(let text)): sender = text
        case (.signature, .signature(let text)): signature = text
        case (nil, _): break
        default: throw .malformed("header field \(code) has another type")
        }
    }

    private static func isBigEndian(_ byte: UInt8) throws(DBusError) -> Bool {
        switch byte {
        case UInt8(ascii: "l"): return false
        case UInt8(ascii: "B"): return true
        default: throw .malformed("a byte order that is none")
        }
    }
}
