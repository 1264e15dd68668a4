/// What a value of a document is.
package enum Kind: UInt8, Sendable {
    case null
    case boolean
    case number
    case string
    case array
    case object
}

/// Names one value of one ``Document``; a number, so that handing it around costs nothing.
package struct NodeIndex: Sendable, Hashable {
    let index: Int

    init(_ index: Int) {
        self.index = index
    }
}

/// One value. An object's children are key, value, key, value …; every value's subtree lies in one piece behind it.
struct Node: Sendable {
    var kind: Kind
    /// Only strings: the bytes between the quotes are not the text itself.
    var hasEscapes = false
    /// Offset of the first byte, quotes and brackets included.
    var start: UInt32
    /// Offset behind the last byte.
    var end: UInt32
    /// Index behind the value's subtree; `UInt32.max` while the value is still being read.
    var next: UInt32
    /// Elements of an array, members of an object.
    var count: UInt32 = 0
}

/// A key that stands a second time in its object.
package struct DuplicateKey: Sendable, Hashable {
    /// The later key.
    package let key: NodeIndex
    /// The first key of that name.
    package let first: NodeIndex
}

/// What reading does with a key that stands a second time in its object.
package enum DuplicateKeyPolicy: Sendable {
    /// The first one found is a ``SyntaxError``.
    case refuse
    /// All are kept in ``Document/duplicateKeys``, for a reader that reports every mistake at once.
    case record
}

/// A JSON text that was read: its bytes, and a flat list of its values that point into them.
///
/// There is no tree of dictionaries because a runtime reads each document once: a flat list costs two allocations
/// whatever the size, keeps every value's place in the text, and leaves strings where they are until asked for.
package struct Document: Sendable {
    /// How deep arrays and objects may stand in each other. A `config.json` needs eight.
    package static let maximumDepth = 128

    /// The text as it was given, but for keys that were respelled.
    package private(set) var bytes: [UInt8]
    /// Keys that stand twice; empty unless read with ``DuplicateKeyPolicy/record``.
    package let duplicateKeys: [DuplicateKey]
    let nodes: [Node]

    /// Reads `bytes`, which must be one JSON value in UTF-8 with nothing but white space around it.
    ///
    /// - Throws: the first mistake of the text.
    package init(_ bytes: [UInt8], duplicateKeys policy: DuplicateKeyPolicy = .refuse) throws(SyntaxError) {
        var reader = Reader(bytes, policy: policy)
        try reader.readDocument()
        self.bytes = bytes
        duplicateKeys = reader.duplicates
        nodes = reader.nodes
    }

    /// The outermost value.
    package var root: NodeIndex {
        NodeIndex(0)
    }

    /// What the value is.
    package func kind(of node: NodeIndex) -> Kind {
        nodes[node.index].kind
    }

    /// The number of an array's elements or an object's members; 0 for anything else.
    package func count(of node: NodeIndex) -> Int {
        Int(nodes[node.index].count)
    }

    /// Offsets of the value's text, quotes and brackets included.
    package func range(of node: NodeIndex) -> Range<Int> {
        let entry = nodes[node.index]
        return Int(entry.start)..<Int(entry.end)
    }

    /// The value's text as it is written.
    package func text(of node: NodeIndex) -> ArraySlice<UInt8> {
        bytes[range(of: node)]
    }

    /// Where the value begins. Walks the text from its start: meant for error messages.
    package func location(of node: NodeIndex) -> SourceLocation {
        SourceLocation(offset: range(of: node).lowerBound, in: bytes)
    }

    /// The elements of an array, in order; none for anything else.
    package func elements(of node: NodeIndex) -> Elements {
        let entry = nodes[node.index]
        return Elements(nodes: nodes, index: node.index + 1, remaining: entry.kind == .array ? Int(entry.count) : 0)
    }

    /// The members of an object, in order; none for anything else.
    package func members(of node: NodeIndex) -> Members {
        let entry = nodes[node.index]
        return Members(nodes: nodes, index: node.index + 1, remaining: entry.kind == .object ? Int(entry.count) : 0)
    }

    /// The value of the first member of an object whose key is `key`.
    package func member(_ key: StaticString, of object: NodeIndex) -> NodeIndex? {
        let length = key.utf8CodeUnitCount
        var remaining = count(of: object)
        var index = object.index + 1
        while remaining > 0 {
            let entry = nodes[index]
            if entry.hasEscapes ? isEscaped(index, key) : isPlain(entry, key, length) {
                return NodeIndex(index + 1)
            }
            index = Int(nodes[index + 1].next)
            remaining -= 1
        }
        return nil
    }

    /// The key of a value that is a member of an object, given that member's value.
    package func key(ofMember value: NodeIndex) -> NodeIndex {
        NodeIndex(value.index - 1)
    }

    /// Gives a key another spelling of the same length, so that no place in the text changes.
    ///
    /// - Returns: whether it could be done; escapes and other lengths stay as they are.
    package mutating func respell(key: NodeIndex, as name: String) -> Bool {
        let range = contentRange(key)
        guard !nodes[key.index].hasEscapes, range.count == name.utf8.count else { return false }
        bytes.replaceSubrange(range, with: name.utf8)
        return true
    }

    private func isPlain(_ entry: Node, _ key: StaticString, _ length: Int) -> Bool {
        let start = Int(entry.start) + 1
        guard Int(entry.end) - 1 - start == length else { return false }
        return key.withUTF8Buffer { name in
            for offset in 0..<length where bytes[start + offset] != name[offset] {
                return false
            }
            return true
        }
    }

    private func isEscaped(_ index: Int, _ key: StaticString) -> Bool {
        let content = Escapes.decoded(bytes[contentRange(NodeIndex(index))])
        return key.withUTF8Buffer { name in content.elementsEqual(name) }
    }
}

extension Document {
    /// The elements of an array.
    package struct Elements: Sequence, IteratorProtocol {
        let nodes: [Node]
        var index: Int
        var remaining: Int

        /// The next element.
        package mutating func next() -> NodeIndex? {
            guard remaining > 0 else { return nil }
            remaining -= 1
            defer { index = Int(nodes[index].next) }
            return NodeIndex(index)
        }
    }

    /// The members of an object.
    package struct Members: Sequence, IteratorProtocol {
        let nodes: [Node]
        var index: Int
        var remaining: Int

        /// The next member: its key, which is a string, and its value.
        package mutating func next() -> (key: NodeIndex, value: NodeIndex)? {
            guard remaining > 0 else { return nil }
            remaining -= 1
            defer { index = Int(nodes[index + 1].next) }
            return (NodeIndex(index), NodeIndex(index + 1))
        }
    }
}
