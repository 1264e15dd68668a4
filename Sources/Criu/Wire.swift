/// Writes messages as CRIU reads them: protobuf's wire format (protobuf.dev, "Encoding"), as far as CRIU's interface
/// uses it.
package struct WireWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func number(_ field: UInt32, _ value: UInt64) {
        tag(field, 0)
        varint(value)
    }

    /// A negative number is sign-extended and takes ten bytes.
    package mutating func number(_ field: UInt32, _ value: Int32) {
        number(field, UInt64(bitPattern: Int64(value)))
    }

    package mutating func flag(_ field: UInt32, _ value: Bool) { number(field, value ? UInt64(1) : 0) }

    package mutating func text(_ field: UInt32, _ value: String) { block(field, Array(value.utf8)) }

    package mutating func message(_ field: UInt32, _ body: (inout WireWriter) -> Void) {
        var inner = WireWriter()
        body(&inner)
        block(field, inner.bytes)
    }

    private mutating func block(_ field: UInt32, _ content: [UInt8]) {
        tag(field, 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func tag(_ field: UInt32, _ kind: UInt64) { varint(UInt64(field) << 3 | kind) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Takes a message apart. What comes from the other side is not trusted: any bytes may be read.
package struct WireReader: Sendable {
    /// One field of a message.
    package struct Field: Equatable, Sendable {
        package let number: UInt32
        package let value: Value
    }

    package enum Value: Equatable, Sendable {
        case number(UInt64)
        /// A text, or a message within.
        case block(ArraySlice<UInt8>)
        /// Of a kind that no message of CRIU's has.
        case other
    }

    private var rest: ArraySlice<UInt8>
    /// Whether the bytes are no message; nothing more is read then.
    package private(set) var isDamaged = false

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// - Returns: nil at the end, and where the bytes are no message.
    package mutating func next() -> Field? {
        if rest.isEmpty || isDamaged { return nil }
        guard let tag = varint(), tag >> 3 != 0, let number = UInt32(exactly: tag >> 3), let value = value(tag & 7)
        else {
            isDamaged = true
            return nil
        }
        return Field(number: number, value: value)
    }

    private mutating func value(_ kind: UInt64) -> Value? {
        switch kind {
        case 0: varint().map { .number($0) }
        case 1: take(8).map { _ in .other }
        case 2: varint().flatMap { Int(exactly: $0) }.flatMap { take($0) }.map { .block($0) }
        case 5: take(4).map { _ in .other }
        default: nil
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for place in 0..<10 {
            guard let byte = rest.popFirst() else { return nil }
            // The tenth byte has room for one bit.
            if place == 9, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) << UInt64(7 * place)
            if byte < 0x80 { return value }
        }
        return nil
    }
}

extension WireReader.Value {
    package var number: UInt64? {
        if case .number(let number) = self { number } else { nil }
    }

    package var flag: Bool? { number.map { $0 != 0 } }
    package var signed: Int32? { number.map { Int32(truncatingIfNeeded: $0) } }

    package var block: ArraySlice<UInt8>? {
        if case .block(let bytes) = self { bytes } else { nil }
    }

    package var text: String? { block.map { String(decoding: $0, as: UTF8.self) } }
}

extension ArraySlice<UInt8> {
    /// The fields of a message; nil where the bytes are none.
    var fields: [WireReader.Field]? {
        var reader = WireReader(self)
        var fields: [WireReader.Field] = []
        while let field = reader.next() { fields.append(field) }
        return reader.isDamaged ? nil : fields
    }
}
