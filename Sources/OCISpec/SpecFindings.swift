package import JSON

/// One thing that is wrong, or odd, in a document: where, and what, in a line a person can act on.
package struct SpecFinding: Sendable, Hashable, CustomStringConvertible {
    /// What follows from a finding.
    package enum Severity: Sendable, Hashable {
        /// The document cannot be used.
        case error
        /// The document means what it says, less the part named here.
        case warning
    }

    /// What follows from it.
    package var severity: Severity
    /// The document's file, as the user named it.
    package var file: String
    /// Where the value begins that is meant.
    package var location: SourceLocation
    /// The value's path, as `process.user.uid`; empty for the whole document.
    package var path: String
    /// What is wrong, a sentence without a full stop.
    package var message: String

    /// A finding by its parts.
    package init(severity: Severity, file: String, location: SourceLocation, path: String, message: String) {
        self.severity = severity
        self.file = file
        self.location = location
        self.path = path
        self.message = message
    }

    /// `config.json:41:17: process.user.uid: expected a number, found the string "1000"`.
    package var description: String {
        path.isEmpty ? "\(file):\(location): \(message)" : "\(file):\(location): \(path): \(message)"
    }
}

extension SpecFinding {
    /// How many errors, and how many warnings, one document gets: a megabyte of nonsense must not take minutes to
    /// refuse. They are counted apart, so that no number of warnings hides an error.
    static let maximumCount = 1000

    init(_ error: SyntaxError, file: String) {
        self.init(severity: .error, file: file, location: error.location, path: error.path, message: error.message)
    }
}

/// What a decoder noted, before places and paths were worked out.
struct FieldFinding {
    var severity: SpecFinding.Severity
    var node: NodeIndex
    var offset: Int
    var message: String
}

extension Document {
    /// The findings of `findings`, in the order of the text.
    func findings(_ findings: [FieldFinding], file: String) -> [SpecFinding] {
        var counter = LocationCounter(bytes)
        let sorted = findings.enumerated().sorted { left, right in
            (left.element.offset, left.offset) < (right.element.offset, right.offset)
        }
        return sorted.map { _, finding in
            SpecFinding(
                severity: finding.severity, file: file, location: counter.location(ofOffset: finding.offset),
                path: path(of: finding.node), message: finding.message)
        }
    }

    /// A value as messages describe it: `the string "1000"`, `an object`.
    func words(for node: NodeIndex) -> String {
        switch kind(of: node) {
        case .null: "null"
        case .boolean: excerpt(of: node)
        case .number: "the number \(excerpt(of: node))"
        case .string: "the string \(excerpt(of: node))"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value's text, cut after forty bytes or so, without characters that a terminal obeys.
    func excerpt(of node: NodeIndex) -> String {
        var text = text(of: node)
        if let string = string(node), string.unicodeScalars.contains(where: { "\u{7F}"..."\u{9F}" ~= $0 }) {
            text = Array(Escapes.quoted(string).utf8)[...]
        }
        guard text.count > 48 else { return String(decoding: text, as: UTF8.self) }
        var end = text.startIndex + 40
        while text[end] & 0xC0 == 0x80 {
            end -= 1
        }
        let suffix = kind(of: node) == .string ? "…\"" : "…"
        return String(decoding: text[..<end], as: UTF8.self) + suffix
    }
}
