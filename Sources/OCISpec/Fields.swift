import JSON

/// A part of a document that is a JSON object with known keys.
protocol Section {
    /// Reads the section. Mistakes are noted, not thrown, so that all of them are found in one go; what is returned
    /// then holds placeholders and is never handed out.
    init(_ fields: inout Fields)
}

/// An enumeration of the specification: a closed set of strings.
protocol Word: RawRepresentable, CaseIterable, Sendable where RawValue == String {}

/// What the decoders of one document share: the text and what was found wrong with it.
final class SpecDecoder {
    private(set) var document: Document
    private var findings: [FieldFinding] = []
    /// Those about keys that were respelled, which stay when a section is read again.
    private var respellings: [FieldFinding] = []
    private(set) var errorCount = 0
    private var warningCount = 0

    /// All that was found.
    var allFindings: [FieldFinding] { respellings + findings }

    init(_ document: Document) {
        self.document = document
        if !document.duplicateKeys.isEmpty {
            noteDuplicates()
        }
    }

    /// Notes a mistake, or something odd, at a value. The message is only worked out while there is room for it.
    func note(_ severity: SpecFinding.Severity, at node: NodeIndex, _ message: @autoclosure () -> String) {
        switch severity {
        case .error:
            guard errorCount < SpecFinding.maximumCount else { return }
            errorCount += 1
        case .warning:
            guard warningCount < SpecFinding.maximumCount else { return }
            warningCount += 1
        }
        let offset = document.range(of: node).lowerBound
        findings.append(FieldFinding(severity: severity, node: node, offset: offset, message: message()))
    }

    private func noteDuplicates() {
        var counter = LocationCounter(document.bytes)
        let duplicates = document.duplicateKeys.map { ($0.key, document.range(of: $0.first).lowerBound) }
        for (key, first) in duplicates.sorted(by: { $0.1 < $1.1 }) {
            let name = document.excerpt(of: key)
            note(.error, at: key, "the key \(name) stands twice, first at \(counter.location(ofOffset: first))")
        }
    }

    /// How much was noted so far.
    private struct Noted {
        let findings: Int
        let errors: Int
        let warnings: Int
    }

    private var noted: Noted {
        Noted(findings: findings.count, errors: errorCount, warnings: warningCount)
    }

    /// Forgets what was noted since.
    private func forget(since noted: Noted) {
        findings.removeLast(findings.count - noted.findings)
        (errorCount, warningCount) = (noted.errors, noted.warnings)
    }

    /// Notes a value of the wrong kind.
    func mismatch(at node: NodeIndex, expected: String) {
        note(.error, at: node, "expected \(expected), found \(document.words(for: node))")
    }

    /// Reads an object as a section. What does not depend on the section is done elsewhere: this is compiled for each
    /// of them.
    func section<T: Section>(_ type: T.Type = T.self, at node: NodeIndex) -> T? {
        guard isObject(node) else { return nil }
        let before = noted
        var fields = Fields(self, node)
        var value = T(&fields)
        if fields.hasUnknown {
            // The keys a section knows, learnt by letting it ask once more: no list that could differ from what is
            // read, and no cost where every key is known.
            var probe = fields.probe()
            let read = noted
            _ = T(&probe)
            forget(since: read)
            if fields.respellUnknown(known: probe.askedKeys) {
                forget(since: before)
                fields = Fields(self, node)
                value = T(&fields)
            }
            fields.reportUnknown(known: probe.askedKeys)
        }
        return value
    }

    /// Reads a key as the one that it differs from in case alone.
    ///
    /// - Returns: whether the document has changed.
    func respell(_ key: NodeIndex, as name: String) -> Bool {
        let written = document.excerpt(of: key)
        guard document.respell(key: key, as: name) else { return false }
        if respellings.count < SpecFinding.maximumCount {
            let message = "the key \(written) is read as \"\(name)\", from which it differs in case alone"
            let offset = document.range(of: key).lowerBound
            respellings.append(FieldFinding(severity: .warning, node: key, offset: offset, message: message))
        }
        return true
    }

    /// Whether a value is an object; notes the mistake otherwise.
    private func isObject(_ node: NodeIndex) -> Bool {
        guard document.kind(of: node) == .object else {
            mismatch(at: node, expected: "an object")
            return false
        }
        return true
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
    /// - Parameter complaint: what a word is called that is none of them.
    func word<W: Word>(
        _ type: W.Type = W.self, at node: NodeIndex, complaint: StaticString = "unknown value"
    ) -> W? {
        guard let string = string(at: node) else { return nil }
        if let word = W(rawValue: string) {
            return word
        }
        noteUnknown(string, at: node, complaint, W.allCases.map { $0.rawValue })
        return nil
    }

    private func noteUnknown(_ string: String, at node: NodeIndex, _ complaint: StaticString, _ words: [String]) {
        note(.error, at: node, "\(complaint) \(document.excerpt(of: node))\(advice(for: string, words))")
    }

    private func advice(for string: String, _ words: [String]) -> String {
        if let nearest = Spelling.nearest(to: string, in: words) {
            return "; did you mean \"\(nearest)\"?"
        }
        guard words.count <= 10 else { return "" }
        return "; expected one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
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
        guard isObject(node) else { return nil }
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

/// The members of one object, asked for one by one. What was not asked for is unknown and reported at the end.
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

    private func note(_ severity: SpecFinding.Severity, _ key: StaticString, _ message: String) {
        decoder.note(severity, at: decoder.document.member(key, of: node) ?? node, message)
    }

    /// Whether some members were not asked for.
    fileprivate var hasUnknown: Bool {
        matched < decoder.document.count(of: node)
    }

    /// Reports the members that are none of the known ones.
    fileprivate func reportUnknown(known: [String]) {
        let document = decoder.document
        let written = document.members(of: node).compactMap { document.string($0.key) }.filter { known.contains($0) }
        for (key, _) in document.members(of: node) {
            guard let name = document.string(key), !known.contains(name) else { continue }
            if !refusesUnknown, let other = written.first(where: { Spelling.differsInCaseAlone($0, name) }) {
                let key = (node: key, text: document.excerpt(of: key))
                decoder.note(
                    .error, at: key.node,
                    "the key \(key.text) differs from \"\(other)\", which is there too, in case alone")
                continue
            }
            decoder.note(
                refusesUnknown ? .error : .warning, at: key,
                "unknown key \(decoder.document.excerpt(of: key))\(advice(for: name, known))")
        }
    }

    private func advice(for name: String, _ known: [String]) -> String {
        let nearest = Spelling.nearest(to: name, in: known).map { "; did you mean \"\($0)\"?" } ?? ""
        return refusesUnknown ? nearest : nearest + " (ignored)"
    }

    /// What a section is read from only to learn which keys it knows.
    fileprivate func probe() -> Fields {
        var probe = self
        probe.asked = []
        return probe
    }

    /// The keys that a probe was asked for.
    fileprivate var askedKeys: [String] {
        (asked ?? []).map { "\($0)" }
    }
}
