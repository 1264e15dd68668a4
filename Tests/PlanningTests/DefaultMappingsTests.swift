import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct DefaultMappingsTests {

    @Test(
        "Ranges of /etc/subuid follow the user's own id",
        arguments: [
            ([], [(0, 1000, 1)]),
            (["ann:100000:65536"], [(0, 1000, 1), (1, 100_000, 65536)]),
            (
                ["bob:1:2", "1000:5:10", "ann:50:2", "ann:x:2", "ann:7:0", "ann:7"],
                [(0, 1000, 1), (1, 5, 10), (11, 50, 2)]
            ),
            (["ann:4294967290:65536", "ann:8:4294967295"], [(0, 1000, 1)]),
        ] as [([String], [(UInt32, UInt32, UInt32)])])
    func ranges(lines: [String], mappings: [(UInt32, UInt32, UInt32)]) {
        let expected = mappings.map { IDMapping(containerID: $0.0, hostID: $0.1, size: $0.2) }
        #expect(DefaultMappings.mappings(own: 1000, ranges: lines, names: ["ann", "1000"]) == expected)
    }
}
