internal import Kernel
internal import KernelTypes

/// `memory.*`, in the shape that cgroup v1 gave it and engines still read.
package struct MemoryStatistics: Hashable, Sendable {
    /// Bytes of one kind of memory.
    package struct Entry: Hashable, Sendable {
        /// The greatest number there is where there is no limit.
        package var limit: UInt64 = 0
        package var usage: UInt64?
        /// The highest that the usage has been.
        package var peak: UInt64?
        /// How often the limit was run into.
        package var failures: UInt64 = 0

        init(limit: UInt64 = 0, usage: UInt64? = nil, peak: UInt64? = nil, failures: UInt64 = 0) {
            self.limit = limit
            self.usage = usage
            self.peak = peak
            self.failures = failures
        }
    }

    /// Of files.
    package var cache: UInt64?
    package var usage = Entry()
    /// Memory and swap together, as cgroup v1 counted; there is no peak of the two.
    package var swap = Entry()
    /// Part of ``usage``, without limits of their own: what the kernel uses for the cgroup, and its network buffers.
    package var kernel = Entry()
    package var kernelTCP = Entry()
    /// Everything in `memory.stat`, in the kernel's order.
    package var raw: [(key: String, value: UInt64)] { entries.map { ($0.key, $0.value) } }
    var entries: [StatisticsFile.Entry] = []
    package var pressure: Pressure?

    init() {}

    init(_ directory: borrowing Descriptor) throws(SystemError) {
        entries = try StatisticsFile.numbers("memory.stat", at: directory) ?? []
        cache = entries["file"]
        kernel.usage = entries["kernel"]
        kernelTCP.usage = entries["sock"]
        usage = try Self.entry("memory", directory)
        swap = Self.together(usage, try Self.entry("memory.swap", directory))
        pressure = try Pressure("memory.pressure", at: directory)
    }

    private static func entry(_ prefix: String, _ directory: borrowing Descriptor) throws(SystemError) -> Entry {
        Entry(
            limit: try StatisticsFile.number("\(prefix).max", at: directory) ?? 0,
            usage: try StatisticsFile.number("\(prefix).current", at: directory),
            peak: try StatisticsFile.number("\(prefix).peak", at: directory),
            failures: try StatisticsFile.numbers("\(prefix).events", at: directory)?["max"] ?? 0)
    }

    private static func together(_ memory: Entry, _ swap: Entry) -> Entry {
        guard let memoryUsage = memory.usage, let swapUsage = swap.usage else { return Entry() }
        let (limit, isUnlimited) = memory.limit.addingReportingOverflow(swap.limit)
        return Entry(limit: isUnlimited ? .max : limit, usage: memoryUsage &+ swapUsage, failures: swap.failures)
    }
}
