import Testing

@testable import ContainerRuntime

@Suite struct SessionKeyringTests {
    @Test func noTwoKeyringsHaveOneName() throws {
        let names = [try SessionKeyring.newName(for: "box"), try SessionKeyring.newName(for: "box")]
        #expect(names[0] != names[1])
        for name in names {
            #expect(name.hasPrefix("_ses.box.") && name.utf8.count == "_ses.box.".utf8.count + 16)
        }
    }
}
