/// Builds JSON text piece by piece, in the order of the calls.
///
/// The caller keeps to the grammar: a key before each value of an object, each opening closed. A mistake in that is a
/// mistake of the program and stops it in ``finish()``'s check or at the call.
package struct Writer {
    /// How the text is laid out.
    package enum Style: Sendable, Hashable {
        /// One line without any space: what programs read.
        case compact
        /// One value a line, each level this many spaces further in.
        case indented(Int)
        /// One value a line, each level one tab further in.
        case tabs
    }

    private let style: Style
    private var bytes: [UInt8] = []
    /// For each open container: whether something stands in it already.
    private var filled: [Bool] = []
    private var followsKey = false

    /// An empty text.
    package init(style: Style = .compact) {
        self.style = style
    }

    /// Writes an object whose members `body` writes.
    package mutating func object(_ body: (inout Writer) -> Void) {
        container(Byte.openBrace, Byte.closeBrace, body)
    }

    /// Writes an array whose elements `body` writes.
    package mutating func array(_ body: (inout Writer) -> Void) {
        container(Byte.openBracket, Byte.closeBracket, body)
    }

    /// Writes the key of the member whose value comes next.
    package mutating func key(_ name: String) {
        precondition(!followsKey, "two keys in a row")
        separate()
        Escapes.append(name, to: &bytes)
        bytes.append(Byte.colon)
        if style != .compact {
            bytes.append(Byte.space)
        }
        followsKey = true
    }

    /// Writes a string.
    package mutating func string(_ value: String) {
        separate()
        Escapes.append(value, to: &bytes)
    }

    /// Writes a whole number.
    package mutating func integer(_ value: some BinaryInteger) {
        separate()
        bytes += Array(String(value).utf8)
    }

    /// Writes a number of hundredths as a decimal: 150 as `1.5`.
    package mutating func hundredths(_ value: UInt64) {
        separate()
        let rest = value % 100
        var text = String(value / 100)
        if rest != 0 {
            text += rest < 10 ? ".0\(rest)" : rest % 10 == 0 ? ".\(rest / 10)" : ".\(rest)"
        }
        bytes += Array(text.utf8)
    }

    /// Writes `true` or `false`.
    package mutating func boolean(_ value: Bool) {
        separate()
        bytes += Array((value ? "true" : "false").utf8)
    }

    /// Writes `null`.
    package mutating func null() {
        separate()
        bytes += Array("null".utf8)
    }

    /// Writes a value that is JSON text already, as it stands, but for the beginnings of its lines.
    package mutating func verbatim(_ text: [UInt8]) {
        separate()
        for byte in text {
            if byte == Byte.lineFeed {
                breakLine()
            } else {
                bytes.append(byte)
            }
        }
    }

    /// Writes a member that is a string.
    package mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    /// Writes a member that is a whole number.
    package mutating func member(_ name: String, _ value: some BinaryInteger) {
        key(name)
        integer(value)
    }

    /// Writes a member that is `true` or `false`.
    package mutating func member(_ name: String, _ value: Bool) {
        key(name)
        boolean(value)
    }

    /// Writes a member that is an array of strings.
    package mutating func member(_ name: String, _ values: [String]) {
        key(name)
        array { writer in
            for value in values {
                writer.string(value)
            }
        }
    }

    /// The text. Everything opened must have been closed.
    package consuming func finish() -> [UInt8] {
        precondition(filled.isEmpty && !followsKey, "the text is not complete")
        return bytes
    }

    private mutating func container(_ opening: UInt8, _ closing: UInt8, _ body: (inout Writer) -> Void) {
        separate()
        bytes.append(opening)
        filled.append(false)
        body(&self)
        precondition(!followsKey, "a key without a value")
        if filled.removeLast() {
            breakLine()
        }
        bytes.append(closing)
    }

    /// Writes the comma and line break that belong before a key or element.
    private mutating func separate() {
        if followsKey {
            followsKey = false
            return
        }
        guard let isFilled = filled.last else { return }
        if isFilled {
            bytes.append(Byte.comma)
        }
        filled[filled.count - 1] = true
        breakLine()
    }

    private mutating func breakLine() {
        switch style {
        case .compact:
            return
        case .indented(let width):
            bytes.append(Byte.lineFeed)
            bytes += Array(repeating: Byte.space, count: filled.count * width)
        case .tabs:
            bytes.append(Byte.lineFeed)
            bytes += Array(repeating: Byte.tab, count: filled.count)
        }
    }
}
