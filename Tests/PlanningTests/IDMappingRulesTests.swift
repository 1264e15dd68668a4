import OCISpec
import TestSupport
import Testing

@testable import Planning

private func map(_ container: UInt32, _ host: UInt32, _ size: UInt32) -> IDMapping {
    IDMapping(containerID: container, hostID: host, size: size)
}

@Suite struct IDMappingRulesTests {
    @Test(arguments: [
        ([map(0, 0, 4_294_967_295)], []), ([map(0, 5, 5), map(5, 0, 5)], []), ([], []),
        ([map(1, 0, 4_294_967_295)], ["f[0]: names ids beyond 4294967294"]),
        ([map(0, 0, 5), map(10, 4, 5)], ["f[1]: overlaps with f[0]"]),
        ([map(0, 0, 5), map(4, 10, 5)], ["f[1]: overlaps with f[0]"]),
        ([map(4, 10, 5), map(0, 0, 5)], ["f[1]: overlaps with f[0]"]),
        ([map(0, 0, 1), map(1, 1, 1), map(0, 9, 1)], ["f[2]: overlaps with f[0]"]),
    ])
    func mappingsThatTheKernelRefusesAreErrors(mappings: [IDMapping], lines: [String]) {
        let findings = plan { IDMappingRules.check(mappings, "f", &$0) }.findings
        #expect(findings.errorLines == lines)
    }

    @Test func moreLinesThanTheKernelTakesAreRefused() {
        let most = (0..<340).map { map(UInt32($0), UInt32($0), 1) }
        #expect(plan { IDMappingRules.check(most, "f", &$0) }.findings.errorLines == [])
        #expect(
            plan { IDMappingRules.check(most + [map(9999, 9999, 1)], "f", &$0) }.findings.errorLines == [
                "f: has 341 entries; the kernel takes 340"
            ])
    }
}
