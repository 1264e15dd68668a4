/// Finds the word that somebody most likely meant.
enum Spelling {
    /// The word of `words` that is nearest to `word`, if one is near enough to be meant.
    ///
    /// Near enough is a third of its letters changed, dropped, added or swapped with their neighbour; upper and lower
    /// case count as the same letter. Of two as near, the first in the list.
    static func nearest(to word: String, in words: some Sequence<String>) -> String? {
        let letters = lowercased(word)
        guard letters.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in words {
            let other = lowercased(candidate)
            let limit = max(1, min(letters.count, other.count) / 3)
            guard abs(letters.count - other.count) <= limit else { continue }
            let distance = distance(letters, other)
            if distance <= limit, distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        return best?.word
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

    private static func lowercased(_ word: String) -> [UInt8] {
        word.utf8.map { byte in
            byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
        }
    }
}
