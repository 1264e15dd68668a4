import JSON

// Keys that differ from the specification's in case alone.
extension Fields {
    /// Reads unknown keys as the known ones that they differ from in case alone, which Go's reader, and so runc, does.
    /// Where the known key stands there too, nothing says which one is meant.
    ///
    /// - Returns: whether there were any.
    func respellUnknown(known: [String]) -> Bool {
        guard !refusesUnknown else { return false }
        let document = decoder.document
        let keys = document.members(of: node).map { $0.key }
        var written = keys.compactMap { document.string($0) }.filter { known.contains($0) }
        var isChanged = false
        for key in keys {
            guard let name = document.string(key), !known.contains(name),
                let meant = known.first(where: { Spelling.differsInCaseAlone($0, name) }), !written.contains(meant),
                decoder.respell(key, as: meant)
            else { continue }
            written.append(meant)
            isChanged = true
        }
        return isChanged
    }
}
