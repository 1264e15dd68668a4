/// Text as the kernel sees it: bytes.
///
/// Swift's own `split`, `hasPrefix` and `contains` work on characters, and a character may be a slash with a combining
/// mark that follows it. The kernel sees the slash. Whatever comes from configurations, images and the kernel is
/// therefore taken apart by these (`make check` refuses the others), or a hostile name could hide a path separator from
/// the runtime.
extension StringProtocol {
    /// Whether the bytes begin with those of another text.
    package func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether the bytes end with those of another text.
    package func ends(with suffix: String) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }

    /// Whether the kernel would start from the root.
    package var isAbsolutePath: Bool { utf8.first == UInt8(ascii: "/") }

    /// Whether an ASCII character's byte occurs.
    package func containsByte(_ character: Unicode.Scalar) -> Bool { utf8.contains(UInt8(ascii: character)) }

    package func containsText(_ part: String) -> Bool {
        let (text, part) = (Array(utf8), Array(part.utf8))
        guard text.count >= part.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)].elementsEqual(part) }
    }

    /// The text with its ASCII letters in capitals. Names of signals, capabilities and kernel options have no others,
    /// and Unicode's tables would be a fortieth of the executable.
    package var inCapitals: String { mapped { $0 &- UInt8(ascii: "a") < 26 ? $0 & ~0x20 : $0 } }

    /// The text with its ASCII letters in lower case.
    package var inLowerCase: String { mapped { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 } }

    private func mapped(_ change: (UInt8) -> UInt8) -> String { String(decoding: utf8.map(change), as: UTF8.self) }

    /// What follows a beginning; nil when the text does not begin so.
    package func rest(after prefix: String) -> String? {
        begins(with: prefix) ? String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : nil
    }

    /// The pieces between an ASCII character's bytes.
    package func parts(by separator: Unicode.Scalar, keepingEmpty: Bool = false, most: Int = .max) -> [String] {
        let byte = UInt8(ascii: separator)
        return utf8.split(
            separator: byte, maxSplits: most == .max ? .max : most - 1, omittingEmptySubsequences: !keepingEmpty
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The path, absolute, without `.`, `..` and empty parts, by its text alone.
    package var cleanedPath: String {
        var parts: [String] = []
        for part in self.parts(by: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The same path before and after its last slash; nil without one.
    package var splitAtLastSlash: (folder: String, name: String)? {
        let bytes = Array(utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return (
            String(decoding: bytes[..<slash], as: UTF8.self), String(decoding: bytes[(slash + 1)...], as: UTF8.self)
        )
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character: Unicode's general category Cc.
    package var isControl: Bool { value < 0x20 || (0x7f...0x9f).contains(value) }
}

extension ArraySlice<UInt8> {
    /// The number at an offset from the beginning of the bytes; the caller has checked that it is there.
    @inlinable
    package func value<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }
}

/// A text of the user's as a message may show it: messages are one line.
package func printable(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 }) else { return text }
    return String(decoding: text.utf8.map { $0 < 0x20 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
}
