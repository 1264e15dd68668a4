internal import JSON

/// A command as JSON writes it: an array of strings.
package enum WordList {
    /// - Returns: nil where the text is something else, or a word has a byte that no argument can have.
    package static func read(_ text: String) -> [String]? {
        guard let document = try? Document(Array(text.utf8)),  // what is no JSON is no list
            document.kind(of: document.root) == .array
        else { return nil }
        var words: [String] = []
        for element in document.elements(of: document.root) {
            guard !document.containsNUL(element), let word = document.string(element) else { return nil }
            words.append(word)
        }
        return words
    }
}
