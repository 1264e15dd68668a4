/// Reads values from the peer's bytes; no length in them is trusted. D-Bus Specification, "Marshaling
/// (Wire Format)".
struct Decoder {
    private let bytes: [UInt8]
    private let isBigEndian: Bool
    private(set) var position: Int
    /// Arrays end before the bytes do.
    private var end: Int

    init(_ bytes: [UInt8], at position: Int = 0, isBigEndian: Bool = false) {
        self.bytes = bytes
        self.position = position
        self.isBigEndian = isBigEndian
        end = bytes.count
    }

    var isAtEnd: Bool { position == end }

    /// - Parameter depth: how many values this one lies in.
    mutating func value(_ type: TypeCode, depth: Int = 0) throws(DBusError) -> Value {
        guard depth <= TypeCode.deepest else { throw .malformed("values lie too deep in each other") }
        try align(type.alignment)
        switch type {
        case .byte: return .byte(try number())
        case .boolean:
            let number: UInt32 = try number()
            guard number <= 1 else { throw .malformed("a boolean is 0 or 1") }
            return .boolean(number == 1)
        case .int16: return .int16(try number())
        case .uint16: return .uint16(try number())
        case .int32: return .int32(try number())
        case .uint32: return .uint32(try number())
        case .descriptor: return .descriptor(try number())
        case .int64: return .int64(try number())
        case .uint64: return .uint64(try number())
        case .double: return .double(Double(bitPattern: try number()))
        case .string: return .string(try text())
        case .objectPath: return .objectPath(try text())
        case .signature: return .signature(try signature())
        case .variant:
            guard let type = TypeCode.single(try signature()) else { throw .malformed("a variant has one type") }
            return .variant(try value(type, depth: depth + 1))
        case .array(let element): return .array(of: element, try array(element, depth))
        case .structure(let fields):
            var values: [Value] = []
            for field in fields { values.append(try value(field, depth: depth + 1)) }
            return .structure(values)
        case .entry(let key, let value):
            return .entry(key: try self.value(key, depth: depth + 1), value: try self.value(value, depth: depth + 1))
        }
    }

    mutating func align(_ alignment: Int) throws(DBusError) {
        let aligned = (position + alignment - 1) / alignment * alignment
        guard aligned <= end else { throw Self.tooShort }
        for index in position..<aligned where bytes[index] != 0 {
            throw .malformed("the gap before a value is not zero")
        }
        position = aligned
    }

    mutating func number<Number: FixedWidthInteger>() throws(DBusError) -> Number {
        let size = Number.bitWidth / 8
        try align(size)
        guard end - position >= size else { throw Self.tooShort }
        var result: Number = 0
        for index in 0..<size {
            let byte = Number(truncatingIfNeeded: bytes[position + index])
            let place = isBigEndian ? size - 1 - index : index
            result |= byte << Number(8 * place)
        }
        position += size
        return result
    }

    private mutating func array(_ element: TypeCode, _ depth: Int) throws(DBusError) -> [Value] {
        let length: UInt32 = try number()
        guard length <= Message.longestArray else { throw .malformed("an array is longer than 64 MiB") }
        try align(element.alignment)
        guard end - position >= Int(length) else { throw Self.tooShort }
        let outer = end
        end = position + Int(length)
        var values: [Value] = []
        while position < end { values.append(try value(element, depth: depth + 1)) }
        end = outer
        return values
    }

    private mutating func text() throws(DBusError) -> String {
        let length: UInt32 = try number()
        return try text(Int(length))
    }

    private mutating func signature() throws(DBusError) -> String {
        let length: UInt8 = try number()
        let text = try text(Int(length))
        guard TypeCode.parse(text) != nil else { throw .malformed("a signature that is none") }
        return text
    }

    private mutating func text(_ length: Int) throws(DBusError) -> String {
        // One more for the zero behind it.
        guard end - position > length else { throw Self.tooShort }
        let content = bytes[position..<(position + length)]
        guard bytes[position + length] == 0, !content.contains(0),
            let text = String(validating: content, as: UTF8.self)
        else { throw .malformed("text that is none") }
        position += length + 1
        return text
    }

    private static var tooShort: DBusError { .malformed("a message is shorter than it says") }
}
