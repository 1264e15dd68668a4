/// Finds the word that the user most likely meant.
package enum Spelling {
    /// The word of `words` that `word` was most likely meant to be, if one resembles it.
    ///
    /// A word resembles another when at most a third of its letters are changed, dropped, added or swapped with their
    /// neighbour; what all words begin with (`SCMP_ACT_`) does not count, and upper and lower case are the same letter.
    /// Failing that, a word that only one other begins or ends with stands for it: `net`, `TSYNC`.
    package static func nearest(to word: String, in words: [String]) -> String? {
        let letters = lowercased(word)
        guard letters.count <= 64 else { return nil }
        let candidates = words.map(lowercased)
        let shared = sharedPrefix(candidates)
        let tail = letters.starts(with: shared) ? letters[shared.count...] : letters[...]
        var best: (index: Int, distance: Int)?
        for (index, candidate) in candidates.enumerated() {
            let other = tail.count < letters.count ? candidate[shared.count...] : candidate[...]
            let limit = min(tail.count, other.count) / 3
            guard abs(tail.count - other.count) <= limit else { continue }
            let distance = distance(Array(tail), Array(other))
            if distance <= limit, distance < best?.distance ?? .max {
                best = (index, distance)
            }
        }
        return best.map { words[$0.index] } ?? completion(of: letters, candidates).map { words[$0] }
    }

    private static func completion(of letters: [UInt8], _ candidates: [[UInt8]]) -> Int? {
        guard letters.count >= 3 else { return nil }
        let matches = candidates.indices.filter { index in
            candidates[index].starts(with: letters) || candidates[index].suffix(letters.count).elementsEqual(letters)
        }
        return matches.count == 1 ? matches[0] : nil
    }

    /// What all of several words begin with.
    private static func sharedPrefix(_ words: [[UInt8]]) -> ArraySlice<UInt8> {
        guard words.count > 1, var prefix = words.first?[...] else { return [] }
        for word in words {
            while !word.starts(with: prefix) {
                prefix.removeLast()
            }
        }
        return prefix
    }

    /// The optimal string alignment distance: Levenshtein's with swapped neighbours as one step.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = last[column] + (letter == other ? 0 : 1)
                cost = min(cost, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }

    /// Whether two words are the same but for upper and lower case.
    static func differsInCaseAlone(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count && lowercased(one) == lowercased(other)
    }

    private static func lowercased(_ word: String) -> [UInt8] {
        word.utf8.map { byte in
            byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
        }
    }
}
