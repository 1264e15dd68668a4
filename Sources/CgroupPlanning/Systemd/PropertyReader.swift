internal import DBus
internal import KernelTypes

/// Takes GVariant text apart.
struct PropertyReader {
    private let bytes: [UInt8]
    private var position = 0

    package typealias Mistake = PropertyText.Mistake

    /// So deep arrays, tuples and variants may lie in each other; no property of systemd comes near.
    private static let deepest = 16

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 32 || (9...13).contains(byte) { position += 1 }
    }

    /// Goes on behind a character, if it comes next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func node(depth: Int) throws(Mistake) -> PropertyNode {
        guard depth < Self.deepest else { throw Mistake(reason: "has values too deep in each other") }
        skipSpace()
        guard let byte = next else { throw Mistake(reason: "is no value of GVariant's text format") }
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return .text(try quoted())
        case UInt8(ascii: "["): return .array(try list("[", "]", depth))
        case UInt8(ascii: "("): return try structure(depth)
        case UInt8(ascii: "{"): return try dictionary(depth)
        case UInt8(ascii: "<"): return try variant(depth)
        case UInt8(ascii: "@"): return try annotated(depth)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return .number(word())
        default: return try keyword(depth)
        }
    }

    /// Letters, digits and what numbers consist of.
    private mutating func word() -> String {
        let start = position
        while let byte = next {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
                position += 1
            default: return String(decoding: bytes[start..<position], as: UTF8.self)
            }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func keyword(_ depth: Int) throws(Mistake) -> PropertyNode {
        let word = word()
        // A text of bytes: b'…'.
        if word == "b", next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") {
            return .bytes(Array(try quoted().utf8))
        }
        let type: TypeCode? =
            switch word {
            case "boolean": .boolean
            case "byte": .byte
            case "int16": .int16
            case "uint16": .uint16
            case "int32": .int32
            case "uint32": .uint32
            case "int64": .int64
            case "uint64": .uint64
            case "double": .double
            case "string": .string
            case "objectpath": .objectPath
            case "signature": .signature
            default: nil
            }
        if let type { return .typed(type, try node(depth: depth + 1)) }
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "nan": return .number(word)
        case "just", "nothing", "handle":
            throw Mistake(reason: "has a value (\(word)) that no property of systemd can have")
        default:
            throw Mistake(reason: "is no value of GVariant's text format, such as true, uint64 5, 'text' or ['a', 'b']")
        }
    }

    private mutating func annotated(_ depth: Int) throws(Mistake) -> PropertyNode {
        position += 1
        let start = position
        while let byte = next, byte != 32, !(9...13).contains(byte) { position += 1 }
        let signature = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let type = TypeCode.single(signature) else {
            throw Mistake(reason: "names the type @\(printable(signature)), which D-Bus does not know")
        }
        return .typed(type, try node(depth: depth + 1))
    }

    /// Values with commas between them.
    private mutating func list(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ depth: Int
    ) throws(Mistake) -> [PropertyNode] {
        _ = take(open)
        var nodes: [PropertyNode] = []
        while !take(close) {
            nodes.append(try node(depth: depth + 1))
            if take(",") { continue }
            guard take(close) else { throw Mistake(reason: "misses a comma or a closing \(close)") }
            break
        }
        return nodes
    }

    private mutating func structure(_ depth: Int) throws(Mistake) -> PropertyNode {
        let fields = try list("(", ")", depth)
        guard !fields.isEmpty else { throw Mistake(reason: "has an empty tuple") }
        return .structure(fields)
    }

    private mutating func dictionary(_ depth: Int) throws(Mistake) -> PropertyNode {
        position += 1
        var entries: [(key: PropertyNode, value: PropertyNode)] = []
        while !take("}") {
            let key = try node(depth: depth + 1)
            guard take(":") else { throw Mistake(reason: "misses a colon between key and value") }
            entries.append((key, try node(depth: depth + 1)))
            if take(",") { continue }
            guard take("}") else { throw Mistake(reason: "misses a comma or a closing }") }
            break
        }
        return .dictionary(entries)
    }

    private mutating func variant(_ depth: Int) throws(Mistake) -> PropertyNode {
        position += 1
        let content = try node(depth: depth + 1)
        guard take(">") else { throw Mistake(reason: "misses a closing >") }
        return .variant(content)
    }

    private mutating func quoted() throws(Mistake) -> String {
        let quote = bytes[position]
        position += 1
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            if byte == quote { return String(decoding: content, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { content += try escaped() } else { content.append(byte) }
        }
        throw Mistake(reason: "misses a closing quote")
    }

    private mutating func escaped() throws(Mistake) -> [UInt8] {
        guard let byte = next else { throw Mistake(reason: "misses a closing quote") }
        position += 1
        switch byte {
        case UInt8(ascii: "a"): return [7]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "v"): return [11]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "u"): return try character(digits: 4)
        case UInt8(ascii: "U"): return try character(digits: 8)
        default: return [byte]
        }
    }

    private mutating func character(digits count: Int) throws(Mistake) -> [UInt8] {
        let digits = bytes[position...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ UInt8(ascii: "0") <= $0 }),
            let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16), number != 0,
            let scalar = Unicode.Scalar(number)
        else { throw Mistake(reason: "has an escape that is no character") }
        position += count
        return Array(String(Character(scalar)).utf8)
    }
}
