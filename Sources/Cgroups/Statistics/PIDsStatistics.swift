internal import Kernel
internal import KernelTypes

/// `pids.current` and `pids.max`.
package struct PIDsStatistics: Hashable, Sendable {
    package var current: UInt64?
    /// 0 where there is no limit, as runc writes it.
    package var limit: UInt64 = 0

    init() {}

    init(_ directory: borrowing Descriptor) throws(SystemError) {
        current = try StatisticsFile.number("pids.current", at: directory)
        if let limit = try StatisticsFile.number("pids.max", at: directory), limit != .max { self.limit = limit }
    }
}
