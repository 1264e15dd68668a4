import TestSupport
import Testing

@testable import Diagnosis

/// Formats that the host has registered, binfmt_misc.
@Suite struct BinaryFormatTests {
    @Test(arguments: [
        ("enabled\ninterpreter /q\nflags: F\noffset 0\nmagic 7f454c46\nmask ffffff00\n", true),
        ("disabled\ninterpreter /q\noffset 0\nmagic 7f454c46\n", false),
        ("enabled\ninterpreter /q\noffset 1\nmagic 454c\n", true),
        ("enabled\ninterpreter /q\noffset 2\nmagic 454c\n", false),
        ("enabled\nextension .py\n", false), ("enabled\noffset 0\nmagic 7f4\n", false), ("", false),
    ])
    func onlyEnabledFormatsMatch(entry: String, matches: Bool) {
        #expect(BinaryFormats.matches(entry, [0x7f, 0x45, 0x4c, 0x47, 0]) == matches)
    }
}
