internal import Kernel
internal import KernelTypes

/// The CPUs and memory nodes that the cgroup may use in effect: `cpuset.cpus.effective`, `cpuset.mems.effective`,
/// `cpuset.cpus.partition`.
package struct CpusetStatistics: Hashable, Sendable {
    package var cpus: [UInt16]?
    package var mems: [UInt16]?
    /// Whether the CPUs are the cgroup's alone.
    package var isExclusive = false
    /// Whether the scheduler spreads tasks over them.
    package var isBalanced = false

    init() {}

    init(_ directory: borrowing Descriptor) throws(SystemError) {
        cpus = try StatisticsFile.text("cpuset.cpus.effective", at: directory).flatMap(Self.list)
        mems = try StatisticsFile.text("cpuset.mems.effective", at: directory).flatMap(Self.list)
        guard let partition = try StatisticsFile.text("cpuset.cpus.partition", at: directory) else { return }
        isExclusive = partition == "root" || partition == "isolated"
        isBalanced = partition != "isolated"
    }

    /// A list such as `0-3,7`; nil when it is none.
    static func list(_ text: String) -> [UInt16]? {
        var numbers: [UInt16] = []
        for range in text.parts(by: ",") {
            let ends = range.parts(by: "-").map { UInt16($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
                return nil
            }
            numbers += first...last
        }
        return numbers
    }
}
