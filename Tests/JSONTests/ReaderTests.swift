import JSON
import Testing

/// What the reader takes and refuses, after the categories of the public JSON conformance corpora.
@Suite struct ReaderTests {
    static let accepted = [
        "null", "true", "false", "0", "-0", "1", "-1", "123456789", "0.1", "-0.1", "1.5e10", "1E5", "1e+5", "1e-5",
        "0e0", "0E+1", "123.456e78", "1e999999999999999999999", "123456789012345678901234567890", "\"\"", "\"a\"",
        " null ", "\t\r\n null \t\r\n", "[]", "[ ]", "{}", "{ }", "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[{}]",
        "[[[[[[]]]]]]", "{\"\":0}", "{\"a\":1}", "{\"a\":1,\"b\":2}", "{ \"a\" : 1 , \"b\" : 2 }",
        "{\"a\":{\"a\":{\"a\":1}}}", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\u0000\"]", "[\"\\u0041\"]",
        "[\"\\uD83D\\uDE00\"]", "[\"\\ud83d\\ude00\"]", "[\"é\"]", "[\"€\"]", "[\"😀\"]", "[\"\u{7F}\"]",
        "[\"\u{2028}\u{2029}\"]", "[\"\u{FEFF}\"]", "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]", "\"/\"", "[null,null]",
        "{\"a\":1,\"A\":2}", "{\"a\\u0000\":1,\"a\":2}", "[\"\\uFFFF\"]", "[\"a\\u0062c\"]", "[1.0E+2]",
    ]

    @Test(arguments: accepted)
    func validTextIsRead(_ text: String) throws(SyntaxError) {
        _ = try Document(Array(text.utf8))
    }

    static let refused: [(text: String, message: String)] = [
        ("", "the text is empty"),
        ("  ", "the text is empty"),
        ("\u{FEFF}{}", "the text starts with a byte order mark, which JSON does not allow; save it without one"),
        ("nul", "expected a value, found \"nul\""),
        ("True", "expected a value, found \"True\""),
        ("NaN", "expected a value, found \"NaN\""),
        ("Infinity", "expected a value, found \"Infinity\""),
        ("'a'", "expected a value, found \"'\""),
        ("// a\n1", "expected a value, found \"/\""),
        ("nullx", "expected nothing more after the end of the value, found \"x\""),
        ("1 2", "expected nothing more after the end of the value, found \"2\""),
        ("{}}", "expected nothing more after the end of the value, found \"}\""),
        ("[]\0", "expected nothing more after the end of the value, found a NUL byte"),
        ("[1]\u{A0}", "expected nothing more after the end of the value, found the byte 0xc2"),
        ("\u{0B}1", "expected a value, found the byte 0x0b"),
        ("01", "a number must not begin with a zero"),
        ("-01", "a number must not begin with a zero"),
        ("00", "a number must not begin with a zero"),
        ("1.", "expected a digit after \".\", found the end of the text"),
        ("[1.]", "expected a digit after \".\", found \"]\""),
        (".5", "expected a value, found \".\""),
        ("+1", "expected a value, found \"+\""),
        ("-", "expected a digit after \"-\", found the end of the text"),
        ("-a", "expected a digit after \"-\", found \"a\""),
        ("--1", "expected a digit after \"-\", found \"-\""),
        ("1e", "expected a digit in the exponent, found the end of the text"),
        ("[1e+]", "expected a digit in the exponent, found \"]\""),
        ("1.e1", "expected a digit after \".\", found \"e1\""),
        ("0x10", "expected nothing more after the end of the value, found \"x10\""),
        ("1_000", "expected nothing more after the end of the value, found \"_000\""),
        ("[", "the text ends inside the array that begins at 1:1"),
        ("{", "the text ends inside the object that begins at 1:1"),
        ("[1,\n[2", "the text ends inside the array that begins at 2:1"),
        ("{\"a\"", "the text ends inside the object that begins at 1:1"),
        ("{\"a\":", "the text ends inside the object that begins at 1:1"),
        ("[1", "the text ends inside the array that begins at 1:1"),
        ("[1,", "the text ends inside the array that begins at 1:1"),
        ("]", "expected a value, found \"]\""),
        ("[,1]", "expected a value, found \",\""),
        ("[1,]", "a comma stands before \"]\", where nothing follows it"),
        ("[1,,2]", "expected a value, found \",\""),
        ("[1 2]", "expected \",\" or \"]\", found \"2\""),
        ("[1}", "expected \",\" or \"]\", found \"}\""),
        ("[\"a\":1]", "expected \",\" or \"]\", found \":\""),
        ("{\"a\":1]", "expected \",\" or \"}\", found \"]\""),
        ("{\"a\":1,}", "a comma stands before \"}\", where nothing follows it"),
        ("{\"a\":1 \"b\":2}", "expected \",\" or \"}\", found a string"),
        ("{\"a\" 1}", "expected \":\" after the key, found \"1\""),
        ("{\"a\"}", "expected \":\" after the key, found \"}\""),
        ("{a:1}", "expected a key in quotes, found \"a\""),
        ("{1:1}", "expected a key in quotes, found \"1\""),
        ("{,}", "expected a key in quotes, found \",\""),
        ("{\"a\":}", "expected a value, found \"}\""),
        ("{\"a\"::1}", "expected a value, found \":\""),
        ("\"", "the text ends inside a string"),
        ("\"a", "the text ends inside a string"),
        ("\"a\\", "the text ends inside a string"),
        ("\"a\\\"", "the text ends inside a string"),
        ("\"\\x\"", "a backslash must not stand before \"x\""),
        ("\"\\\n\"", "a backslash must not stand before the end of the line"),
        ("\"\\u12\"", "expected four hexadecimal digits after \"\\u\""),
        ("\"\\u12G4\"", "expected four hexadecimal digits after \"\\u\""),
        ("\"\\u", "expected four hexadecimal digits after \"\\u\""),
        ("\"\\uD800\"", "the first half of a surrogate pair stands alone"),
        ("\"\\uD800\\n\"", "the first half of a surrogate pair stands alone"),
        ("\"\\uD800\\u0041\"", "the first half of a surrogate pair stands alone"),
        ("\"\\uD800\\uD800\"", "the first half of a surrogate pair stands alone"),
        ("\"\\uD83D\\uDE0", "the first half of a surrogate pair stands alone"),
        ("\"\\uDC00\"", "the second half of a surrogate pair stands alone"),
        ("\"\n\"", "the line ends inside a string; write \"\\n\" for a line break"),
        ("\"\t\"", "a tab stands in a string; write \"\\t\""),
        ("\"\0\"", "a NUL byte stands in a string"),
        ("\"\u{1F}\"", "the control character 0x1f stands in a string; escape it"),
        ("{\"a\":1,\"a\":2}", "the key \"a\" stands twice, first at 1:2"),
        ("{\"a\":1,\"\\u0061\":2}", "the key \"a\" stands twice, first at 1:2"),
        ("[{\"b\":{\"k\":1,\n\"k\":1}}]", "the key \"k\" stands twice, first at 1:8"),
    ]

