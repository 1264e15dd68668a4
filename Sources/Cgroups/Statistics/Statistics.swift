internal import Errors
internal import Kernel
internal import KernelTypes

/// What a cgroup has used, and what it may use: the numbers of cgroup v2 in the units of the `events` command
/// (nanoseconds, bytes). cgroup-v2.rst.
///
/// A controller that is not switched on has no files; its numbers are then absent, and where a number is no option it
/// is 0.
package struct Statistics: Hashable, Sendable {
    package var cpu = CPUStatistics()
    package var cpuset = CpusetStatistics()
    package var memory = MemoryStatistics()
    package var pids = PIDsStatistics()
    package var io = IOStatistics()
    /// One entry for each page size, from the smallest name.
    package var hugePages: [HugePageStatistics] = []

    package init() {}

    /// Reads the files of one cgroup's directory.
    init(_ directory: borrowing Descriptor, names: [String]) throws(SystemError) {
        cpu = try CPUStatistics(directory)
        cpuset = try CpusetStatistics(directory)
        memory = try MemoryStatistics(directory)
        pids = try PIDsStatistics(directory)
        io = try IOStatistics(directory)
        hugePages = try HugePageStatistics.all(directory, names: names)
    }
}

extension FSManager {
    func statistics() throws(CgroupError) -> Statistics {
        let read = try inDirectory { directory throws(SystemError) in
            try Statistics(directory, names: Files.entries(of: directory).map { $0.name.text })
        }
        guard let read else { throw gone }
        return read
    }
}

/// The forms that the files have.
package enum StatisticsFile {
    /// - Returns: nil where the kernel has no such file, or nothing to report in it (EOPNOTSUPP: pressure that is not
    ///   accounted).
    static func text(_ name: String, at directory: borrowing Descriptor) throws(SystemError) -> String? {
        do throws(SystemError) {
            return try Files.readText(name, at: directory)
        } catch {
            if error.isMissing || error.code == .notSupported { return nil }
            throw error
        }
    }

    /// One number; `max` is the greatest there is.
    static func number(_ name: String, at directory: borrowing Descriptor) throws(SystemError) -> UInt64? {
        try text(name, at: directory).flatMap { $0 == "max" ? UInt64.max : UInt64($0) }
    }

    /// Lines of a key and a number.
    static func numbers(_ name: String, at directory: borrowing Descriptor) throws(SystemError) -> [Entry]? {
        try text(name, at: directory).map(entries)
    }

    package struct Entry: Hashable {
        let key: String
        let value: UInt64
    }

    static func entries(_ text: String) -> [Entry] {
        text.parts(by: "\n").compactMap { line in
            let words = line.parts(by: " ")
            guard words.count == 2, let value = UInt64(words[1]) else { return nil }
            return Entry(key: words[0], value: value)
        }
    }
}

extension [StatisticsFile.Entry] {
    subscript(key: String) -> UInt64? { first { $0.key == key }?.value }
}

extension UInt64 {
    /// Microseconds as nanoseconds.
    var inNanoseconds: UInt64 {
        let (product, isTooLarge) = multipliedReportingOverflow(by: 1000)
        return isTooLarge ? .max : product
    }
}
