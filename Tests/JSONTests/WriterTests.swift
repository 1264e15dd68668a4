import JSON
import Testing

@Suite struct WriterTests {
    private func sample(_ style: Writer.Style) -> String {
        var writer = Writer(style: style)
        writer.object { writer in
            writer.member("a", "x")
            writer.member("n", -5)
            writer.member("u", UInt64.max)
            writer.member("t", true)
            writer.member("l", ["p", "q"])
            writer.key("e")
            writer.object { _ in }
            writer.member("m", [])
            writer.key("z")
            writer.array { writer in
                writer.null()
                writer.boolean(false)
            }
        }
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.01"), (10, "0.1"), (12, "0.12"), (100, "1"), (150, "1.5"), (1205, "12.05"), (10000, "100"),
        ] as [(UInt64, String)])
    func hundredthsAreWritten(value: UInt64, text: String) {
        var writer = Writer()
        writer.hundredths(value)
        #expect(String(decoding: writer.finish(), as: UTF8.self) == text)
    }

    @Test(
        arguments: [
            (.compact, #"{"a":{"b":1},"c":2}"#), (.tabs, "{\n\t\"a\": {\n\t\t\"b\":1\n\t},\n\t\"c\": 2\n}"),
        ] as [(Writer.Style, String)])
    func textIsTakenAsItStands(style: Writer.Style, expected: String) {
        var writer = Writer(style: style)
        writer.object { writer in
            writer.key("a")
            writer.verbatim(Array((style == .compact ? "{\"b\":1}" : "{\n\t\"b\":1\n}").utf8))
            writer.member("c", 2)
        }
        #expect(String(decoding: writer.finish(), as: UTF8.self) == expected)
    }

    @Test func compactOutputIsOneLine() {
        let expected =
            #"{"a":"x","n":-5,"u":18446744073709551615,"t":true,"l":["p","q"],"e":{},"m":[],"z":[null,false]}"#
        #expect(sample(.compact) == expected)
    }

    @Test func indentedOutputHasALineForEachValue() {
        let expected = """
            {
              "a": "x",
              "n": -5,
              "u": 18446744073709551615,
              "t": true,
              "l": [
                "p",
                "q"
              ],
              "e": {},
              "m": [],
              "z": [
                null,
                false
              ]
            }
            """
        #expect(sample(.indented(2)) == expected)
        #expect(sample(.tabs) == expected.split(separator: "\n").map(tabbed).joined(separator: "\n"))
    }

    private func tabbed(_ line: Substring) -> String {
        let text = line.drop { $0 == " " }
        return String(repeating: "\t", count: (line.count - text.count) / 2) + text
    }

    @Test func escapedTextIsReadBackAsItWas() throws {
        let scalars = (0...0x2FF).compactMap(Unicode.Scalar.init).map(String.init).joined()
        for text in [scalars, "", "\"\\/", "😀\u{2028}\u{10FFFF}", "\0"] {
            var writer = Writer()
            writer.string(text)
            let document = try Document(writer.finish())
            #expect(document.string(document.root) == text)
        }
        #expect(Escapes.quoted("a\"\\\n\t\r\u{1}\u{7F}é") == #""a\"\\\n\t\r\u0001\u007fé""#)
    }
}
