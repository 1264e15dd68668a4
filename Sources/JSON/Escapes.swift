/// The backslash sequences of strings, in both directions.
package enum Escapes {
    /// `text` in quotes as JSON writes it: one line, and no control character reaches a terminal or a log.
    package static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text that `content` stands for: what lies between the quotes of a string that was read without mistakes.
    static func decoded(_ content: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var position = content.startIndex
        while position < content.endIndex {
            guard content[position] == Byte.backslash else {
                result.append(content[position])
                position += 1
                continue
            }
            if content[position + 1] == UInt8(ascii: "u") {
                appendUnicode(content, at: &position, to: &result)
            } else {
                result.append(simple(content[position + 1]) ?? content[position + 1])
                position += 2
            }
        }
        return result
    }

    /// The character that a letter after a backslash stands for, or nil where there is none of that name.
    static func simple(_ letter: UInt8) -> UInt8? {
        switch letter {
        case Byte.quote, Byte.backslash, Byte.slash: letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): Byte.lineFeed
        case UInt8(ascii: "r"): Byte.carriageReturn
        case UInt8(ascii: "t"): Byte.tab
        default: nil
        }
    }

    /// The four hexadecimal digits at `position`, or nil where they are not that.
    static func codeUnit(_ bytes: ArraySlice<UInt8>, at position: Int) -> UInt32? {
        guard position + 4 <= bytes.endIndex else { return nil }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Byte.hexadecimal(byte) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    /// Writes `text` in quotes. Beyond what RFC 8259 demands, DEL and the C1 controls are escaped: a terminal obeys
    /// them too. Other text stays readable.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(Byte.quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += [Byte.backslash, Byte.quote]
            case "\\": bytes += [Byte.backslash, Byte.backslash]
            case "\n": bytes += [Byte.backslash, UInt8(ascii: "n")]
            case "\r": bytes += [Byte.backslash, UInt8(ascii: "r")]
            case "\t": bytes += [Byte.backslash, UInt8(ascii: "t")]
            case "\0"..<" ", "\u{7F}"..."\u{9F}": appendNumeric(scalar, to: &bytes)
            default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        bytes.append(Byte.quote)
    }

    private static func appendNumeric(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        bytes += Array("\\u00".utf8)
        bytes += [digits[Int(scalar.value >> 4)], digits[Int(scalar.value & 15)]]
    }

    /// Resolves the `\uXXXX`, or pair of them, at `position`. The reader has checked digits and pairing.
    private static func appendUnicode(
        _ content: ArraySlice<UInt8>, at position: inout Int, to result: inout [UInt8]
    ) {
        var value = codeUnit(content, at: position + 2) ?? 0xFFFD
        position += 6
        if value & 0xFC00 == 0xD800, let low = codeUnit(content, at: position + 2) {
            value = 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF)
            position += 6
        }
        if let scalar = Unicode.Scalar(value) {
            result += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        }
    }
}
