/// Spans of time as the command line writes them: `5s`, `500ms`, `1m30s`, `1.5h`.
package enum DurationText {
    private static let units: [(name: String, microseconds: Int64)] = [
        ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000),
    ]

    /// Reads a number of seconds, or numbers with units.
    /// - Parameters:
    ///   - limit: the longest span that is one.
    ///   - fraction: whether a number of seconds may have a fraction, as one with a unit may.
    /// - Returns: nil when it is no such span.
    package static func duration(
        _ text: String, atMost limit: Duration = hundredYears, bareFraction fraction: Bool = false
    ) -> Duration? {
        let isBare = text.utf8.allSatisfy { isDigit($0) || fraction && $0 == UInt8(ascii: ".") }
        var rest = Array((isBare ? "\(text)s" : text).utf8)[...]
        if rest.isEmpty { return nil }
        var sum = Duration.zero
        while !rest.isEmpty {
            guard let part = take(&rest) else { return nil }
            sum += part
            // Looked at each time: no part is so long that two of them could not be added.
            if sum > limit { return nil }
        }
        return sum
    }

    static let hundredYears = Duration.seconds(100 * 366 * 24 * 3600)

    /// Takes a number and its unit away.
    private static func take(_ rest: inout ArraySlice<UInt8>) -> Duration? {
        let number = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
        rest = rest.dropFirst(number.count)
        let name = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
        rest = rest.dropFirst(name.count)
        let parts = String(decoding: number, as: UTF8.self).parts(by: ".", keepingEmpty: true)
        guard let unit = units.first(where: { $0.name.utf8.elementsEqual(name) }), parts.count <= 2,
            let whole = digits(parts[0]).flatMap({ span($0, unit.microseconds) })
        else { return nil }
        guard parts.count == 2 else { return whole }
        // Six digits of the longest unit are finer than a millisecond.
        let fraction = String(decoding: Array(parts[1].utf8.prefix(6)), as: UTF8.self)
        guard parts[1].utf8.allSatisfy(isDigit), let value = digits(fraction) else { return nil }
        var scale: Int64 = 1
        for _ in fraction.utf8 { scale *= 10 }
        return whole + .microseconds(value * unit.microseconds / scale)
    }

    /// So many units; nil where their seconds do not fit into 64 bits.
    private static func span(_ count: Int64, _ unit: Int64) -> Duration? {
        if unit < second { return .seconds(count / (second / unit)) + .microseconds(count % (second / unit) * unit) }
        let (seconds, isTooMany) = count.multipliedReportingOverflow(by: unit / second)
        return isTooMany ? nil : .seconds(seconds)
    }

    private static let second: Int64 = 1_000_000

    private static func digits(_ text: String) -> Int64? {
        !text.isEmpty && text.utf8.allSatisfy(isDigit) ? Int64(text) : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension Duration {
    /// Rounded up: what is waited for is not missed, and what takes time is not nothing.
    package var milliseconds: Int64 {
        let rest = (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (whole, isBeyond) = components.seconds.multipliedReportingOverflow(by: 1000)
        let (sum, isLarger) = whole.addingReportingOverflow(rest)
        return isBeyond || isLarger ? (components.seconds < 0 ? .min : .max) : sum
    }
}
