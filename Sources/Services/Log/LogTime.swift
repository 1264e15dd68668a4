internal import KernelTypes

/// Points in time as records have them, and as people write them for `--since`.
package enum LogTime {
    private static let second: Int64 = 1_000_000_000

    /// Reads what a person wrote: RFC 3339 (without a zone it is UTC, without a time midnight), seconds since 1970, or
    /// how long ago, as in `10m`.
    /// - Parameter now: nanoseconds since 1970.
    /// - Returns: nanoseconds since 1970; nil where it is none of these, or lies beyond what these can count.
    package static func moment(_ text: String, now: Int64) -> Int64? {
        let bytes = Array(text.utf8)[...]
        if let time = nanoseconds(bytes, needsZone: false) { return time }
        if bytes.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }) { return seconds(text) }
        guard let ago = DurationText.duration(text) else { return nil }
        let (span, isTooLong) = ago.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (time, isBeyond) = now.subtractingReportingOverflow(span)
        return isTooLong || isBeyond ? nil : time
    }

    private static func seconds(_ text: String) -> Int64? {
        let parts = text.parts(by: ".", keepingEmpty: true)
        guard parts.count <= 2, let whole = Int64(parts[0]) else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard let value = Self.fraction(Array(parts[1].utf8)[...]) else { return nil }
            fraction = value
        }
        let (scaled, isTooMany) = whole.multipliedReportingOverflow(by: second)
        let (sum, isBeyond) = scaled.addingReportingOverflow(fraction)
        return isTooMany || isBeyond ? nil : sum
    }

    /// Reads RFC 3339.
    static func nanoseconds(_ text: ArraySlice<UInt8>, needsZone: Bool = true) -> Int64? {
        var rest = text
        guard let year = take(4, &rest), skip("-", &rest), let month = take(2, &rest), skip("-", &rest),
            let day = take(2, &rest), (1...12).contains(month), day >= 1, day <= days(in: month, of: year)
        else { return nil }
        let date = Int64(self.days(year, month, day)) * 86400
        if rest.isEmpty { return needsZone ? nil : sum(date, 0) }
        guard skip("T", &rest) || skip("t", &rest) || skip(" ", &rest) else { return nil }
        guard let hour = take(2, &rest), skip(":", &rest), let minute = take(2, &rest), hour < 24, minute < 60 else {
            return nil
        }
        var seconds = 0
        if skip(":", &rest) {
            // A leap second is the next one's beginning.
            guard let value = take(2, &rest), value <= 60 else { return nil }
            seconds = value
        } else if needsZone {
            return nil
        }
        var fraction: Int64 = 0
        if skip(".", &rest) {
            let digits = rest.prefix { isDigit($0) }
            guard let value = Self.fraction(digits) else { return nil }
            fraction = value
            rest = rest[digits.endIndex...]
        }
        guard let offset = zone(rest, isNeeded: needsZone) else { return nil }
        return sum(date + Int64(hour * 3600 + minute * 60 + seconds - offset), fraction)
    }

    private static func sum(_ seconds: Int64, _ fraction: Int64) -> Int64? {
        let (scaled, isTooMany) = seconds.multipliedReportingOverflow(by: second)
        return isTooMany ? nil : scaled + fraction
    }

    /// Seconds east of Greenwich.
    private static func zone(_ text: ArraySlice<UInt8>, isNeeded: Bool) -> Int? {
        var rest = text
        if rest.isEmpty { return isNeeded ? nil : 0 }
        if skip("Z", &rest) || skip("z", &rest) { return rest.isEmpty ? 0 : nil }
        let isWest = skip("-", &rest)
        guard isWest || skip("+", &rest), let hours = take(2, &rest), skip(":", &rest), let minutes = take(2, &rest),
            rest.isEmpty, hours < 24, minutes < 60
        else { return nil }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }

    /// The digits behind a point as nanoseconds; what is finer is cut off.
    private static func fraction(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        var value: Int64 = 0
        for place in 0..<9 {
            let index = digits.startIndex + place
            value = value * 10 + (index < digits.endIndex ? Int64(digits[index] - UInt8(ascii: "0")) : 0)
        }
        return value
    }

    /// Days since 1970 in the proleptic Gregorian calendar, years counted from March.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy(isDigit) else { return nil }
        rest = rest[digits.endIndex...]
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func skip(_ character: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
