internal import ContainerRuntime
internal import Errors

extension Command {
    static let wait = Command(
        name: "wait", arguments: "CONTAINER", count: 1...1, summary: "wait for a container to end",
        details: """
            The exit status is that of the container's program, or 128 + the number of the signal that ended
            it. A container that has stopped already is answered for at once. With --timeout, the exit
            status is 124 when the container has not ended by then.

            A time is a number of seconds, or numbers with units: 90, 1.5s, 500ms, 2m, 1h30m.
            """,
        flags: [Flag("timeout", short: "t", value: "TIME", "how long to wait at most")]
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let timeout = try understand(invocation.command) { () throws(UsageError) in
            try invocation.parsed.duration("timeout")
        }
        return try attempt { () throws(RuntimeError) in try container.wait(timeout: timeout) }
    }
}

extension ParsedArguments {
    /// A flag's value as a time, in milliseconds.
    func duration(_ name: String) throws(UsageError) -> Int64? {
        guard let text = value(name) else { return nil }
        guard let time = Duration.milliseconds(text) else {
            throw UsageError(reason: "invalid value \"\(text)\" for flag --\(name): a time such as 10s, 500ms or 1m30s")
        }
        return time
    }
}

/// Times as people write them.
enum Duration {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
    ]

    /// Reads `90`, `1.5s`, `2m30s`: seconds where no unit is said, parts below a millisecond dropped; nil for anything else.
    static func milliseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        var total: Int64 = 0
        var count = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            guard let number = Number(&rest) else { return nil }
            let word = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
            rest = rest.dropFirst(word.count)
            let name = String(decoding: word, as: UTF8.self)
            // A bare number is one of seconds, and stands alone.
            if name.isEmpty, count != 0 || !rest.isEmpty { return nil }
            count += 1
            guard let unit = name.isEmpty ? 1000 : units.first(where: { $0.name == name })?.milliseconds,
                let part = number.times(unit)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return total
    }

    /// Digits, with or without a part behind the point.
    private struct Number {
        let whole: Int64
        /// Thousandths.
        let fraction: Int64

        init?(_ text: inout ArraySlice<UInt8>) {
            let digits = Self.digits(&text)
            guard let whole = Int64(digits) else { return nil }
            self.whole = whole
            guard text.first == UInt8(ascii: ".") else {
                fraction = 0
                return
            }
            text = text.dropFirst()
            let behind = Self.digits(&text)
            guard !behind.isEmpty else { return nil }
            fraction = Int64((behind + "000").prefix(3)) ?? 0
        }

        private static func digits(_ text: inout ArraySlice<UInt8>) -> String {
            let found = text.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            text = text.dropFirst(found.count)
            return String(decoding: found, as: UTF8.self)
        }

        func times(_ unit: Int64) -> Int64? {
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
            let (sum, isBeyond) = product.addingReportingOverflow(fraction * unit / 1000)
            return overflow || isBeyond ? nil : sum
        }
    }
}
