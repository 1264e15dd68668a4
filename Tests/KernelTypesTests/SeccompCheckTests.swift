import Testing

@testable import KernelTypes

/// The kernel's rules for filters.
@Suite struct SeccompCheckTests {
    private static let allow: [UInt8] = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]

    @Test(
        arguments: [
            ([], true), ([0x20, 0, 0, 0, 60, 0, 0, 0], true), ([0x20, 0, 0, 0, 64, 0, 0, 0], false),
            ([0x20, 0, 0, 0, 2, 0, 0, 0], false), ([0x15, 0, 0, 0, 1, 0, 0, 0], true),
            ([0x15, 0, 1, 0, 1, 0, 0, 0], false), ([0x15, 0, 0, 1, 1, 0, 0, 0], false),
            ([0x05, 0, 0, 0, 0, 0, 0, 0], true), ([0x05, 0, 0, 0, 1, 0, 0, 0], false),
            ([0x05, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], false), ([0x34, 0, 0, 0, 0, 0, 0, 0], false),
            ([0x64, 0, 0, 0, 32, 0, 0, 0], false), ([0x02, 0, 0, 0, 16, 0, 0, 0], false),
            ([0x28, 0, 0, 0, 0, 0, 0, 0], false), ([0x94, 0, 0, 0, 1, 0, 0, 0], false), ([1, 2, 3], false),
        ] as [([UInt8], Bool)])
    func malformedFiltersAreRefused(first: [UInt8], isGood: Bool) {
        let mistake = SeccompCheck.mistake(in: SeccompProgram(bytes: first + Self.allow))
        #expect((mistake == nil) == isGood, "\(mistake ?? "none")")
    }

    @Test func aFilterHasOneTo4096Instructions() {
        let many = { (count: Int) in
            SeccompProgram(bytes: [[UInt8]](repeating: Self.allow, count: count).flatMap { $0 })
        }
        #expect(SeccompCheck.mistake(in: many(4096)) == nil)
        #expect(SeccompCheck.mistake(in: many(4097)) != nil)
        #expect(SeccompCheck.mistake(in: SeccompProgram(bytes: [])) != nil)
        #expect(SeccompCheck.mistake(in: SeccompProgram(bytes: [0x20, 0, 0, 0, 0, 0, 0, 0])) != nil)
    }
}