    @Test(arguments: refused)
    func invalidTextIsRefused(_ text: String, _ message: String) {
        let error = #expect(throws: SyntaxError.self) { _ = try Document(Array(text.utf8)) }
        #expect(error?.message == message)
    }

    /// Every way for bytes not to be UTF-8: stray, overlong, surrogate, too large, cut short.
    static let malformed: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
        [0xE2, 0x82], [0xE2, 0x82, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
        [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF0, 0x9F, 0x98, 0x41], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ]

    @Test(arguments: malformed)
    func malformedUTF8IsRefused(_ bytes: [UInt8]) {
        for tail in [[0x22], [], [0x61, 0x61, 0x61, 0x22]] as [[UInt8]] {
            let error = #expect(throws: SyntaxError.self) { _ = try Document([0x22] + bytes + tail) }
            #expect(error?.message.contains("is not valid UTF-8 here") == true)
            #expect(error?.offset == 1)
        }
    }

    @Test func nestingIsLimited() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(String(repeating: "[", count: depth).utf8) + Array(String(repeating: "]", count: depth).utf8)
        }
        #expect(throws: Never.self) { _ = try Document(nested(Document.maximumDepth)) }
        for depth in [Document.maximumDepth + 1, 1_000_000] {
            let error = #expect(throws: SyntaxError.self) { _ = try Document(nested(depth)) }
            #expect(error?.message == "more than 128 arrays and objects stand in each other")
        }
        let objects = Array(String(repeating: "{\"a\":", count: 100_000).utf8)
        #expect(throws: SyntaxError.self) { _ = try Document(objects) }
    }

    @Test func errorsShowPlaceAndPath() {
        let text = "{\n  \"ü\": 1,\n  \"list\": [0, {\"é😀\": tru}]\n}"
        let error = #expect(throws: SyntaxError.self) { _ = try Document(Array(text.utf8)) }
        #expect(error?.description == "3:22: list[1]: expected a value, found \"tru\"")
    }

    @Test func manyKeysAreComparedToo() throws {
        var keys = (0..<5000).map { "\"key\($0)\":0" }
        #expect(throws: Never.self) { _ = try Document(Array("{\(keys.joined(separator: ","))}".utf8)) }
        keys.append("\"key17\":1")
        keys.append("\"key17\":2")
        let bytes = Array("{\(keys.joined(separator: ","))}".utf8)
        let error = #expect(throws: SyntaxError.self) { _ = try Document(bytes) }
        #expect(error?.path == "key17")
        let document = try Document(bytes, duplicateKeys: .record)
        #expect(document.duplicateKeys.map { document.string($0.first) } == ["key17", "key17"])
        #expect(document.duplicateKeys.allSatisfy { $0.first == document.duplicateKeys[0].first })
    }
}
