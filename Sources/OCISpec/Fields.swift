import JSON

/// A part of a document that is a JSON object with known keys.
protocol Section {
    /// Reads the section. Mistakes are noted, not thrown, so that all of them are found in one go; what is returned
    /// then holds placeholders and is never handed out.
    init(_ fields: inout Fields)
}

/// A closed set of words of the specification.
protocol Word: RawRepresentable, CaseIterable, Sendable where RawValue == String {}

/// What the decoders of one document share: the text and what was found wrong with it.
final class SpecDecoder {
    let document: Document
    private(set) var findings: [Finding] = []

    init(_ document: Document) {
        self.document = document
        for duplicate in document.duplicateKeys {
            let first = document.location(of: duplicate.first)
            let name = document.excerpt(of: duplicate.key)
            note(.error, at: duplicate.key, "the key \(name) stands twice, first at \(first)")
        }
    }

    /// Notes a mistake, or something odd, at a value.
    func note(_ severity: Diagnostic.Severity, at node: NodeIndex, _ message: String) {
        guard findings.count < Diagnostic.maximumCount else { return }
        let offset = document.range(of: node).lowerBound
        findings.append(Finding(severity: severity, node: node, offset: offset, message: message))
    }

    /// Runs `body` and forgets what it noted.
    fileprivate func silently(_ body: () -> Void) {
        let count = findings.count
        body()
        findings.removeLast(findings.count - count)
    }

    /// Notes a value of the wrong kind.
    func mismatch(at node: NodeIndex, expected: String) {
        note(.error, at: node, "expected \(expected), found \(document.words(for: node))")
    }

    /// Reads an object as a section.
    func section<T: Section>(_ type: T.Type = T.self, at node: NodeIndex) -> T? {
        guard document.kind(of: node) == .object else {
            mismatch(at: node, expected: "an object")
            return nil
        }
        var fields = Fields(self, node)
        let value = T(&fields)
        if fields.hasUnknown {
            fields.reportUnknown(in: type)
        }
        return value
    }

    /// Reads a string. One that holds NUL is refused: C would see it end there, so that what was checked would not be
    /// what is used.
    func string(at node: NodeIndex) -> String? {
        guard let string = document.string(node) else {
            mismatch(at: node, expected: "a string")
            return nil
        }
        if document.containsNUL(node) {
            note(.error, at: node, "a string must not contain NUL (\\u0000)")
            return nil
        }
        return string
    }

    /// Reads a whole number that fits the type and, where one is given, the range.
    func integer<T: FixedWidthInteger>(at node: NodeIndex, in range: ClosedRange<T>) -> T? {
        guard document.kind(of: node) == .number else {
            mismatch(at: node, expected: "a number")
            return nil
        }
        do {
            let integer = try document.integer(node)
            let value = integer.isNegative ? integer.signed.flatMap(T.init(exactly:)) : T(exactly: integer.magnitude)
            if let value, range.contains(value) {
                return value
            }
        } catch {
            if error == .notAnInteger {
                note(.error, at: node, "expected a whole number, found \(document.excerpt(of: node))")
                return nil
            }
        }
        let bounds = "\(range.lowerBound) to \(range.upperBound)"
        note(.error, at: node, "expected a number from \(bounds), found \(document.excerpt(of: node))")
        return nil
    }

    /// Reads one of a set of words.
    func word<W: Word>(_ type: W.Type = W.self, at node: NodeIndex) -> W? {
        guard let string = string(at: node) else { return nil }
        if let word = W(rawValue: string) {
            return word
        }
        let words = W.allCases.map(\.rawValue)
        var message = "unknown value \(document.excerpt(of: node))"
        if let nearest = Spelling.nearest(to: string, in: words) {
            message += "; did you mean \"\(nearest)\"?"
        } else if words.count <= 10 {
            message += "; expected one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
        }
        note(.error, at: node, message)
        return nil
    }

    /// Reads every element of an array.
    func elements<T>(at node: NodeIndex, _ read: (NodeIndex) -> T?) -> [T]? {
        guard document.kind(of: node) == .array else {
            mismatch(at: node, expected: "an array")
            return nil
        }
        var result: [T] = []
        result.reserveCapacity(document.count(of: node))
        for element in document.elements(of: node) {
            if let value = read(element) {
                result.append(value)
            }
        }
        return result
    }

