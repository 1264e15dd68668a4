import JSON

// What stands under a key, without reading it.
extension Fields {
    /// Whether a key stands in the object with another value than `null`.
    func isPresent(_ key: StaticString) -> Bool {
        kind(key).map { $0 != .null } ?? false
    }

    /// Whether a key's value is a string.
    func isString(_ key: StaticString) -> Bool {
        kind(key) == .string
    }

    /// Whether a key's value is a string without a character.
    func isEmptyString(_ key: StaticString) -> Bool {
        guard let value = decoder.document.member(key, of: node) else { return false }
        return decoder.document.string(value)?.isEmpty == true
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

    /// A key's value as messages describe it.
    func words(for key: StaticString) -> String {
        decoder.document.member(key, of: node).map(decoder.document.words(for:)) ?? "nothing"
    }

    private func kind(_ key: StaticString) -> Kind? {
        decoder.document.member(key, of: node).map(decoder.document.kind(of:))
    }
}
