/// Reads a text into the flat list of values that ``Document`` keeps.
///
/// It does not recurse: nesting is a list of open containers, so that a hostile text ends in an error, never in a
/// stack overflow.
struct Reader {
    let bytes: [UInt8]
    let policy: DuplicateKeyPolicy
    var position = 0
    var nodes: [Node] = []
    var duplicates: [DuplicateKey] = []
    /// Indices of the arrays and objects that have not been closed yet.
    var open: [Int] = []
    /// The keys of the object being closed; kept to allocate once for all objects.
    var keys: [Int] = []

    init(_ bytes: [UInt8], policy: DuplicateKeyPolicy) {
        self.bytes = bytes
        self.policy = policy
        nodes.reserveCapacity(min(bytes.count, 1 << 20) / 8 + 8)
        open.reserveCapacity(16)
    }

    /// Reads everything.
    mutating func readDocument() throws(SyntaxError) {
        guard bytes.count < Int(Int32.max) else { throw error("the text is larger than 2 GiB", at: 0) }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw error("the text starts with a byte order mark, which JSON does not allow; save it without one", at: 0)
        }
        skipSpace()
        guard position < bytes.count else { throw error("the text is empty", at: 0) }
        var expectsValue = true
        while expectsValue {
            if try beginValue() { continue }
            expectsValue = try endValue()
        }
        skipSpace()
        guard position == bytes.count else {
            throw error("expected nothing more after the end of the value, found \(found())", at: position)
        }
    }

    /// Reads a scalar or an empty container whole, or the opening of a container up to its first value.
    ///
    /// - Returns: whether a container was opened, so that its first value comes next.
    private mutating func beginValue() throws(SyntaxError) -> Bool {
        guard position < bytes.count else { throw endOfText() }
        if let container = open.last {
            nodes[container].count += 1
        }
        switch bytes[position] {
        case Byte.quote:
            try readString()
        case Byte.openBrace:
            return try openContainer(.object, closing: Byte.closeBrace)
        case Byte.openBracket:
            return try openContainer(.array, closing: Byte.closeBracket)
        case Byte.minus, Byte.zero...Byte.nine:
            try readNumber()
        default:
            try readWord()
        }
        return false
    }

    private mutating func openContainer(_ kind: Kind, closing: UInt8) throws(SyntaxError) -> Bool {
        guard open.count < Document.maximumDepth else {
            throw error("more than \(Document.maximumDepth) arrays and objects stand in each other", at: position)
        }
        let start = UInt32(position)
        nodes.append(Node(kind: kind, start: start, end: start, next: .max))
        open.append(nodes.count - 1)
        position += 1
        skipSpace()
        if position < bytes.count, bytes[position] == closing {
            try closeContainer()
            return false
        }
        if kind == .object {
            try readKey()
        }
        return true
    }

    /// Reads what stands behind a value: closing brackets, then a comma or the end of the text.
    ///
    /// - Returns: whether a comma came, so that another value follows.
    private mutating func endValue() throws(SyntaxError) -> Bool {
        while let container = open.last {
            let isObject = nodes[container].kind == .object
            skipSpace()
            guard position < bytes.count else { throw endOfText() }
            if bytes[position] == Byte.comma {
                try readComma(isObject)
                return true
            }
            guard bytes[position] == (isObject ? Byte.closeBrace : Byte.closeBracket) else {
                let expected = isObject ? "\",\" or \"}\"" : "\",\" or \"]\""
                throw error("expected \(expected), found \(found())", at: position)
            }
            try closeContainer()
        }
        return false
    }

    private mutating func readComma(_ isObject: Bool) throws(SyntaxError) {
        let comma = position
        position += 1
        skipSpace()
        guard position < bytes.count else { throw endOfText() }
        if bytes[position] == (isObject ? Byte.closeBrace : Byte.closeBracket) {
            throw error("a comma stands before \(found()), where nothing follows it", at: comma)
        }
        if isObject {
            try readKey()
        }
    }

    /// Reads `"key" :` up to the member's value.
    private mutating func readKey() throws(SyntaxError) {
        guard position < bytes.count else { throw endOfText() }
        guard bytes[position] == Byte.quote else {
            throw error("expected a key in quotes, found \(found())", at: position)
        }
        try readString()
        skipSpace()
        guard position < bytes.count else { throw endOfText() }
        guard bytes[position] == Byte.colon else {
            throw error("expected \":\" after the key, found \(found())", at: position)
        }
        position += 1
        skipSpace()
    }

    private mutating func closeContainer() throws(SyntaxError) {
        let index = open.removeLast()
        position += 1
        nodes[index].end = UInt32(position)
        nodes[index].next = UInt32(nodes.count)
        if nodes[index].kind == .object, nodes[index].count > 1 {
            try findDuplicates(in: index)
        }
    }

    private mutating func readWord() throws(SyntaxError) {
        for (word, kind) in [("true", Kind.boolean), ("false", .boolean), ("null", .null)]
        where bytes[position...].starts(with: word.utf8) {
            append(kind, from: position, to: position + word.utf8.count)
            return
        }
        throw error("expected a value, found \(found())", at: position)
    }

    /// Adds a value without children and moves behind it.
    mutating func append(_ kind: Kind, hasEscapes: Bool = false, from start: Int, to end: Int) {
        let next = UInt32(nodes.count + 1)
        nodes.append(Node(kind: kind, hasEscapes: hasEscapes, start: UInt32(start), end: UInt32(end), next: next))
        position = end
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte <= Byte.space else { return }
            guard byte == Byte.space || byte == Byte.lineFeed || byte == Byte.tab || byte == Byte.carriageReturn
            else { return }
            position += 1
        }
    }
}
