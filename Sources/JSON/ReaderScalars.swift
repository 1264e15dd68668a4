extension Reader {
    /// Reads the string that begins at the position. Well-formed UTF-8 is checked here, once for the whole module.
    mutating func readString() throws(SyntaxError) {
        let start = position
        var current = position + 1
        var hasEscapes = false
        while true {
            current = endOfPlain(from: current)
            guard current < bytes.count else { throw error("the text ends inside a string", at: start) }
            let byte = bytes[current]
            if byte == Byte.quote { break }
            if byte == Byte.backslash {
                hasEscapes = true
                current = try endOfEscape(at: current)
            } else if byte >= 0x80 {
                current = try endOfScalar(at: current)
            } else {
                throw controlCharacter(byte, at: current)
            }
        }
        append(.string, hasEscapes: hasEscapes, from: start, to: current + 1)
    }

    /// Reads the number that begins at the position: `-? (0 | [1-9][0-9]*) (.[0-9]+)? ([eE][+-]?[0-9]+)?`.
    mutating func readNumber() throws(SyntaxError) {
        let start = position
        var current = position
        if bytes[current] == Byte.minus {
            current += 1
        }
        let first = current
        current = try endOfDigits(at: current, "a digit after \"-\"")
        if current - first > 1, bytes[first] == Byte.zero {
            throw error("a number must not begin with a zero", at: start)
        }
        if current < bytes.count, bytes[current] == Byte.dot {
            current = try endOfDigits(at: current + 1, "a digit after \".\"")
        }
        if current < bytes.count, bytes[current] | 0x20 == UInt8(ascii: "e") {
            current += 1
            if current < bytes.count, bytes[current] == Byte.plus || bytes[current] == Byte.minus {
                current += 1
            }
            current = try endOfDigits(at: current, "a digit in the exponent")
        }
        append(.number, from: start, to: current)
    }

    /// The first byte from `start` on that is not a printable ASCII character without a meaning in a string.
    @inline(__always)
    private func endOfPlain(from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            var current = start
            while current < buffer.count {
                let byte = buffer[current]
                guard byte >= Byte.space, byte < 0x80, byte != Byte.quote, byte != Byte.backslash else { break }
                current += 1
            }
            return current
        }
    }

    private func endOfDigits(at start: Int, _ expected: String) throws(SyntaxError) -> Int {
        var current = start
        while current < bytes.count, Byte.isDigit(bytes[current]) {
            current += 1
        }
        guard current > start else { throw error("expected \(expected), found \(found(at: start))", at: start) }
        return current
    }

    private func endOfEscape(at start: Int) throws(SyntaxError) -> Int {
        guard start + 1 < bytes.count else { throw error("the text ends inside a string", at: start) }
        guard bytes[start + 1] == UInt8(ascii: "u") else {
            guard Escapes.simple(bytes[start + 1]) != nil else {
                throw error("a backslash must not stand before \(found(at: start + 1))", at: start)
            }
            return start + 2
        }
        guard let unit = Escapes.codeUnit(bytes[...], at: start + 2) else {
            throw error("expected four hexadecimal digits after \"\\u\"", at: start)
        }
        if unit & 0xFC00 == 0xDC00 {
            throw error("the second half of a surrogate pair stands alone", at: start)
        }
        if unit & 0xFC00 == 0xD800 {
            try checkSecondHalf(of: start)
            return start + 12
        }
        return start + 6
    }

    private func checkSecondHalf(of start: Int) throws(SyntaxError) {
        let second = start + 6
        guard second + 1 < bytes.count, bytes[second] == Byte.backslash, bytes[second + 1] == UInt8(ascii: "u"),
            let low = Escapes.codeUnit(bytes[...], at: second + 2), low & 0xFC00 == 0xDC00
        else {
            throw error("the first half of a surrogate pair stands alone", at: start)
        }
    }

    /// The end of the UTF-8 sequence at `start`, whose first byte is not ASCII (Unicode, table 3-7).
    private func endOfScalar(at start: Int) throws(SyntaxError) -> Int {
        let lead = bytes[start]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw invalidUTF8(at: start)
        }
        guard start + length <= bytes.count, second.contains(bytes[start + 1]) else { throw invalidUTF8(at: start) }
        for offset in 2..<max(length, 2) where bytes[start + offset] & 0xC0 != 0x80 {
            throw invalidUTF8(at: start)
        }
        return start + length
    }

    private func invalidUTF8(at offset: Int) -> SyntaxError {
        error("the byte \(hexadecimal(bytes[offset])) is not valid UTF-8 here", at: offset)
    }

    private func controlCharacter(_ byte: UInt8, at offset: Int) -> SyntaxError {
        switch byte {
        case 0: error("a NUL byte stands in a string", at: offset)
        case Byte.lineFeed: error("the line ends inside a string; write \"\\n\" for a line break", at: offset)
        case Byte.tab: error("a tab stands in a string; write \"\\t\"", at: offset)
        default: error("the control character \(hexadecimal(byte)) stands in a string; escape it", at: offset)
        }
    }
}
