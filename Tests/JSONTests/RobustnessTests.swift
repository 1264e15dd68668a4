import JSON
import Testing

/// The reader meets texts that nobody meant to write: it must refuse them, and never trap.
@Suite struct RobustnessTests {
    static let sample = Array(
        #"""
        {"ociVersion": "1.0.2", "process": {"args": ["sh", "-c", "echo \"é\\n\u20ac\ud83d\ude00\""],
        "user": {"uid": 0, "gid": 1.0e2}, "terminal": true, "nothing": null, "cwd": "/"}, "empty": [{}, [], ""],
        "numbers": [-1, 0.5, 12E-3, 18446744073709551615]}
        """#.utf8)

    /// Everything that can be asked of a document, asked of every value.
    private func visit(_ document: Document, _ node: NodeIndex) {
        _ = document.string(node)
        _ = document.boolean(node)
        _ = document.containsNUL(node)
        _ = try? document.integer(node)
        let (found, isExact) = document.node(atPath: document.path(of: node))
        #expect(isExact && found == node)
        for (key, value) in document.members(of: node) {
            _ = document.string(key)
            visit(document, value)
        }
        for element in document.elements(of: node) {
            visit(document, element)
        }
    }

    @Test func aTextIsRefusedWhereverItIsCut() throws {
        let whole = try Document(Self.sample)
        visit(whole, whole.root)
        for length in Self.sample.indices {
            let error = #expect(throws: SyntaxError.self) { _ = try Document(Array(Self.sample[..<length])) }
            #expect((error?.offset ?? .max) <= length)
        }
    }

    @Test func aChangedByteDoesNotCrashTheReader() {
        var read = 0
        for position in Self.sample.indices {
            for byte: UInt8 in [0, 0x0A, 0x22, 0x2C, 0x30, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x80, 0xC3, 0xFF] {
                var bytes = Self.sample
                bytes[position] = byte
                if let document = try? Document(bytes) {
                    visit(document, document.root)
                    read += 1
                }
            }
        }
        #expect(read > 0, "no change left a document to look at")
    }

    @Test func randomChangesDoNotCrashTheReader() {
        var random = Random(seed: 0x5EED)
        var read = 0
        for _ in 0..<5000 {
            var bytes = Self.sample
            for _ in 0..<1 + random.next(8) {
                random.change(&bytes)
            }
            if let document = try? Document(bytes, duplicateKeys: .record), document.duplicateKeys.isEmpty {
                visit(document, document.root)
                read += 1
            }
        }
        #expect(read > 0, "no change left a document to look at")
    }
}

/// xorshift64: the same changes on every run.
private struct Random {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    mutating func change(_ bytes: inout [UInt8]) {
        let position = next(max(bytes.count, 1))
        guard position < bytes.count else { return }
        switch next(4) {
        case 0: bytes[position] = UInt8(next(256))
        case 1: bytes.remove(at: position)
        case 2: bytes.insert(bytes[next(bytes.count)], at: position)
        default: bytes.removeSubrange(position..<min(bytes.count, position + next(20)))
        }
    }
}
