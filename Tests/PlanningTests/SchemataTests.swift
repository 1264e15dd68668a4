import Testing

@testable import Planning

@Suite struct SchemataTests {
    private static let file = "    MB:0=100;1=70\n    L3:0=7ff;1=01f\nL3CODE:0=f\n"

    @Test(arguments: [
        ("L3:0=7ff;1=1f", true), ("L3:1=1f", true), ("L3:0=7FF", true), (" L3: 0 = 7ff ; 1=0001f", true), ("L3:", true),
        ("MB:0=100", true), ("MB:1=70;0=100", true), ("MB:0=0100", true), ("L3CODE:0=f", true), ("L3:00=7ff", true),
        ("L3:0=7fe", false), ("L3:2=7ff", false), ("MB:0=10", false), ("MB:0=64", false), ("L2:0=f", false),
        ("L3DATA:0=f", false), ("L3", false), ("", false), (":0=f", false), ("L3:0", false), ("L3:0=7ff=1", false),
    ])
    func aSchemaHoldsWhatItNames(line: String, answer: Bool) {
        #expect(Schemata.holds(line, in: Self.file) == answer)
    }
}
