/// Why a number is not the integer that was asked for.
package enum IntegerError: Error, Sendable, Hashable {
    /// It has a fraction, as 1.5 or 1e-1.
    case notAnInteger
    /// It is a whole number that the type does not hold.
    case outOfRange
}

/// A whole number between −(2⁶⁴−1) and 2⁶⁴−1, the union of what signed and unsigned 64-bit fields hold.
package struct Integer: Sendable, Hashable {
    /// Whether the number is below zero; −0 is 0.
    package let isNegative: Bool
    /// The number without its sign.
    package let magnitude: UInt64

    init(isNegative: Bool, magnitude: UInt64) {
        self.isNegative = isNegative && magnitude != 0
        self.magnitude = magnitude
    }

    /// The number as a signed one, or nil where it does not fit.
    package var signed: Int64? {
        if isNegative {
            return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        }
        return Int64(exactly: magnitude)
    }

    /// The number as an unsigned one, or nil where it is negative.
    package var unsigned: UInt64? {
        isNegative ? nil : magnitude
    }
}

extension Document {
    /// The value of `true` or `false`; nil for anything else.
    package func boolean(_ node: NodeIndex) -> Bool? {
        let entry = nodes[node.index]
        return entry.kind == .boolean ? entry.end - entry.start == 4 : nil
    }

    /// The text of a string or key, its escapes resolved; nil for anything else.
    package func string(_ node: NodeIndex) -> String? {
        let entry = nodes[node.index]
        guard entry.kind == .string else { return nil }
        if entry.hasEscapes {
            return String(decoding: Escapes.decoded(bytes[contentRange(node)]), as: UTF8.self)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            String(decoding: UnsafeBufferPointer(rebasing: buffer[contentRange(node)]), as: UTF8.self)
        }
    }

    /// Whether a string holds U+0000, which JSON allows (as `\u0000`) and no C interface does.
    package func containsNUL(_ node: NodeIndex) -> Bool {
        let entry = nodes[node.index]
        return entry.kind == .string && entry.hasEscapes && Escapes.decoded(bytes[contentRange(node)]).contains(0)
    }

    /// A whole number, exactly.
    ///
    /// JSON does not distinguish integers from other numbers, so `1.0`, `1e3` and `1.5e1` count as 1, 1000 and 15: what
    /// matters is that the value is whole. Nothing is ever rounded. A node that is not a number is `notAnInteger`.
    package func integer(_ node: NodeIndex) throws(IntegerError) -> Integer {
        let entry = nodes[node.index]
        guard entry.kind == .number else { throw .notAnInteger }
        var position = Int(entry.start)
        let isNegative = bytes[position] == Byte.minus
        if isNegative {
            position += 1
        }
        if Int(entry.end) - position < 20, let magnitude = digits(from: position, to: Int(entry.end)) {
            return Integer(isNegative: isNegative, magnitude: magnitude)
        }
        let magnitude = try Decimal(bytes[position..<Int(entry.end)]).integer()
        return Integer(isNegative: isNegative, magnitude: magnitude)
    }

    /// A number that fits `Int64`.
    package func signed(_ node: NodeIndex) throws(IntegerError) -> Int64 {
        guard let value = try integer(node).signed else { throw .outOfRange }
        return value
    }

    /// A number that fits `UInt64`.
    package func unsigned(_ node: NodeIndex) throws(IntegerError) -> UInt64 {
        guard let value = try integer(node).unsigned else { throw .outOfRange }
        return value
    }

    /// Offsets of what stands between a string's quotes.
    func contentRange(_ node: NodeIndex) -> Range<Int> {
        let entry = nodes[node.index]
        return Int(entry.start) + 1..<Int(entry.end) - 1
    }

    /// The usual number: fewer than twenty digits, which cannot overflow, and nothing else.
    private func digits(from start: Int, to end: Int) -> UInt64? {
        var value: UInt64 = 0
        for position in start..<end {
            let byte = bytes[position]
            guard Byte.isDigit(byte) else { return nil }
            value = value &* 10 &+ UInt64(byte &- Byte.zero)
        }
        return value
    }
}

/// A number without its sign as digits × 10^exponent, for the forms that are not just digits.
private struct Decimal {
    private var digits: [UInt8] = []
    private var exponent = 0

    /// `text` has the grammar of a JSON number after its sign.
    init(_ text: ArraySlice<UInt8>) {
        var isFraction = false
        var position = text.startIndex
        while position < text.endIndex, text[position] | 0x20 != UInt8(ascii: "e") {
            if text[position] == Byte.dot {
                isFraction = true
            } else {
                append(text[position] &- Byte.zero)
                exponent -= isFraction ? 1 : 0
            }
            position += 1
        }
        if position < text.endIndex {
            exponent += Self.exponent(text[(position + 1)...])
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
    }

    /// The value, exactly.
    func integer() throws(IntegerError) -> UInt64 {
        guard !digits.isEmpty else { return 0 }
        guard exponent >= 0 else { throw .notAnInteger }
        guard digits.count + exponent <= 20 else { throw .outOfRange }
        var value: UInt64 = 0
        for digit in digits + Array(repeating: 0, count: exponent) {
            let product = value.multipliedReportingOverflow(by: 10)
            let sum = product.partialValue.addingReportingOverflow(UInt64(digit))
            guard !product.overflow, !sum.overflow else { throw .outOfRange }
            value = sum.partialValue
        }
        return value
    }

    private mutating func append(_ digit: UInt8) {
        if digit != 0 || !digits.isEmpty {
            digits.append(digit)
        }
    }

    /// The exponent, held at a value far beyond any text's length rather than overflowing.
    private static func exponent(_ text: ArraySlice<UInt8>) -> Int {
        let limit = Int.max / 4
        var value = 0
        for byte in text where Byte.isDigit(byte) {
            value = value > limit / 10 ? limit : min(limit, value * 10 + Int(byte &- Byte.zero))
        }
        return text.first == Byte.minus ? -value : value
    }
}
