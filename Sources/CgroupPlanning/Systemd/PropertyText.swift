internal import DBus
internal import KernelTypes

/// Values written as GVariant text, the form of `org.systemd.property.*` annotations: `uint64 5`, `'a text'`, `['a',
/// 'b']`, `[('x', true)]`, `<5>`, `@as []`. GLib's manual, "GVariant Text Format".
///
/// Integers without a type are `int32`, broken numbers `double`. Maybe types have no counterpart in D-Bus and are
/// refused.
package enum PropertyText {
    /// What is wrong with a text, as the end of a sentence.
    package struct Mistake: Error, Hashable, Sendable {
        package let reason: String
    }

    static func parse(_ text: String) throws(Mistake) -> Value {
        var reader = PropertyReader(text)
        let node = try reader.node(depth: 0)
        guard reader.isAtEnd else { throw Mistake(reason: "has more behind its value") }
        return try node.value(nil)
    }

    /// A time in seconds as the microseconds that systemd's own properties count.
    static func microseconds(_ value: Value) throws(Mistake) -> Value {
        let seconds: UInt64?
        switch value {
        case .byte(let number): seconds = UInt64(number)
        case .uint16(let number): seconds = UInt64(number)
        case .uint32(let number): seconds = UInt64(number)
        case .uint64(let number): seconds = number
        case .int16(let number): seconds = UInt64(exactly: number)
        case .int32(let number): seconds = UInt64(exactly: number)
        case .int64(let number): seconds = UInt64(exactly: number)
        case .double(let number): return .uint64(try microseconds(number))
        default: seconds = nil
        }
        guard let seconds else { throw Mistake(reason: "is no number of seconds") }
        if seconds == .max { return .uint64(.max) }  // systemd's infinity
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { throw Mistake(reason: "is more seconds than systemd can count") }
        return .uint64(product)
    }

    private static func microseconds(_ seconds: Double) throws(Mistake) -> UInt64 {
        if seconds == .infinity { return .max }
        // Rounded by hand: the C mathematics library stays out.
        guard seconds >= 0, seconds < 1e12 else { throw Mistake(reason: "is no number of seconds") }
        return UInt64(seconds * 1_000_000 + 0.5)
    }
}

/// What was read, before types are given to what has none by itself.
indirect enum PropertyNode {
    case number(String)
    case boolean(Bool)
    case text(String)
    case bytes([UInt8])
    case array([PropertyNode])
    case structure([PropertyNode])
    case dictionary([(key: PropertyNode, value: PropertyNode)])
    case variant(PropertyNode)
    case typed(TypeCode, PropertyNode)

    package typealias Mistake = PropertyText.Mistake

    /// The type that a node has by itself; nil for an empty array.
    private var ownType: TypeCode? {
        switch self {
        case .number(let digits): PropertyNumber.isBroken(digits) ? .double : .int32
        case .boolean: .boolean
        case .text: .string
        case .bytes: .array(.byte)
        case .variant: .variant
        case .typed(let type, _): type
        case .array(let elements): Self.common(elements).map { .array($0) }
        case .structure(let fields): Self.all(fields.map { $0.ownType }).map { .structure($0) }
        case .dictionary(let entries):
            if let key = Self.common(entries.map({ $0.key })), let value = Self.common(entries.map({ $0.value })) {
                .array(.entry(key: key, value: value))
            } else {
                nil
            }
        }
    }

    private static func all(_ types: [TypeCode?]) -> [TypeCode]? {
        types.contains(nil) ? nil : types.compactMap { $0 }
    }

    /// The type of elements: the one that is written with one of them, or a double where one is broken, or that of the
    /// first that has one.
    private static func common(_ nodes: [PropertyNode]) -> TypeCode? {
        for case .typed(let type, _) in nodes { return type }
        let types = nodes.compactMap { $0.ownType }
        return types.contains(.double) ? .double : types.first
    }

    /// - Parameter wanted: the type that the surroundings ask for.
    func value(_ wanted: TypeCode?) throws(Mistake) -> Value {
        if case .typed(let type, let node) = self {
            guard wanted == nil || wanted == type else { throw Self.clash(wanted, type) }
            return try node.value(type)
        }
        guard let type = wanted ?? ownType else {
            throw Mistake(reason: "has an empty array without a type; write @as [] for one of texts")
        }
        switch (self, type) {
        case (.number(let digits), _): return try PropertyNumber.value(digits, type)
        case (.boolean(let flag), .boolean): return .boolean(flag)
        case (.text(let text), .string): return .string(text)
        case (.text(let text), .objectPath): return .objectPath(text)
        case (.text(let text), .signature):
            guard TypeCode.parse(text) != nil else { throw Mistake(reason: "has a signature that is none") }
            return .signature(text)
        case (.bytes(let bytes), .array(.byte)): return .bytes(bytes + [0])
        case (.variant(let node), .variant): return .variant(try node.value(nil))
        case (.array(let nodes), .array(let element)):
            var values: [Value] = []
            for node in nodes { values.append(try node.value(element)) }
            return .array(of: element, values)
        case (.dictionary(let entries), .array(.entry(let key, let value))): return try Self.values(entries, key, value)
        case (.structure(let nodes), .structure(let fields)):
            guard nodes.count == fields.count else {
                throw Mistake(reason: "has a tuple of another length than its type")
            }
            var values: [Value] = []
            for (node, field) in zip(nodes, fields) { values.append(try node.value(field)) }
            return .structure(values)
        default: throw Self.clash(type, ownType)
        }
    }

    private static func values(
        _ entries: [(key: PropertyNode, value: PropertyNode)], _ key: TypeCode, _ value: TypeCode
    ) throws(Mistake) -> Value {
        guard key.isBasic else { throw Mistake(reason: "has a dictionary with keys of type \(key.text)") }
        var values: [Value] = []
        for entry in entries {
            values.append(.entry(key: try entry.key.value(key), value: try entry.value.value(value)))
        }
        return .array(of: .entry(key: key, value: value), values)
    }

    private static func clash(_ wanted: TypeCode?, _ found: TypeCode?) -> Mistake {
        Mistake(reason: "has a value of type \(found?.text ?? "?") where type \(wanted?.text ?? "?") is expected")
    }
}

