internal import Kernel
internal import KernelTypes

/// `hugetlb.SIZE.current` and `hugetlb.SIZE.events`.
package struct HugePageStatistics: Hashable, Sendable {
    /// As in the files' names: `2MB`.
    package let pageSize: String
    /// Bytes.
    package let usage: UInt64
    /// How often the limit was run into.
    package let failures: UInt64

    /// - Parameter names: of all files in the directory; the sizes stand in them.
    static func all(_ directory: borrowing Descriptor, names: [String]) throws(SystemError)
        -> [HugePageStatistics]
    {
        var found: [HugePageStatistics] = []
        for name in names.sorted() {
            let parts = name.parts(by: ".")
            guard parts.count == 3, parts[0] == "hugetlb", parts[2] == "current" else { continue }
            found.append(
                HugePageStatistics(
                    pageSize: parts[1], usage: try StatisticsFile.number(name, at: directory) ?? 0,
                    failures: try StatisticsFile.numbers("hugetlb.\(parts[1]).events", at: directory)?["max"] ?? 0))
        }
        return found
    }
}
