/// A version of the runtime specification, in SemVer 2.0.0 form (config.md, "Specification version").
package struct OCIVersion: Sendable, Hashable {
    /// The version that this runtime implements.
    package static let implemented = "1.3.0"
    /// The oldest version whose documents are understood.
    package static let oldest = "1.0.0"
    private static let implementedMinor = 3

    /// The first number: documents of another one mean something else.
    package let major: Int
    /// The second number: a higher one adds fields.
    package let minor: Int
    /// The third number.
    package let patch: Int

    /// Reads a version, or nil where the text is not SemVer 2.0.0. Pre-release and build parts are checked and dropped.
    package init?(_ text: String) {
        var rest = text.utf8[...]
        if let plus = rest.firstIndex(of: UInt8(ascii: "+")) {
            guard Self.areIdentifiers(rest[rest.index(after: plus)...], allowLeadingZeros: true) else { return nil }
            rest = rest[..<plus]
        }
        if let dash = rest.firstIndex(of: UInt8(ascii: "-")) {
            guard Self.areIdentifiers(rest[rest.index(after: dash)...], allowLeadingZeros: false) else { return nil }
            rest = rest[..<dash]
        }
        let parts = rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let major = Self.number(parts[0]), let minor = Self.number(parts[1]),
            let patch = Self.number(parts[2])
        else { return nil }
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Notes what is wrong with a document's version: another major is an error, a newer minor is worth a warning.
    static func check(_ text: String, _ fields: Fields) {
        guard fields.isPresent("ociVersion"), !text.isEmpty || fields.isString("ociVersion") else { return }
        guard let version = OCIVersion(text) else {
            fields.error("ociVersion", "expected a version in SemVer 2.0.0 format such as \"\(implemented)\"")
            return
        }
        if version.major != 1 {
            fields.error("ociVersion", "version \(text) is not supported; this runtime implements \(implemented)")
        } else if version.minor > implementedMinor {
            fields.warning(
                "ociVersion",
                "version \(text) is newer than \(implemented), which this runtime implements; newer fields are ignored")
        }
    }

    /// A number without leading zeros; one too large for `Int` counts as the largest.
    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return Int(Substring(digits)) ?? .max
    }

    private static func areIdentifiers(_ text: Substring.UTF8View, allowLeadingZeros: Bool) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            guard !part.isEmpty, part.allSatisfy(isIdentifier) else { return false }
            return allowLeadingZeros || !part.allSatisfy(isDigit) || part.count == 1
                || part.first != UInt8(ascii: "0")
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
    }
}
