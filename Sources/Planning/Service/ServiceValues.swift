internal import KernelTypes

/// When a payload that has ended is started anew.
package enum RestartPolicy: Sendable, Equatable {
    case no
    /// After failures, at most so many times in a row; nil for any number.
    case onFailure(limit: Int?)
    case always

    init?(_ text: String) {
        switch text {
        case "no", "never": self = .no
        case "always", "unless-stopped": self = .always
        case "on-failure": self = .onFailure(limit: nil)
        default:
            guard let rest = text.rest(after: "on-failure:"), let limit = ServiceNumber.read(rest, 0...1_000_000_000)
            else { return nil }
            // Engines write 0 for any number.
            self = .onFailure(limit: limit == 0 ? nil : limit)
        }
    }
}

/// How many starts there may be in how much time.
package struct StartLimit: Sendable, Equatable {
    package let count: Int
    /// Milliseconds.
    package let window: Int64

    package init(count: Int, window: Int64) {
        self.count = count
        self.window = window
    }

    init?(_ text: String) {
        let parts = text.parts(by: "/", keepingEmpty: true)
        guard parts.count == 2, let count = ServiceNumber.read(parts[0], 1...10_000),
            let window = ServiceNumber.milliseconds(parts[1]), window > 0
        else { return nil }
        self.init(count: count, window: window)
    }
}

/// The shortest and the longest time before a start that follows a failure, in milliseconds.
package struct RestartDelay: Sendable, Equatable {
    package let shortest: Int64
    package let longest: Int64

    package init(shortest: Int64 = 100, longest: Int64 = 60_000) {
        self.shortest = shortest
        self.longest = longest
    }

    /// `MIN` alone grows to a minute.
    init?(_ text: String) {
        guard let dots = Self.dots(in: text) else {
            guard let time = ServiceNumber.milliseconds(text) else { return nil }
            self.init(shortest: time, longest: max(time, 60_000))
            return
        }
        let bytes = Array(text.utf8)
        guard let shortest = ServiceNumber.milliseconds(String(decoding: bytes[..<dots], as: UTF8.self)),
            let longest = ServiceNumber.milliseconds(String(decoding: bytes[(dots + 2)...], as: UTF8.self)),
            shortest <= longest
        else { return nil }
        self.init(shortest: shortest, longest: longest)
    }

    private static func dots(in text: String) -> Int? {
        let bytes = Array(text.utf8)
        let dot = UInt8(ascii: ".")
        return bytes.indices.dropLast().first { bytes[$0] == dot && bytes[$0 + 1] == dot }
    }
}

/// A set of exit codes.
package struct ExitCodes: Sendable, Equatable {
    package let ranges: [ClosedRange<Int32>]

    package init(_ ranges: [ClosedRange<Int32>] = []) { self.ranges = ranges }

    init?(_ text: String) {
        var ranges: [ClosedRange<Int32>] = []
        for part in text.parts(by: ",", keepingEmpty: true) {
            let ends = part.parts(by: "-", keepingEmpty: true)
            guard ends.count <= 2, let first = ServiceNumber.read(ends[0], 0...255),
                let last = ServiceNumber.read(ends[ends.count - 1], 0...255), first <= last
            else { return nil }
            ranges.append(Int32(first)...Int32(last))
        }
        self.init(ranges)
    }

    package func contains(_ code: Int32) -> Bool { ranges.contains { $0.contains(code) } }
}

/// What is done when a payload has become unhealthy.
package enum HealthAction: String, Sendable {
    case none, restart, stop
}

/// How a service's health is asked for. Times are milliseconds.
package struct HealthSettings: Sendable, Equatable {
    /// The program and its arguments.
    package var command: [String]
    package var interval: Int64 = 30_000
    package var timeout: Int64 = 5_000
    package var retries = 3
    package var startPeriod: Int64 = 0
    package var action = HealthAction.none

    package init(command: [String]) { self.command = command }
}

/// What makes a service ready.
package enum ReadyWhen: String, Sendable {
    /// Its program runs.
    case start
    /// It says so; sd_notify(3).
    case notify
    /// Its first health check has succeeded.
    case healthy
}

/// Where the payload's output goes.
package enum LogTarget: String, Sendable {
    case file, journal, inherit
}

/// How the payload's output is kept.
package struct LogSettings: Sendable, Equatable {
    /// nil where nothing was said: the supervisor's own output, or a file when it is detached.
    package var target: LogTarget?
    /// nil for the usual place.
    package var path: String?
    /// How large a file grows before it is rotated, in bytes.
    package var size: Int64 = 10 << 20
    /// How many files there are at most, with the one that is written to.
    package var files = 5
    package var compresses = false

    package init() {}
}

/// What a `run` does with a payload whose supervisor was killed.
package enum LeftoverAction: String, Sendable {
    /// It goes on under the new supervisor.
    case adopt
    /// It is stopped, and another one is started.
    case end
}

enum ServiceNumber {
    /// Digits alone.
    static func read(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let number = Int(text),
            range.contains(number)
        else { return nil }
        return number
    }

    /// At most a year: what is counted to is far within a clock's range.
    static func milliseconds(_ text: String) -> Int64? {
        DurationText.duration(text, atMost: .seconds(366 * 24 * 3600), bareFraction: true)?.milliseconds
    }
}
