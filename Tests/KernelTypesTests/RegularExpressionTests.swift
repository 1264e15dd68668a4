import Glibc
import Testing

@testable import KernelTypes

@Suite struct RegularExpressionTests {
    private static let names = [
        "", "a", "b", "ab", "abc", "web1", "web12", "web-1", "my.web", "aab", "baa", "abab", "A", "a+b", "x_y", "0",
        "00",
        "]", "-", "a-b", "^", "wéb", "(a)",
    ]

    /// As the C library sees it.
    private static func cLibrary(_ expression: String, _ text: String) -> Bool? {
        var compiled = regex_t()
        guard regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
        defer { regfree(&compiled) }
        return regexec(&compiled, text, 0, nil, 0) == 0
    }

    @Test(arguments: [
        "a", "^a", "a$", "^a$", "^$", "", "^", "$", ".", "^.$", "^..$", "a|b", "^(a|b)$", "a*", "^a*$", "^a+$", "^a?b$",
        "web[0-9]", "^web[0-9]+$", "^web-?[[:digit:]]{1,2}$", "[^a-z]", "^[^a-z]*$", "(ab)+", "^(ab){2}$",
        "^(a|ab)(c|bc)$",
        "a{2}", "a{2,}", "^a{1,2}b", "^a{,2}b", "^0{2}$", "\\.", "a\\+b", "[.]", "[]]", "[^]]", "[-]", "[a-]",
        "^[]a-]+$",
        "x_y", "\\w_\\w", "^\\W$", "\\S", "()", "(a|)b", "^(a*)*$", "(^a|b$)", "a**", "[[:upper:]]", "[[:alpha:]_]+",
        "\\^", "\\(a\\)", "^(|a)$", "é", "w.+b",
    ])
    func itMatchesWhatTheCLibraryMatches(expression: String) throws {
        let own = try RegularExpression(expression)
        for name in Self.names {
            let theirs: Bool? = Self.cLibrary(expression, name)
            #expect(theirs != nil && own.matches(name) == theirs, "\(expression) on \(name)")
        }
    }

    @Test(arguments: [
        "(", ")", "a)", "(a", "[", "[a", "[]", "[z-a]", "[[:none:]]", "[[:alpha]", "a{2", "a{2,1}", "a{256}", "a{x}",
        "*a", "+", "?", "(*a)", "a|*", "{2}", "\\", "\\d", "\\1",
        String(repeating: "(", count: 200) + String(repeating: ")", count: 200),
    ])
    func whatIsNoneIsRefused(expression: String) {
        #expect(throws: RegularExpression.Mistake.self) { try RegularExpression(expression) }
    }

    /// A backtracking matcher would not come back.
    @Test func noExpressionTakesLong() throws {
        let text = String(repeating: "a", count: 500)
        #expect(try !RegularExpression("^(a|a)*(a*)*(a|aa)+$b").matches(text))
        #expect(try RegularExpression("^(a{0,255}){0,255}$").matches(text))
    }
}
