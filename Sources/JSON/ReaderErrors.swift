extension Reader {
    /// A mistake at `offset`, with the path of the innermost container that is open.
    func error(_ message: String, at offset: Int) -> SyntaxError {
        SyntaxError(
            offset: offset, location: SourceLocation(offset: offset, in: bytes),
            path: open.last.map { Path.text(of: $0, nodes: nodes, bytes: bytes) } ?? "", message: message)
    }

    /// What stands at the position, or at `offset`, for a message.
    func found(at offset: Int? = nil) -> String {
        let offset = offset ?? position
        guard offset < bytes.count else { return "the end of the text" }
        let byte = bytes[offset]
        switch byte {
        case 0: return "a NUL byte"
        case Byte.lineFeed, Byte.carriageReturn: return "the end of the line"
        case Byte.quote: return "a string"
        case Byte.space..<0x7F: return "\"\(word(at: offset))\""
        default: return "the byte \(hexadecimal(byte))"
        }
    }

    /// The text ended where more was needed; says what is open and since where.
    func endOfText() -> SyntaxError {
        guard let container = open.last else { return error("the text ends where a value is expected", at: position) }
        let what = nodes[container].kind == .object ? "the object" : "the array"
        let begin = SourceLocation(offset: Int(nodes[container].start), in: bytes)
        return error("the text ends inside \(what) that begins at \(begin)", at: position)
    }

    /// `0x1f`.
    func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0x0\(digits)" : "0x\(digits)"
    }

    /// The letters and digits from `offset` on, at most twenty, or the one character that stands there.
    private func word(at offset: Int) -> String {
        var end = offset
        while end < bytes.count, end - offset < 20, isWordCharacter(bytes[end]) {
            end += 1
        }
        return String(decoding: bytes[offset..<max(end, offset + 1)], as: UTF8.self)
    }

    private func isWordCharacter(_ byte: UInt8) -> Bool {
        Byte.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
    }
}
