extension Reader {
    /// Looks for keys that stand twice in the object at `index`, which has just been closed.
    ///
    /// JSON leaves open which of two equal keys counts. Two programs that read the same `config.json` and choose
    /// differently are a way around a check, so the text is refused.
    mutating func findDuplicates(in index: Int) throws(SyntaxError) {
        keys.removeAll(keepingCapacity: true)
        var key = index + 1
        for _ in 0..<nodes[index].count {
            keys.append(key)
            key = Int(nodes[key + 1].next)
        }
        if keys.count > 64 || keys.contains(where: { nodes[$0].hasEscapes }) {
            try findBySorting()
        } else {
            try findByComparing()
        }
    }

    /// Compares each key with each: cheapest for the few keys that objects have.
    private mutating func findByComparing() throws(SyntaxError) {
        for later in 1..<keys.count {
            for earlier in 0..<later where isEqual(keys[earlier], keys[later]) {
                try report(keys[later], first: keys[earlier])
                break
            }
        }
    }

    /// Sorts the keys' texts, so that a text of many thousand keys does not take their number squared.
    private mutating func findBySorting() throws(SyntaxError) {
        let texts = keys.map { key in (text: content(of: key), key: key) }.sorted { left, right in
            if left.text == right.text { return left.key < right.key }
            return left.text.lexicographicallyPrecedes(right.text)
        }
        var first = 0
        for position in 1..<texts.count {
            if texts[position].text == texts[first].text {
                try report(texts[position].key, first: texts[first].key)
            } else {
                first = position
            }
        }
    }

    /// Compares from the end: keys of one object often begin alike (`io.kubernetes.cri.`).
    private func isEqual(_ left: Int, _ right: Int) -> Bool {
        let (start, other) = (Int(nodes[left].start), Int(nodes[right].start))
        var length = Int(nodes[left].end) - start
        guard length == Int(nodes[right].end) - other else { return false }
        while length > 0 {
            length -= 1
            guard bytes[start + length] == bytes[other + length] else { return false }
        }
        return true
    }

    private func content(of key: Int) -> ArraySlice<UInt8> {
        let content = bytes[Int(nodes[key].start) + 1..<Int(nodes[key].end) - 1]
        return nodes[key].hasEscapes ? Escapes.decoded(content)[...] : content
    }

    private mutating func report(_ key: Int, first: Int) throws(SyntaxError) {
        if policy == .record {
            duplicates.append(DuplicateKey(key: NodeIndex(key), first: NodeIndex(first)))
            return
        }
        let offset = Int(nodes[key].start)
        let place = SourceLocation(offset: Int(nodes[first].start), in: bytes)
        throw SyntaxError(
            offset: offset, location: SourceLocation(offset: offset, in: bytes),
            path: Path.text(of: key + 1, nodes: nodes, bytes: bytes),
            message: "the key \(Path.quotedKey(key, nodes: nodes, bytes: bytes)) stands twice, first at \(place)")
    }
}
