import JSON

// Optional fields: nil where absent, or where a mistake was noted.
extension Fields {
    /// A boolean.
    mutating func boolean(_ key: StaticString) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let boolean = decoder.document.boolean(value) else {
            decoder.mismatch(at: value, expected: "true or false")
            return nil
        }
        return boolean
    }

    /// A string.
    mutating func string(_ key: StaticString) -> String? {
        value(key).flatMap(decoder.string(at:))
    }

    /// A string that must be an absolute path.
    mutating func absolutePath(_ key: StaticString) -> String? {
        guard let value = value(key), let path = decoder.string(at: value) else { return nil }
        decoder.checkAbsolute(path, at: value)
        return path
    }

    /// A whole number.
    mutating func integer<T: FixedWidthInteger>(_ key: StaticString, in range: ClosedRange<T> = T.min...T.max) -> T? {
        value(key).flatMap { decoder.integer(at: $0, in: range) }
    }

    /// A word of a closed set.
    mutating func word<W: Word>(_ key: StaticString, complaint: StaticString = "unknown value") -> W? {
        value(key).flatMap { decoder.word(at: $0, complaint: complaint) }
    }

    /// An object with known keys.
    mutating func section<T: Section>(_ key: StaticString) -> T? {
        value(key).flatMap { decoder.section(at: $0) }
    }

    /// An array of strings.
    mutating func strings(_ key: StaticString) -> [String]? {
        value(key).flatMap { decoder.elements(at: $0, decoder.string(at:)) }
    }

    /// An array of strings that must be absolute paths.
    mutating func absolutePaths(_ key: StaticString) -> [String]? {
        guard let value = value(key) else { return nil }
        return decoder.elements(at: value) { [decoder] element in
            let path = decoder.string(at: element)
            if let path {
                decoder.checkAbsolute(path, at: element)
            }
            return path
        }
    }

    /// An array of whole numbers.
    mutating func integers<T: FixedWidthInteger>(_ key: StaticString) -> [T]? {
        guard let value = value(key) else { return nil }
        return decoder.elements(at: value) { [decoder] in decoder.integer(at: $0, in: T.min...T.max) }
    }

    /// An array of words of a closed set.
    mutating func words<W: Word>(_ key: StaticString, complaint: StaticString = "unknown value") -> [W]? {
        guard let value = value(key) else { return nil }
        return decoder.elements(at: value) { [decoder] in decoder.word(at: $0, complaint: complaint) }
    }

    /// An array of objects with known keys.
    mutating func sections<T: Section>(_ key: StaticString) -> [T]? {
        guard let value = value(key) else { return nil }
        return decoder.elements(at: value) { [decoder] in decoder.section(at: $0) }
    }

    /// An object of strings under keys the user chose.
    mutating func map(_ key: StaticString) -> [KeyValue]? {
        guard let value = value(key) else { return nil }
        return decoder.entries(at: value) { [decoder] name, entry in
            decoder.string(at: entry).map { KeyValue(key: name, value: $0) }
        }
    }

    /// An object of sections under keys the user chose; a section finds its key in ``Fields/name``.
    mutating func namedSections<T: Section>(_ key: StaticString) -> [T]? {
        guard let value = value(key) else { return nil }
        return decoder.entries(at: value) { [decoder] _, entry in decoder.section(at: entry) }
    }
}

// Required fields: a placeholder where absent or wrong, after the mistake was noted.
extension Fields {
    /// A boolean.
    mutating func requiredBoolean(_ key: StaticString) -> Bool {
        let boolean = boolean(key)
        checkPresence(key)
        return boolean ?? false
    }

    /// A string.
    mutating func requiredString(_ key: StaticString) -> String {
        let string = string(key)
        checkPresence(key)
        return string ?? ""
    }

    /// A string that must not be empty.
    mutating func requiredName(_ key: StaticString) -> String {
        let string = string(key)
        checkPresence(key)
        if string?.isEmpty == true {
            error(key, "must not be empty")
        }
        return string ?? ""
    }

    /// A string that must be an absolute path.
    mutating func requiredAbsolutePath(_ key: StaticString) -> String {
        let path = absolutePath(key)
        checkPresence(key)
        return path ?? ""
    }

    /// A whole number.
    mutating func requiredInteger<T: FixedWidthInteger>(
        _ key: StaticString, in range: ClosedRange<T> = T.min...T.max
    ) -> T {
        let integer = integer(key, in: range)
        checkPresence(key)
        return integer ?? range.lowerBound
    }

    /// A whole number that the specification requires and runc and crun take for 0 where it is missing.
    mutating func integerOrZero<T: FixedWidthInteger>(
        _ key: StaticString, in range: ClosedRange<T> = T.min...T.max
    ) -> T {
        let integer = integer(key, in: range)
        if !isPresent(key) { warning(key, "\"\(key)\" is missing; 0 is taken") }
        return integer ?? 0
    }

    /// A word of a closed set.
    mutating func requiredWord<W: Word>(
        _ key: StaticString, placeholder: W, complaint: StaticString = "unknown value"
    ) -> W {
        let word: W? = word(key, complaint: complaint)
        checkPresence(key)
        return word ?? placeholder
    }

    private func checkPresence(_ key: StaticString) {
        guard let value = decoder.document.member(key, of: node), decoder.document.kind(of: value) != .null else {
            missing(key)
            return
        }
    }
}

// Rules that several sections share.
extension Fields {
    /// Refuses two elements of the array `key` whose `member` is the same word of a closed set.
    ///
    /// A plain list is searched: sets have at most sixteen words, and a first dictionary costs a process 0.03 ms.
    func refuseRepeats(of member: StaticString, in key: StaticString) {
        guard let array = decoder.document.member(key, of: node) else { return }
        var seen: [(word: String, element: NodeIndex)] = []
        for element in decoder.document.elements(of: array) where decoder.document.kind(of: element) == .object {
            guard let value = decoder.document.member(member, of: element),
                let word = decoder.document.string(value)
            else { continue }
            if let first = seen.first(where: { $0.word == word }) {
                let place = decoder.document.path(of: first.element)
                decoder.note(
                    .error, at: value, "\(decoder.document.excerpt(of: value)) stands twice, first in \(place)")
            } else if seen.count < 32 {
                seen.append((word, element))
            }
        }
    }

    /// Refuses an object that has neither of two keys.
    func requireOne(of first: StaticString, _ second: StaticString) {
        if !isPresent(first), !isPresent(second) {
            decoder.note(.error, at: node, "needs at least one of \"\(first)\" and \"\(second)\"")
        }
    }

    /// Refuses a string that breaks a line; `key` holds it.
    func refuseLineBreaks(_ key: StaticString, _ value: String?) {
        if value?.utf8.contains(UInt8(ascii: "\n")) == true {
            error(key, "must not contain a line break")
        }
    }
}

extension SpecDecoder {
    /// Notes a path that does not begin with a slash.
    func checkAbsolute(_ path: String, at node: NodeIndex) {
        if path.utf8.first != UInt8(ascii: "/") {
            note(.error, at: node, "expected an absolute path, found \(document.words(for: node))")
        }
    }
}
