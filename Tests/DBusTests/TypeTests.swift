import Testing

@testable import DBus

@Suite struct Signatures {
    @Test(arguments: ["", "y", "sba(sv)", "ssa(sv)a(sa(sv))", "a{sv}", "aay", "(i(ub)ad)", "a{s(ao)}", "aaaaai", "ghv"])
    func signaturesAreReadAndWritten(text: String) throws {
        let types = try #require(TypeCode.parse(text))
        #expect(types.map(\.text).joined() == text)
    }

    @Test(arguments: [
        "a", "(", ")", "()", "(i", "i)", "a{s}", "a{sv", "a{vs}", "{sv}", "a{(i)s}", "a{sii}", "z", "é", "a()", "(a)",
        String(repeating: "a", count: 64) + "i",
        String(repeating: "(", count: 70) + "i" + String(repeating: ")", count: 70),
        String(repeating: "i", count: 256),
    ])
    func malformedSignaturesAreRefused(text: String) {
        #expect(TypeCode.parse(text) == nil)
    }

    @Test func aSingleTypeIsReadAlone() {
        #expect(TypeCode.single("a(sv)") == .array(.structure([.string, .variant])))
        #expect(TypeCode.single("ii") == nil && TypeCode.single("") == nil)
    }
}
