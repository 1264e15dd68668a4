import JSON
import Testing

/// Reads a text that is known to be right.
func read(_ text: String) throws(SyntaxError) -> Document {
    try Document(Array(text.utf8))
}

@Suite struct DocumentTests {
    static let strings: [(text: String, value: String)] = [
        ("\"\"", ""), ("\"plain\"", "plain"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"),
        ("\"\\u0041\\u00e9\\u20AC\"", "Aé€"), ("\"\\ud83d\\ude00!\"", "😀!"), ("\"é😀\"", "é😀"), ("\"\\u0000\"", "\0"),
        ("\"\\uFFFF\"", "\u{FFFF}"), ("\"a\\u0301\"", "a\u{301}"),
    ]

    @Test(arguments: strings)
    func escapesAreResolved(_ text: String, _ value: String) throws {
        let document = try read(text)
        #expect(document.string(document.root).map { Array($0.utf8) } == Array(value.utf8))
        #expect(document.containsNUL(document.root) == value.utf8.contains(0))
    }

    static let integers: [(text: String, value: Int64?, unsigned: UInt64?)] = [
        ("0", 0, 0), ("-0", 0, 0), ("-0.0e5", 0, 0), ("7", 7, 7), ("-7", -7, nil), ("1.0", 1, 1), ("1e3", 1000, 1000),
        ("1.5e1", 15, 15), ("100e-2", 1, 1), ("0e999999999999999999999", 0, 0), ("1000000e-6", 1, 1),
        ("9223372036854775807", .max, 9_223_372_036_854_775_807),
        ("9223372036854775808", nil, 9_223_372_036_854_775_808),
        ("-9223372036854775808", .min, nil), ("-9223372036854775809", nil, nil),
        ("18446744073709551615", nil, .max), ("18446744073709551615.000", nil, .max),
        ("18446744073709551616", nil, nil), ("-18446744073709551615", nil, nil),
        ("1e19", nil, 10_000_000_000_000_000_000),
        ("1e20", nil, nil), ("1e400", nil, nil), ("-1e999999999999999999999999", nil, nil),
        ("123456789012345678901234567890", nil, nil),
    ]

    @Test(arguments: integers)
    func integersAreReadExactly(_ text: String, _ value: Int64?, _ unsigned: UInt64?) throws {
        let document = try read(text)
        #expect((try? document.signed(document.root)) == value)
        #expect((try? document.unsigned(document.root)) == unsigned)
    }

    @Test(arguments: [
        ("1.5", IntegerError.notAnInteger), ("1e-1", .notAnInteger), ("0.1", .notAnInteger), ("15e-2", .notAnInteger),
        ("1e-999999999999999999999", .notAnInteger), ("18446744073709551616", .outOfRange), ("1e20", .outOfRange),
        ("1e999999999999999999999", .outOfRange), ("\"1\"", .notAnInteger), ("null", .notAnInteger),
    ])
    func aNumberThatIsNoIntegerHasItsReason(_ text: String, _ expected: IntegerError) throws {
        let document = try read(text)
        #expect(throws: expected) { _ = try document.integer(document.root) }
    }

    @Test func arraysAndObjectsAreWalked() throws {
        let document = try read("{\"a\":[1,[2,3],{}],\"b\":{\"c\":true},\"d\":null,\"e\\n\":\"f\"}")
        let root = document.root
        #expect(document.count(of: root) == 4)
        #expect(document.members(of: root).map { document.string($0.key) } == ["a", "b", "d", "e\n"])
        let list = try #require(document.member("a", of: root))
        #expect(document.elements(of: list).map { document.kind(of: $0) } == [.number, .array, .object])
        #expect(document.members(of: list).map { $0.key } == [])
        #expect(document.elements(of: root).map { $0 } == [])
        #expect(document.member("e\n", of: root).flatMap(document.string) == "f")
        #expect(document.member("x", of: root) == nil)
        #expect(document.member("d", of: root).map(document.kind(of:)) == .null)
        let inner = document.member("b", of: root).flatMap { document.member("c", of: $0) }
        #expect(inner.flatMap(document.boolean) == true)
        #expect(document.boolean(list) == nil)
        #expect(document.string(list) == nil)
        #expect(String(decoding: document.text(of: list), as: UTF8.self) == "[1,[2,3],{}]")
    }

    static let paths = [
        ("", "1:1", true), ("linux.namespaces[1].path", "3:54", true), ("annotations[\"a.b\"]", "2:25", true),
        ("annotations[\"\"]", "2:34", true), ("annotations[\"q\\\"\"]", "2:44", true), ("linux", "3:12", true),
        ("linux.namespaces[7].path", "3:27", false), ("linux.nothing", "3:12", false), ("x.y", "1:1", false),
        ("linux.namespaces[x]", "3:27", false), ("linux.namespaces[99999999999999999999]", "3:27", false),
        ("linux..x", "3:12", false), ("annotations[\"a.b", "2:17", false), ("linux.namespaces.path", "3:27", false),
        ("[0]", "1:1", false),
    ]

    @Test(arguments: paths)
    func pathsAreFound(_ path: String, _ place: String, _ isExact: Bool) throws {
        let document = try read(
            """
            {
             "annotations": {"a.b": "c", "": 1, "q\\"": 2},
              "linux": {"namespaces": [{"type": "pid"}, {"path": "/x"}]}
            }
            """)
        let (node, exact) = document.node(atPath: path)
        #expect(exact == isExact)
        #expect(document.location(of: node).description == place)
        if isExact {
            #expect(document.path(of: node) == path)
        }
    }

    @Test func columnsCountCodePoints() {
        let bytes = Array("é😀\tx\r\ny".utf8)
        #expect(SourceLocation(offset: 0, in: bytes) == SourceLocation(line: 1, column: 1))
        #expect(SourceLocation(offset: 2, in: bytes) == SourceLocation(line: 1, column: 2))
        #expect(SourceLocation(offset: 7, in: bytes) == SourceLocation(line: 1, column: 4))
        #expect(SourceLocation(offset: 10, in: bytes) == SourceLocation(line: 2, column: 1))
        #expect(SourceLocation(offset: 99, in: bytes) == SourceLocation(line: 2, column: 2))
        var counter = LocationCounter(bytes)
        #expect(counter.location(ofOffset: 10).line == 2)
        #expect(counter.location(ofOffset: 0).line == 1)
    }
}
