import Testing

@testable import Kernel

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000000000Z"),
        (0, 1, "1970-01-01T00:00:00.000000001Z"),
        (59, 999_999_999, "1970-01-01T00:00:59.999999999Z"),
        (86_399, 0, "1970-01-01T23:59:59.000000000Z"),
        (86_400, 0, "1970-01-02T00:00:00.000000000Z"),
        (68_169_600, 0, "1972-02-29T00:00:00.000000000Z"),
        (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
        (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"),
        (1_234_567_890, 120_000_000, "2009-02-13T23:31:30.120000000Z"),
        (1_709_164_800, 0, "2024-02-29T00:00:00.000000000Z"),
        (1_709_251_199, 0, "2024-02-29T23:59:59.000000000Z"),
        (1_740_787_200, 0, "2025-03-01T00:00:00.000000000Z"),
        (1_772_366_400, 123_456_789, "2026-03-01T12:00:00.123456789Z"),
        (2_147_483_647, 0, "2038-01-19T03:14:07.000000000Z"),
        (4_107_542_399, 0, "2100-02-28T23:59:59.000000000Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
        (253_402_300_799, 0, "9999-12-31T23:59:59.000000000Z"),
        (-1, 0, "1969-12-31T23:59:59.000000000Z"),
        (-86_400, 0, "1969-12-31T00:00:00.000000000Z"),
        (-86_401, 0, "1969-12-30T23:59:59.000000000Z"),
        (-2_203_891_200, 0, "1900-03-01T00:00:00.000000000Z"),
        (-2_203_891_201, 0, "1900-02-28T23:59:59.000000000Z"),
        (-11_644_473_600, 0, "1601-01-01T00:00:00.000000000Z"),
        (-62_135_596_800, 0, "0001-01-01T00:00:00.000000000Z"),
    ])
    func knownDatesAreWritten(seconds: Int, nanoseconds: Int, expected: String) {
        #expect(Timestamp.text(seconds: seconds, nanoseconds: nanoseconds) == expected)
    }

    /// Four hundred years have the same calendar again: each of their days must follow the one before.
    @Test func everyDayOfFourCenturiesIsCounted() {
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<146_097 {
            let date = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
            guard Timestamp.text(seconds: number * 86_400, nanoseconds: 0).hasPrefix("\(date)T00:00:00.") else {
                Issue.record("day \(number) is not written as \(date)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2370, 1, 1))
    }

    @Test func theClockIsLaterThanThisTest() {
        #expect(Timestamp.now() > "2026-01-01T00:00:00.000000000Z")
    }
}
