import Testing

@testable import KernelTypes

private func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

/// What Swift joins with a letter before it: marks, a selector, joiners, and the line feed behind a carriage return.
private let marks = ["\u{301}", "\u{338}", "\u{20dd}", "\u{fe0f}", "\u{200d}", "\u{e0100}", "\u{1f3fb}"]
/// What Swift joins with a letter that follows.
private let prepended = ["\u{600}", "\u{6dd}", "\u{70f}", "\u{110bd}"]

@Suite struct ByteTextTests {
    @Test(arguments: marks, ["/", "=", ":", " ", "\n", ",", "\t"] as [Unicode.Scalar])
    func aMarkBehindASeparatorHidesNothing(mark: String, separator: Unicode.Scalar) {
        let text = "a\(separator)\(mark)b\(separator)c"
        #expect(bytes(text.parts(by: separator)) == bytes(["a", "\(mark)b", "c"]))
        #expect(bytes(text.parts(by: separator, most: 2)) == bytes(["a", "\(mark)b\(separator)c"]))
        #expect(text.containsByte(separator))
        #expect("a\(separator)\(mark)".begins(with: "a\(separator)"))
        #expect(text.rest(after: "a\(separator)").map { Array($0.utf8) } == Array("\(mark)b\(separator)c".utf8))
    }

    /// U+0600 and its like make one character with the slash that follows them.
    @Test(arguments: prepended, ["/", "=", " ", "\n"] as [Unicode.Scalar])
    func aSignBeforeASeparatorHidesNothing(sign: String, separator: Unicode.Scalar) {
        let text = "a\(sign)\(separator)b"
        #expect(bytes(text.parts(by: separator)) == bytes(["a\(sign)", "b"]))
        #expect(text.containsByte(separator))
        #expect("x\(sign)\(separator)".ends(with: String(Character(separator))))
        #expect("\(sign)\(separator)b".begins(with: sign))
    }

    @Test(
        arguments: [
            ("/a/\u{301}b", "/a", "\u{301}b"), ("/a\u{600}/b", "/a\u{600}", "b"), ("/\u{301}", "", "\u{301}"),
            ("/", "", ""), ("a/", "a", ""), ("a//b", "a/", "b"), ("/a/..", "/a", ".."),
            ("/a/.\u{301}.", "/a", ".\u{301}."),
        ] as [(String, String, String)])
    func aPathIsSplitAtItsLastSlash(path: String, folder: String, name: String) throws {
        let split = try #require(path.splitAtLastSlash)
        #expect(bytes([split.folder, split.name]) == bytes([folder, name]))
    }

    @Test(arguments: ["", "a", "\u{301}", "\u{600}", "\u{2044}", "\u{ff0f}"])
    func whatOnlyLooksLikeASlashIsNone(text: String) {
        #expect(text.splitAtLastSlash == nil)
        #expect(!text.containsByte("/"))
        #expect(!text.isAbsolutePath)
    }

    @Test(arguments: marks)
    func pathsFromTheRootAreAbsolute(mark: String) {
        #expect("/\(mark)".isAbsolutePath)
        #expect("/\(mark)/..".isAbsolutePath)
        #expect(!"\(mark)/".isAbsolutePath)
    }

    /// Letters that Swift takes for the same are different names to the kernel.
    @Test func equalLettersAreDifferentBytes() {
        let (composed, apart) = ("\u{e9}", "e\u{301}")
        #expect(composed == apart)
        #expect(!"\(composed)x".begins(with: apart))
        #expect(!"\(apart)x".begins(with: composed))
        #expect(!"x\(composed)".ends(with: apart))
        #expect("\(composed)=1".rest(after: "\(apart)=") == nil)
        #expect(apart.begins(with: "e"))
        #expect("\u{301}".ends(with: "\u{301}"))
        #expect(apart.ends(with: "\u{301}"))
    }

    @Test(
        arguments: [
            ("", [], [""]), ("/", [], ["", ""]), ("a", ["a"], ["a"]), ("/a", ["a"], ["", "a"]),
            ("a/", ["a"], ["a", ""]),
            ("//a///b//", ["a", "b"], ["", "", "a", "", "", "b", "", ""]),
        ] as [(String, [String], [String])])
    func emptyPiecesAreKeptOnDemand(text: String, plain: [String], all: [String]) {
        #expect(text.parts(by: "/") == plain)
        #expect(text.parts(by: "/", keepingEmpty: true) == all)
    }

    @Test(arguments: [(1, ["a=b=c"]), (2, ["a", "b=c"]), (3, ["a", "b", "c"]), (4, ["a", "b", "c"])])
    func aTextIsCutIntoAtMostSoManyPieces(most: Int, pieces: [String]) {
        #expect("a=b=c".parts(by: "=", most: most) == pieces)
        #expect("a=b=c".parts(by: "=", keepingEmpty: true, most: most) == pieces)
    }

    /// Lines of files with the other line end have its byte at their end, and are lines all the same.
    @Test func aLineEndsWithItsByte() {
        #expect(bytes("a\r\nb\r\n".parts(by: "\n")) == bytes(["a\r", "b\r"]))
        #expect("a\r\n".ends(with: "\n"))
        #expect("a\r\n".containsByte("\n"))
        #expect("\r\nb".begins(with: "\r"))
    }

    @Test func everyTextBeginsAndEndsWithNothing() {
        for text in ["", "a", "\u{301}"] {
            #expect(text.begins(with: ""))
            #expect(text.ends(with: ""))
            #expect(text.rest(after: "") == text)
        }
        #expect(!"".begins(with: "a"))
        #expect(!"a".ends(with: "ba"))
    }

    /// What is taken apart is whole again when put together, whatever stands in it.
    @Test func splittingAndJoiningLosesNothing() {
        let letters = ["/", "a", "\u{301}", "\u{600}", "\r", "\n"]
        for number in 0..<7776 {
            var (text, rest) = ("", number)
            for _ in 0..<5 {
                text += letters[rest % 6]
                rest /= 6
            }
            let joined = text.parts(by: "/", keepingEmpty: true).map { Array($0.utf8) }.joined(separator: [0x2f])
            guard Array(joined) != Array(text.utf8) else { continue }
            Issue.record("\(Array(text.utf8)) comes back as \(Array(joined))")
        }
    }
}
