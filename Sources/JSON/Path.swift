/// Paths to values, as messages show them: `linux.namespaces[2].path`, `annotations["org.example.key"]`.
///
/// A key of letters, digits, `_` and `-` stands plain; any other key stands in brackets and quotes with JSON's escapes.
/// The outermost value's path is empty.
enum Path {
    /// The path of the value at `target`. Works while the document is still being read.
    static func text(of target: Int, nodes: [Node], bytes: [UInt8]) -> String {
        var result = ""
        var index = 0
        while index < target {
            let isObject = nodes[index].kind == .object
            let (child, number) = child(of: index, containing: target, nodes: nodes)
            if isObject {
                append(key(child, nodes: nodes, bytes: bytes), to: &result)
                index = child + 1
            } else {
                result += "[\(number)]"
                index = child
            }
        }
        return result
    }

    /// A key in quotes, with escapes.
    static func quotedKey(_ index: Int, nodes: [Node], bytes: [UInt8]) -> String {
        Escapes.quoted(key(index, nodes: nodes, bytes: bytes))
    }

    /// Adds one key to a path.
    static func append(_ key: String, to path: inout String) {
        guard !key.isEmpty, key.utf8.allSatisfy(isPlain) else {
            path += "[\(Escapes.quoted(key))]"
            return
        }
        path += path.isEmpty ? key : ".\(key)"
    }

    /// Whether a byte may stand in a key without quotes.
    static func isPlain(_ byte: UInt8) -> Bool {
        Byte.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte == Byte.minus
    }

    /// The element, or the key of the member, whose subtree holds `target`, and its number.
    private static func child(of parent: Int, containing target: Int, nodes: [Node]) -> (index: Int, number: Int) {
        let step = nodes[parent].kind == .object ? 1 : 0
        var index = parent + 1
        var number = 0
        while index + step < nodes.count, Int(nodes[index + step].next) <= target {
            index = Int(nodes[index + step].next)
            number += 1
        }
        return (index, number)
    }

    private static func key(_ index: Int, nodes: [Node], bytes: [UInt8]) -> String {
        let content = bytes[Int(nodes[index].start) + 1..<Int(nodes[index].end) - 1]
        return String(decoding: nodes[index].hasEscapes ? Escapes.decoded(content)[...] : content, as: UTF8.self)
    }
}

extension Document {
    /// The path of a value, or of the member that a key begins.
    package func path(of node: NodeIndex) -> String {
        Path.text(of: node.index, nodes: nodes, bytes: bytes)
    }

    /// The value at `path`, or its nearest ancestor that is there.
    ///
    /// - Returns: the value, and whether it is the one asked for. A path that cannot be read ends where it goes wrong.
    package func node(atPath path: String) -> (node: NodeIndex, isExact: Bool) {
        var steps = PathSteps(path)
        var node = root
        while true {
            switch steps.next() {
            case .end: return (node, true)
            case .mistake: return (node, false)
            case .key(let key):
                guard let value = members(of: node).first(where: { string($0.key) == key })?.value else {
                    return (node, false)
                }
                node = value
            case .number(let number):
                guard let value = elements(of: node).dropFirst(number).first(where: { _ in true }) else {
                    return (node, false)
                }
                node = value
            }
        }
    }
}

/// Takes a path apart.
private struct PathSteps {
    enum Step {
        case key(String)
        case number(Int)
        case end
        case mistake
    }

    private let text: [UInt8]
    private var position = 0

    init(_ path: String) {
        text = Array(path.utf8)
    }

    mutating func next() -> Step {
        guard position < text.count else { return .end }
        if text[position] == Byte.openBracket {
            return bracket()
        }
        if position > 0 {
            guard text[position] == Byte.dot else { return .mistake }
            position += 1
        }
        let start = position
        while position < text.count, Path.isPlain(text[position]) {
            position += 1
        }
        return position > start ? .key(String(decoding: text[start..<position], as: UTF8.self)) : .mistake
    }

    private mutating func bracket() -> Step {
        position += 1
        let start = position
        if position < text.count, text[position] == Byte.quote {
            return quotedKey()
        }
        while position < text.count, Byte.isDigit(text[position]) {
            position += 1
        }
        guard let number = Int(String(decoding: text[start..<position], as: UTF8.self)), closeBracket() else {
            return .mistake
        }
        return .number(number)
    }

    private mutating func quotedKey() -> Step {
        var reader = Reader(text, policy: .refuse)
        reader.position = position
        do {
            try reader.readString()
        } catch {
            return .mistake
        }
        let content = text[position + 1..<reader.position - 1]
        position = reader.position
        return closeBracket() ? .key(String(decoding: Escapes.decoded(content), as: UTF8.self)) : .mistake
    }

    private mutating func closeBracket() -> Bool {
        guard position < text.count, text[position] == Byte.closeBracket else { return false }
        position += 1
        return true
    }
}
