import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct ContainerIDTests {
    @Test(arguments: [
        "a", "0", "A", "box", "a.b", "a..", "_", "+", "-", "--help", "a_b+c-d.e", String(repeating: "x", count: 255),
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ])
    func goodIDsAreTakenAsTheyAre(text: String) throws {
        #expect(try ContainerID(text).description == text)
    }

    @Test(arguments: [
        "", ".", "..", ".cache", "a/b", "/", "../a", "a b", " ", "a\n", "a\u{0}", "a:b", "a,b", "a*", "~", "a%", "a@b",
        "a=b",
        "\u{e9}", "\u{ff21}", "\u{212a}", "a\u{301}", "\u{1f600}", String(repeating: "x", count: 256),
    ])
    func badIDsAreRefused(text: String) {
        #expect(
            failure { _ = try ContainerID(text) }
                == "invalid container ID format: \"\(text)\" (letters, digits and _+-. are allowed, and no dot in front)"
        )
    }
}
