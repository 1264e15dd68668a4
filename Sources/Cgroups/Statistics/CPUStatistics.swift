internal import Kernel
internal import KernelTypes

/// `cpu.stat` and `cpu.pressure`. The times are there without the controller, too.
package struct CPUStatistics: Hashable, Sendable {
    /// Nanoseconds, all of them.
    package var total: UInt64?
    package var kernel: UInt64 = 0
    package var user: UInt64 = 0
    /// Of the quota: periods that have gone by, those in which it was used up, and nanoseconds that were waited for the
    /// next.
    package var periods: UInt64?
    package var throttledPeriods: UInt64?
    package var throttledTime: UInt64?
    package var pressure: Pressure?

    init() {}

    init(_ directory: borrowing Descriptor) throws(SystemError) {
        if let numbers = try StatisticsFile.numbers("cpu.stat", at: directory) {
            total = numbers["usage_usec"]?.inNanoseconds
            kernel = numbers["system_usec"]?.inNanoseconds ?? 0
            user = numbers["user_usec"]?.inNanoseconds ?? 0
            periods = numbers["nr_periods"]
            throttledPeriods = numbers["nr_throttled"]
            throttledTime = numbers["throttled_usec"]?.inNanoseconds
        }
        pressure = try Pressure("cpu.pressure", at: directory)
    }
}

/// How much time was lost by waiting for a resource: psi.rst.
package struct Pressure: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        /// Shares of the last 10, 60 and 300 seconds, in hundredths of a percent.
        package var average10: UInt64
        package var average60: UInt64
        package var average300: UInt64
        /// Microseconds.
        package var total: UInt64
    }

    /// Time in which some waited, and in which all did.
    package var some: Line?
    package var full: Line?

    /// - Returns: nil where pressure is not accounted.
    init?(_ file: String, at directory: borrowing Descriptor) throws(SystemError) {
        guard let text = try StatisticsFile.text(file, at: directory) else { return nil }
        self.init(text)
    }

    init?(_ text: String) {
        for line in text.parts(by: "\n") {
            let words = line.parts(by: " ")
            if words.first == "some" { some = Self.line(words) }
            if words.first == "full" { full = Self.line(words) }
        }
        if some == nil && full == nil { return nil }
    }

    private static func line(_ words: [String]) -> Line? {
        func value(_ name: String) -> String? { words.lazy.compactMap { $0.rest(after: "\(name)=") }.first }
        guard let ten = value("avg10").flatMap(hundredths), let sixty = value("avg60").flatMap(hundredths),
            let threeHundred = value("avg300").flatMap(hundredths), let total = value("total").flatMap({ UInt64($0) })
        else { return nil }
        return Line(average10: ten, average60: sixty, average300: threeHundred, total: total)
    }

    /// The kernel writes two digits behind the point, always.
    private static func hundredths(_ text: String) -> UInt64? {
        let parts = text.parts(by: ".")
        guard parts.count == 2, parts[1].utf8.count == 2 else { return nil }
        return UInt64(parts[0] + parts[1])
    }
}
