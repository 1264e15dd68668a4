/// A place in a text, as an editor shows it.
///
/// Both numbers start at 1. A column counts Unicode code points, not bytes, so that a name with an umlaut before the
/// place does not move it; a tab is one column. Lines end at a line feed.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    package var line: Int
    /// The code point within the line, from 1.
    package var column: Int

    /// A place by its numbers, both from 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The place of the byte `offset` of `bytes`; an offset behind the end is the place after the last byte.
    package init(offset: Int, in bytes: [UInt8]) {
        var counter = LocationCounter(bytes)
        self = counter.location(ofOffset: offset)
    }

    /// `line:column`.
    package var description: String {
        "\(line):\(column)"
    }
}

/// Turns many offsets of one text into places in a single pass.
///
/// A document with a thousand mistakes would otherwise be walked from its start a thousand times. Offsets must not
/// decrease from call to call; one that does is answered by starting over.
package struct LocationCounter {
    private let bytes: [UInt8]
    private var offset = 0
    private var current = SourceLocation(line: 1, column: 1)

    /// A counter that stands at the start of `bytes`.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The place of the byte `target`.
    package mutating func location(ofOffset target: Int) -> SourceLocation {
        if target < offset {
            offset = 0
            current = SourceLocation(line: 1, column: 1)
        }
        let end = min(target, bytes.count)
        while offset < end {
            advance(over: bytes[offset])
            offset += 1
        }
        return current
    }

    private mutating func advance(over byte: UInt8) {
        if byte == Byte.lineFeed {
            current = SourceLocation(line: current.line + 1, column: 1)
        } else if byte & 0xC0 != 0x80 {
            current.column += 1
        }
    }
}
