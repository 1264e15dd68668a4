internal import KernelTypes

/// Points in time as RFC 3339 text in UTC.
package enum Timestamp {
    package static func now() -> String {
        let time = Clock.realTime()
        return text(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }

    /// The time of day so much later.
    package static func after(milliseconds: Int64) -> String {
        let time = Clock.realTime()
        let nanoseconds = time.nanoseconds + Int(milliseconds % 1000) * 1_000_000
        return text(
            seconds: time.seconds + Int(milliseconds / 1000) + nanoseconds / 1_000_000_000,
            nanoseconds: nanoseconds % 1_000_000_000)
    }

    /// The time of day in nanoseconds since 1970.
    package static var nanoseconds: Int64 {
        let time = Clock.realTime()
        return Int64(time.seconds) * 1_000_000_000 + Int64(time.nanoseconds)
    }

    /// `2026-03-01T12:00:00.123456789Z`. The calendar arithmetic is the proleptic Gregorian one that counts days from
    /// March.
    package static func text(seconds: Int, nanoseconds: Int) -> String {
        let days = (seconds - (seconds % 86400 + 86400) % 86400) / 86400
        let second = seconds - days * 86400
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T"
            + "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2)).\(pad(nanoseconds, 9))Z"
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
