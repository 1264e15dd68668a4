/// Spans of time as the command line writes them: `5s`, `500ms`, `1m30s`, `1.5h`.
package enum DurationText {
    private static let units: [(name: String, microseconds: Int64)] = [
        ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000),
    ]

    /// Milliseconds, rounded up; a plain whole number is seconds.
    /// - Returns: nil when it is no such span, or one beyond a hundred years.
    package static func milliseconds(_ text: String) -> Int64? {
        if let seconds = digits(text) { return seconds <= limit / 1000 ? seconds * 1000 : nil }
        var rest = Array(text.utf8)[...]
        if rest.isEmpty { return nil }
        var sum: Int64 = 0
        while !rest.isEmpty {
            guard let part = take(&rest) else { return nil }
            sum += part
            if sum > limit * 1000 { return nil }
        }
        return (sum + 999) / 1000
    }

    private static let limit: Int64 = 100 * 366 * 24 * 3_600_000

    /// Takes a number and its unit away; its microseconds.
    private static func take(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        let number = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
        rest = rest.dropFirst(number.count)
        let name = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
        rest = rest.dropFirst(name.count)
        let parts = String(decoding: number, as: UTF8.self).parts(by: ".", keepingEmpty: true)
        guard let unit = units.first(where: { $0.name.utf8.elementsEqual(name) }), parts.count <= 2,
            let whole = digits(parts[0]), whole <= limit * 1000 / unit.microseconds
        else { return nil }
        guard parts.count == 2 else { return whole * unit.microseconds }
        // Six digits of the longest unit are finer than a millisecond.
        let fraction = String(decoding: Array(parts[1].utf8.prefix(6)), as: UTF8.self)
        guard parts[1].utf8.allSatisfy(isDigit), let value = digits(fraction) else { return nil }
        var scale: Int64 = 1
        for _ in fraction.utf8 { scale *= 10 }
        return whole * unit.microseconds + value * unit.microseconds / scale
    }

    private static func digits(_ text: String) -> Int64? {
        !text.isEmpty && text.utf8.allSatisfy(isDigit) ? Int64(text) : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
