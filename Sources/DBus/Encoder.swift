/// Lays values out as bytes, the small end first. D-Bus Specification, "Marshaling (Wire Format)".
struct Encoder {
    private(set) var bytes: [UInt8] = []

    /// - Parameter type: the type that the place asks for; a value of another is a mistake of the caller.
    mutating func append(_ value: Value, as type: TypeCode) throws(DBusError) {
        guard value.type == type else {
            throw .malformed("expected a value of type \(type.text), found \(value.type.text)")
        }
        try append(value)
    }

    mutating func append(_ value: Value) throws(DBusError) {
        align(value.type.alignment)
        switch value {
        case .byte(let number): bytes.append(number)
        case .boolean(let flag): put(UInt32(flag ? 1 : 0))
        case .int16(let number): put(number)
        case .uint16(let number): put(number)
        case .int32(let number): put(number)
        case .uint32(let number), .descriptor(let number): put(number)
        case .int64(let number): put(number)
        case .uint64(let number): put(number)
        case .double(let number): put(number.bitPattern)
        case .string(let text), .objectPath(let text): try put(text)
        case .signature(let text): try putSignature(text)
        case .array(let element, let values): try put(values, of: element)
        case .structure(let fields):
            guard !fields.isEmpty else { throw .malformed("a structure needs a field") }
            for field in fields { try append(field) }
        case .entry(let key, let value):
            try append(key)
            try append(value)
        case .variant(let value):
            try putSignature(value.type.text)
            try append(value)
        }
    }

    mutating func align(_ alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        align(Number.bitWidth / 8)
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Puts another number where one stands already.
    mutating func replace(at position: Int, with number: UInt32) {
        withUnsafeBytes(of: number.littleEndian) {
            bytes.replaceSubrange(position..<(position + 4), with: $0)
        }
    }

    private mutating func put(_ text: String) throws(DBusError) {
        guard !text.utf8.contains(0) else { throw .malformed("text must not hold a zero byte") }
        put(UInt32(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    private mutating func putSignature(_ text: String) throws(DBusError) {
        guard TypeCode.parse(text) != nil else { throw .malformed("\"\(text)\" is no signature") }
        bytes.append(UInt8(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    private mutating func put(_ values: [Value], of element: TypeCode) throws(DBusError) {
        let place = bytes.count
        put(UInt32(0))
        // The length does not count what leads up to the first element, which is there even without one.
        align(element.alignment)
        let start = bytes.count
        for value in values { try append(value, as: element) }
        let length = bytes.count - start
        guard length <= Message.longestArray else { throw .malformed("an array must not be longer than 64 MiB") }
        replace(at: place, with: UInt32(length))
    }
}
