/// An extended regular expression over bytes; regex(7). Matched by following all ways at once, so that no expression
/// takes long for a name.
package struct RegularExpression: Sendable {
    /// What is wrong with an expression.
    package struct Mistake: Error, Equatable {
        package let reason: String
    }

    indirect enum Node: Sendable {
        case bytes(ByteSet)
        case start
        case end
        case sequence([Node])
        case alternatives([Node])
        case repeated(Node, least: Int, most: Int?)
    }

    private let root: Node

    package init(_ text: String) throws(Mistake) {
        var parser = RegularExpressionParser(Array(text.utf8))
        root = try parser.whole()
    }

    /// Whether a part of the text matches, as regexec(3) sees it; `^` and `$` stand for its ends.
    package func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let everywhere = [Bool](repeating: true, count: bytes.count + 1)
        return Self.follow(root, bytes, everywhere).contains(true)
    }

    /// Where one may be in the text behind a node, from where one may be in front of it.
    private static func follow(_ node: Node, _ text: [UInt8], _ places: [Bool]) -> [Bool] {
        var result = [Bool](repeating: false, count: places.count)
        switch node {
        case .start: result[0] = places[0]
        case .end: result[text.count] = places[text.count]
        case .bytes(let set):
            for index in text.indices where places[index] && set.contains(text[index]) { result[index + 1] = true }
        case .sequence(let nodes): return nodes.reduce(places) { follow($1, text, $0) }
        case .alternatives(let nodes):
            for node in nodes { unite(&result, follow(node, text, places)) }
        case .repeated(let node, let least, let most):
            var current = places
            for _ in 0..<least { current = follow(node, text, current) }
            result = current
            var count = least
            // As long as that leads anywhere new.
            while most.map({ count < $0 }) ?? true {
                current = follow(node, text, current)
                if !unite(&result, current) { break }
                count += 1
            }
        }
        return result
    }

    /// - Returns: whether there was anything new.
    @discardableResult
    private static func unite(_ places: inout [Bool], _ more: [Bool]) -> Bool {
        var isNew = false
        for index in more.indices where more[index] && !places[index] {
            places[index] = true
            isNew = true
        }
        return isNew
    }
}

/// Some of the 256 bytes.
struct ByteSet: Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static let all: ByteSet = ByteSet().inverted

    init() {}

    init(_ byte: UInt8) { insert(byte) }

    init(_ bytes: ClosedRange<UInt8>...) {
        for range in bytes { for byte in range { insert(byte) } }
    }

    func contains(_ byte: UInt8) -> Bool {
        let word =
            switch byte >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word & 1 << UInt64(byte & 63) != 0
    }

    mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    mutating func formUnion(_ other: ByteSet) {
        words = (
            words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2, words.3 | other.words.3
        )
    }

    var inverted: ByteSet {
        var result = self
        result.words = (~words.0, ~words.1, ~words.2, ~words.3)
        return result
    }

    private static let digits: ClosedRange<UInt8> = 0x30...0x39
    private static let capitals: ClosedRange<UInt8> = 0x41...0x5a
    private static let small: ClosedRange<UInt8> = 0x61...0x7a

    static let word = ByteSet(digits, capitals, small, 0x5f...0x5f)
    static let blank = ByteSet(0x20...0x20, 0x09...0x0d)

    /// A class by its name, as in `[:digit:]`.
    static func named(_ name: String) -> ByteSet? {
        switch name {
        case "alpha": ByteSet(capitals, small)
        case "digit": ByteSet(digits)
        case "alnum": ByteSet(digits, capitals, small)
        case "upper": ByteSet(capitals)
        case "lower": ByteSet(small)
        case "xdigit": ByteSet(digits, 0x41...0x46, 0x61...0x66)
        case "space": blank
        case "blank": ByteSet(0x20...0x20, 0x09...0x09)
        case "punct": ByteSet(0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e)
        case "print": ByteSet(0x20...0x7e)
        case "graph": ByteSet(0x21...0x7e)
        case "cntrl": ByteSet(0x00...0x1f, 0x7f...0x7f)
        default: nil
        }
    }
}
