internal import Errors
internal import OCISpec

/// What the kernel demands of the lines of uid_map and gid_map, where it would only say that an argument is invalid.
/// user_namespaces(7).
enum IDMappingRules {
    /// The most lines a map may have.
    static let mostLines = 340

    static func check(_ mappings: [IDMapping], _ field: String, _ findings: inout Findings) {
        if mappings.count > mostLines {
            return findings.refuse(field, "has \(mappings.count) entries; the kernel takes \(mostLines)")
        }
        for (index, mapping) in mappings.enumerated() {
            // The highest number stands for "no id".
            if ends(mapping.containerID, mapping.size) > UInt64(UInt32.max)
                || ends(mapping.hostID, mapping.size) > UInt64(UInt32.max)
            {
                findings.refuse("\(field)[\(index)]", "names ids beyond 4294967294")
            }
            for (other, earlier) in mappings[..<index].enumerated() where overlap(mapping, earlier) {
                findings.refuse("\(field)[\(index)]", "overlaps with \(field)[\(other)]")
            }
        }
    }

    private static func ends(_ first: UInt32, _ size: UInt32) -> UInt64 { UInt64(first) + UInt64(size) }

    private static func overlap(_ a: IDMapping, _ b: IDMapping) -> Bool {
        func meet(_ x: UInt32, _ y: UInt32) -> Bool {
            UInt64(x) < ends(y, b.size) && UInt64(y) < ends(x, a.size)
        }
        return meet(a.containerID, b.containerID) || meet(a.hostID, b.hostID)
    }
}