    /// Reads an object whose keys are names the user chose, in the order of the text.
    func entries<T>(at node: NodeIndex, _ read: (_ name: String, _ value: NodeIndex) -> T?) -> [T]? {
        guard document.kind(of: node) == .object else {
            mismatch(at: node, expected: "an object")
            return nil
        }
        var result: [T] = []
        result.reserveCapacity(document.count(of: node))
        for (key, value) in document.members(of: node) {
            guard let name = string(at: key) else { continue }
            if name.isEmpty {
                note(.error, at: key, "a key must not be empty")
            } else if let entry = read(name, value) {
                result.append(entry)
            }
        }
        return result
    }
}

/// The members of one object, asked for one by one. What nobody asked for is unknown and reported at the end.
struct Fields {
    let decoder: SpecDecoder
    /// The object.
    let node: NodeIndex
    /// Whether an unknown key is an error: the keys are words of a closed set rather than fields.
    var refusesUnknown = false
    private var matched = 0
    /// Where a section is read only to learn which keys it knows: those it asked for.
    private var asked: [StaticString]?

    fileprivate init(_ decoder: SpecDecoder, _ node: NodeIndex) {
        self.decoder = decoder
        self.node = node
    }

    /// The key of the object within its parent, where that is an object.
    var name: String {
        decoder.document.string(decoder.document.key(ofMember: node)) ?? ""
    }

    /// The value of a known key. `null` counts as absent: that is how Go programs write an empty field.
    mutating func value(_ key: StaticString) -> NodeIndex? {
        if asked != nil {
            asked?.append(key)
            return nil
        }
        guard let value = decoder.document.member(key, of: node) else { return nil }
        matched += 1
        return decoder.document.kind(of: value) == .null ? nil : value
    }

    /// Marks keys as known whose values do not matter on Linux.
    mutating func ignore(_ keys: StaticString...) {
        for key in keys {
            _ = value(key)
        }
    }

    /// Notes a mistake at the value of `key`, or at the object where the key is absent.
    func error(_ key: StaticString, _ message: String) {
        note(.error, key, message)
    }

    /// Notes something odd at the value of `key`.
    func warning(_ key: StaticString, _ message: String) {
        note(.warning, key, message)
    }

    /// Notes that a required key is missing. The place is the object's.
    func missing(_ key: StaticString) {
        decoder.note(.error, at: node, "missing required field \"\(key)\"")
    }

    private func note(_ severity: Diagnostic.Severity, _ key: StaticString, _ message: String) {
        decoder.note(severity, at: decoder.document.member(key, of: node) ?? node, message)
    }

    /// Whether some members were not asked for.
    fileprivate var hasUnknown: Bool {
        matched < decoder.document.count(of: node)
    }

    /// Reports the members that were not asked for.
    fileprivate func reportUnknown<T: Section>(in type: T.Type) {
        let known = knownKeys(of: type)
        for (key, _) in decoder.document.members(of: node) {
            guard let name = decoder.document.string(key), !known.contains(name) else { continue }
            var message = "unknown key \(decoder.document.excerpt(of: key))"
            if let nearest = Spelling.nearest(to: name, in: known) {
                message += "; did you mean \"\(nearest)\"?"
            }
            decoder.note(refusesUnknown ? .error : .warning, at: key, refusesUnknown ? message : message + " (ignored)")
        }
    }

    /// The keys a section knows, learnt by letting it ask once more: no list that could differ from what is read, and
    /// no cost where every key is known.
    private func knownKeys<T: Section>(of type: T.Type) -> [String] {
        var probe = self
        probe.asked = []
        decoder.silently { _ = T(&probe) }
        return (probe.asked ?? []).map { "\($0)" }
    }
}

extension Fields {
    /// Whether a key stands in the object with another value than `null`.
    func isPresent(_ key: StaticString) -> Bool {
        kind(key).map { $0 != .null } ?? false
    }

    /// Whether a key's value is a string.
    func isString(_ key: StaticString) -> Bool {
        kind(key) == .string
    }

    /// Whether a key's value is a number.
    func isNumber(_ key: StaticString) -> Bool {
        kind(key) == .number
    }

    /// Whether a key's value is an array without elements.
    func isEmptyArray(_ key: StaticString) -> Bool {
        guard let value = decoder.document.member(key, of: node) else { return false }
        return decoder.document.kind(of: value) == .array && decoder.document.count(of: value) == 0
    }

    /// A key's value in the words of a message.
    func words(for key: StaticString) -> String {
        decoder.document.member(key, of: node).map(decoder.document.words(for:)) ?? "nothing"
    }

    private func kind(_ key: StaticString) -> Kind? {
        decoder.document.member(key, of: node).map(decoder.document.kind(of:))
    }
}
