import Testing

@testable import Services

@Suite struct LineSplitterTests {
    private struct Case: Sendable {
        let reads: [String]
        /// As `text` and `|` for a line's end, `>` where it goes on.
        let pieces: [String]
        let held: String
    }

    private static let cases: [Case] = [
        Case(reads: ["a\nb\n"], pieces: ["a|", "b|"], held: ""),
        Case(reads: ["a", "b", "c\n"], pieces: ["abc|"], held: ""),
        Case(reads: ["\n\n"], pieces: ["|", "|"], held: ""),
        Case(reads: ["one\ntw"], pieces: ["one|"], held: "tw"),
        Case(reads: ["12345678\n"], pieces: ["12345678|"], held: ""),
        Case(reads: ["12345678", "\n"], pieces: ["12345678|"], held: ""),
        Case(reads: ["123456789\n"], pieces: ["12345678>", "9|"], held: ""),
        Case(reads: ["1234567890123456789\n"], pieces: ["12345678>", "90123456>", "789|"], held: ""),
        Case(reads: ["12345", "6789", "0\n"], pieces: ["12345678>", "90|"], held: ""),
        Case(reads: ["1234567812345678\nx\n"], pieces: ["12345678>", "12345678|", "x|"], held: ""),
        Case(reads: ["a\r\n", "\0\n"], pieces: ["a\r|", "\0|"], held: ""),
    ]

    @Test(arguments: cases.indices) func cutsInto(_ index: Int) {
        let example = Self.cases[index]
        var splitter = LineSplitter(limit: 8)
        var pieces: [String] = []
        for read in example.reads {
            splitter.take(Array(read.utf8)[...]) { piece, isLast in
                pieces.append(String(decoding: piece, as: UTF8.self) + (isLast ? "|" : ">"))
            }
        }
        #expect(pieces == example.pieces)
        #expect(String(decoding: splitter.held, as: UTF8.self) == example.held)
    }

    @Test func flushesWhatIsHeldAsPartOfALine() {
        var splitter = LineSplitter(limit: 8)
        var pieces: [String] = []
        func note(_ piece: ArraySlice<UInt8>, _ isLast: Bool) {
            pieces.append(String(decoding: piece, as: UTF8.self) + (isLast ? "|" : ">"))
        }
        splitter.take(Array("pass".utf8)[...], emit: note)
        splitter.flush(emit: note)
        splitter.flush(emit: note)
        #expect(pieces == ["pass>"] && splitter.isInsideLine)
        splitter.take(Array("word\n".utf8)[...], emit: note)
        #expect(pieces == ["pass>", "word|"] && !splitter.isInsideLine)
        splitter.end(emit: note)
        #expect(pieces.count == 2, "nothing is left to be ended")
        splitter.take(Array("x".utf8)[...], emit: note)
        splitter.flush(emit: note)
        splitter.end(emit: note)
        #expect(pieces.suffix(2) == ["x>", "|"], "a line that was begun is ended")
    }
}
