/// Reads an extended regular expression.
struct RegularExpressionParser {
    typealias Node = RegularExpression.Node
    typealias Mistake = RegularExpression.Mistake

    private let text: [UInt8]
    private var index = 0
    private var depth = 0

    /// Deeper than anybody writes, and far from the end of the stack.
    private static let maximumDepth = 100
    /// RE_DUP_MAX of POSIX; limits.h(0p).
    private static let maximumCount = 255

    init(_ text: [UInt8]) { self.text = text }

    mutating func whole() throws(Mistake) -> Node {
        let node = try alternatives()
        if index < text.count { throw Mistake(reason: "a \")\" without its \"(\"") }
        return node
    }

    private func next(is character: Unicode.Scalar) -> Bool {
        index < text.count && text[index] == UInt8(ascii: character)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next(is: character) else { return false }
        index += 1
        return true
    }

    private mutating func alternatives() throws(Mistake) -> Node {
        var nodes = [try sequence()]
        while take("|") { nodes.append(try sequence()) }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func sequence() throws(Mistake) -> Node {
        var nodes: [Node] = []
        while index < text.count, !next(is: "|"), !next(is: ")") {
            var node = try atom()
            while let (least, most) = try count() { node = .repeated(node, least: least, most: most) }
            nodes.append(node)
        }
        return .sequence(nodes)
    }

    /// What stands behind an atom: `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`.
    private mutating func count() throws(Mistake) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard take("{") else { return nil }
        let least = number()
        let hasComma = take(",")
        let most = hasComma ? number() : least
        guard take("}"), let least = least ?? (most == nil ? nil : 0), (most ?? least) >= least,
            (most ?? least) <= Self.maximumCount
        else { throw Mistake(reason: "\"{\" begins no number of times, such as {2,5}, up to \(Self.maximumCount)") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let digits = text[index...].prefix { $0 &- UInt8(ascii: "0") < 10 }
        index += digits.count
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private mutating func atom() throws(Mistake) -> Node {
        let byte = text[index]
        index += 1
        switch byte {
        case UInt8(ascii: "."): return .bytes(.all)
        case UInt8(ascii: "^"): return .start
        case UInt8(ascii: "$"): return .end
        case UInt8(ascii: "("): return try group()
        case UInt8(ascii: "["): return .bytes(try set())
        case UInt8(ascii: "\\"): return .bytes(try escape())
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
            let character = String(decoding: [byte], as: UTF8.self)
            throw Mistake(reason: "there is nothing in front of \"\(character)\" that it could repeat")
        default: return .bytes(ByteSet(byte))
        }
    }

    private mutating func group() throws(Mistake) -> Node {
        depth += 1
        if depth > Self.maximumDepth { throw Mistake(reason: "more than \(Self.maximumDepth) \"(\" within each other") }
        let node = try alternatives()
        depth -= 1
        guard take(")") else { throw Mistake(reason: "a \"(\" without its \")\"") }
        return node
    }

    private mutating func escape() throws(Mistake) -> ByteSet {
        guard index < text.count else { throw Mistake(reason: "nothing stands behind the last \"\\\"") }
        let byte = text[index]
        index += 1
        switch byte {
        case UInt8(ascii: "w"): return .word
        case UInt8(ascii: "W"): return ByteSet.word.inverted
        case UInt8(ascii: "s"): return .blank
        case UInt8(ascii: "S"): return ByteSet.blank.inverted
        case let other where ByteSet.word.contains(other) && other != UInt8(ascii: "_"):
            throw Mistake(reason: "\"\\\(String(decoding: [other], as: UTF8.self))\" means nothing here")
        default: return ByteSet(byte)
        }
    }

    // MARK: Sets

    /// Behind `[`.
    private mutating func set() throws(Mistake) -> ByteSet {
        let unclosed = Mistake(reason: "a \"[\" without its \"]\"")
        let isInverted = take("^")
        var set = ByteSet()
        var isFirst = true
        while true {
            guard index < text.count else { throw unclosed }
            // As the first, a bracket means itself.
            if !isFirst, take("]") { return isInverted ? set.inverted : set }
            isFirst = false
            if text[index...].starts(with: "[:".utf8) {
                set.formUnion(try namedClass())
                continue
            }
            let low = text[index]
            index += 1
            guard next(is: "-"), index + 1 < text.count, text[index + 1] != UInt8(ascii: "]") else {
                set.insert(low)
                continue
            }
            let high = text[index + 1]
            index += 2
            if high < low { throw Mistake(reason: "a range of characters runs backwards") }
            set.formUnion(ByteSet(low...high))
        }
    }

    private mutating func namedClass() throws(Mistake) -> ByteSet {
        index += 2
        let name = String(decoding: text[index...].prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
        index += name.utf8.count
        guard let set = ByteSet.named(name), take(":"), take("]") else {
            throw Mistake(reason: "there is no class of characters [:\(name):]")
        }
        return set
    }
}