/// Numbers as C writes them.
private enum PropertyNumber {
    static func isBroken(_ digits: String) -> Bool {
        if digits.begins(with: "0x") || digits.begins(with: "-0x") { return false }
        return digits.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
            || digits.ends(with: "inf") || digits.ends(with: "nan")
    }

    static func value(_ digits: String, _ type: TypeCode) throws(PropertyText.Mistake) -> Value {
        let value: Value? =
            switch type {
            case .byte: integer(digits).map { .byte($0) }
            case .int16: integer(digits).map { .int16($0) }
            case .uint16: integer(digits).map { .uint16($0) }
            case .int32: integer(digits).map { .int32($0) }
            case .uint32: integer(digits).map { .uint32($0) }
            case .int64: integer(digits).map { .int64($0) }
            case .uint64: integer(digits).map { .uint64($0) }
            case .double: decimal(digits).map { .double($0) }
            default: nil
            }
        guard let value else {
            throw PropertyText.Mistake(
                reason: "has the number \(printable(digits)), which is none of type \(type.text)")
        }
        return value
    }

    private static func integer<Number: FixedWidthInteger>(_ text: String) -> Number? {
        guard let magnitude = magnitude(text.unsigned) else { return nil }
        guard text.begins(with: "-"), magnitude > 0 else { return Number(exactly: magnitude) }
        guard magnitude <= Int64.min.magnitude else { return nil }
        return Number(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    }

    private static func magnitude(_ digits: String) -> UInt64? {
        guard digits.utf8.first.map({ (48...57).contains($0) }) == true else { return nil }
        if let hexadecimal = digits.rest(after: "0x") ?? digits.rest(after: "0X") {
            guard hexadecimal.unsigned == hexadecimal else { return nil }
            return UInt64(hexadecimal, radix: 16)
        }
        let isOctal = digits.utf8.count > 1 && digits.begins(with: "0")
        return UInt64(digits, radix: isOctal ? 8 : 10)
    }

    /// A number whose decimal digits and whose power of ten a Double holds exactly, so that one operation rounds it
    /// right; others are refused. The C library's own reading would be a hundredth of the executable.
    private static func decimal(_ text: String) -> Double? {
        let sign: Double = text.begins(with: "-") ? -1 : 1
        if text.unsigned == "inf" { return sign * .infinity }
        if text.unsigned == "nan" { return .nan }
        let parts = text.unsigned.inLowerCase.parts(by: "e", keepingEmpty: true)
        let mantissa = parts[0].parts(by: ".", keepingEmpty: true)
        guard parts.count <= 2, mantissa.count <= 2 else { return nil }
        let digits = mantissa.joined()
        guard digits.unsigned == digits, let number = UInt64(digits), number < 1 << 53 else { return nil }
        guard let exponent = parts.count == 2 ? Int(parts[1]) : 0, abs(exponent) <= 64 else { return nil }
        let power = exponent - (mantissa.count == 2 ? mantissa[1].utf8.count : 0)
        guard abs(power) <= 22 else { return nil }
        let ten = (0..<abs(power)).reduce(1.0) { product, _ in product * 10 }
        return sign * (power < 0 ? Double(number) / ten : Double(number) * ten)
    }
}

extension String {
    /// Without a sign before it.
    fileprivate var unsigned: String { rest(after: "-") ?? rest(after: "+") ?? self }
}
