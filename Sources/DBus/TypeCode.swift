/// A type of D-Bus, and its letters in a signature. D-Bus Specification, "Type System".
package indirect enum TypeCode: Hashable, Sendable {
    case byte, boolean, int16, uint16, int32, uint32, int64, uint64, double
    case string, objectPath, signature, variant
    /// An index into the descriptors that came with a message.
    case descriptor
    case array(TypeCode)
    case structure([TypeCode])
    /// The element of a dictionary, which is an array of these; nowhere else.
    case entry(key: TypeCode, value: TypeCode)

    /// The most bytes that a signature may have.
    static let longestSignature = 255
    /// The deepest nesting of arrays and structures: 32 of each.
    static let deepest = 64

    /// Where a value of this type begins: at a multiple of so many bytes.
    var alignment: Int {
        switch self {
        case .byte, .signature, .variant: 1
        case .int16, .uint16: 2
        case .boolean, .int32, .uint32, .string, .objectPath, .descriptor, .array: 4
        case .int64, .uint64, .double, .structure, .entry: 8
        }
    }

    /// The letters of the type.
    package var text: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .variant: "v"
        case .descriptor: "h"
        case .array(let element): "a\(element.text)"
        case .structure(let fields): "(\(fields.map { $0.text }.joined()))"
        case .entry(let key, let value): "{\(key.text)\(value.text)}"
        }
    }

    /// Whether it may be the key of a dictionary.
    package var isBasic: Bool {
        switch self {
        case .variant, .array, .structure, .entry: false
        default: true
        }
    }

    /// Reads the types of a signature in their order; nil when it is none.
    package static func parse(_ signature: String) -> [TypeCode]? {
        guard signature.utf8.count <= longestSignature else { return nil }
        var reader = SignatureReader(letters: Array(signature.utf8))
        var types: [TypeCode] = []
        while !reader.isAtEnd {
            guard let type = reader.type(depth: 0) else { return nil }
            types.append(type)
        }
        return types
    }

    /// Reads the signature of one type; nil when it is none, or several.
    package static func single(_ signature: String) -> TypeCode? {
        guard let types = parse(signature), types.count == 1 else { return nil }
        return types[0]
    }
}

private struct SignatureReader {
    let letters: [UInt8]
    private var position = 0

    init(letters: [UInt8]) { self.letters = letters }

    var isAtEnd: Bool { position == letters.count }

    private var next: UInt8? { position < letters.count ? letters[position] : nil }

    mutating func type(depth: Int) -> TypeCode? {
        guard depth < TypeCode.deepest, let letter = next else { return nil }
        position += 1
        switch letter {
        case UInt8(ascii: "y"): return .byte
        case UInt8(ascii: "b"): return .boolean
        case UInt8(ascii: "n"): return .int16
        case UInt8(ascii: "q"): return .uint16
        case UInt8(ascii: "i"): return .int32
        case UInt8(ascii: "u"): return .uint32
        case UInt8(ascii: "x"): return .int64
        case UInt8(ascii: "t"): return .uint64
        case UInt8(ascii: "d"): return .double
        case UInt8(ascii: "s"): return .string
        case UInt8(ascii: "o"): return .objectPath
        case UInt8(ascii: "g"): return .signature
        case UInt8(ascii: "v"): return .variant
        case UInt8(ascii: "h"): return .descriptor
        case UInt8(ascii: "a"):
            if next == UInt8(ascii: "{") { return entry(depth: depth + 1).map { .array($0) } }
            return type(depth: depth + 1).map { .array($0) }
        case UInt8(ascii: "("): return structure(depth: depth + 1)
        default: return nil
        }
    }

    private mutating func structure(depth: Int) -> TypeCode? {
        var fields: [TypeCode] = []
        while let letter = next, letter != UInt8(ascii: ")") {
            guard let field = type(depth: depth) else { return nil }
            fields.append(field)
        }
        guard next != nil, !fields.isEmpty else { return nil }
        position += 1
        return .structure(fields)
    }

    private mutating func entry(depth: Int) -> TypeCode? {
        position += 1  // the brace
        guard let key = type(depth: depth), key.isBasic, let value = type(depth: depth), next == UInt8(ascii: "}")
        else { return nil }
        position += 1
        return .entry(key: key, value: value)
    }
}
