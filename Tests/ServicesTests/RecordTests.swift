import Testing

@testable import Services

@Suite struct RecordTests {
    private func record(_ text: String) -> CRIRecord { CRIRecord(Array(text.utf8)[...]) }

    @Test func writesWhatItReads() {
        var bytes: [UInt8] = []
        CRIRecord.append(
            Array("a b".utf8)[...], time: Array("2026-01-02T03:04:05.123456789Z".utf8), .stderr, isLast: false,
            to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "2026-01-02T03:04:05.123456789Z stderr P a b\n")
        let back = CRIRecord(bytes.dropLast())
        #expect(back.stream == .stderr && !back.isLast && Array(back.content) == Array("a b".utf8))
        #expect(back.moment == 1_767_323_045_123_456_789)
    }

    @Test(arguments: [
        ("2026-01-02T03:04:05Z stdout F ", "", LogStream.stdout, true),
        ("2026-01-02T03:04:05Z stdout P:x  y", " y", .stdout, false),
        ("2026-01-02T03:04:05+01:00 stderr F:a:b z", "z", .stderr, true),
    ])
    func readsRecords(text: String, content: String, stream: LogStream, isLast: Bool) {
        let read = record(text)
        #expect(read.stream == stream && read.isLast == isLast && Array(read.content) == Array(content.utf8))
        #expect(read.moment != nil)
    }

    @Test(arguments: [
        "", "x", "2026-01-02T03:04:05Z stdout F", "2026-01-02T03:04:05Z stdlog F x", "2026-01-02T03:04:05Z stdout X x",
        "2026-13-02T03:04:05Z stdout F x", "today stdout F x", "2026-01-02T03:04:05Z stdout  F x",
    ])
    func takesOthersForOutput(text: String) {
        let read = record(text)
        #expect(read.stream == .stdout && read.isLast && read.moment == nil && Array(read.content) == Array(text.utf8))
    }

    private static let now: Int64 = 1_767_323_045_000_000_000

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("1970-01-01T00:01", 60), ("1970-01-01 00:00:01", 1),
        ("2026-01-02T03:04:05Z", 1_767_323_045), ("2026-01-02t04:04:05+01:00", 1_767_323_045),
        ("2026-01-01T22:04:05-05:00", 1_767_323_045), ("2024-02-29T00:00:00Z", 1_709_164_800),
        ("1969-12-31T23:59:59Z", -1), ("2016-12-31T23:59:60Z", 1_483_228_800), ("1767323045", 1_767_323_045),
        ("0", 0), ("10m", 1_767_322_445), ("1h30m", 1_767_317_645), ("1.5h", 1_767_317_645),
    ])
    func readsTimes(text: String, seconds: Int64) {
        #expect(LogTime.moment(text, now: Self.now) == seconds * 1_000_000_000)
    }

    @Test(arguments: [
        ("1.5", Int64(1_500_000_000)), ("2026-01-02T03:04:05.1Z", 1_767_323_045_100_000_000),
        ("2026-01-02T03:04:05.1234567899Z", 1_767_323_045_123_456_789), ("100ms", now - 100_000_000),
    ])
    func readsFractions(text: String, nanoseconds: Int64) {
        #expect(LogTime.moment(text, now: Self.now) == nanoseconds)
    }

    @Test(arguments: [
        "", "yesterday", "2026-02-29", "2026-1-2", "2026-01-02T25:00:00Z", "2026-01-02T03:04:05.Z", "10x", "-5m",
        "2026-01-02T03:04:05+0100", "2026-01-02T03:04:05ZZ", "99999999999999999999", "9999-12-31T00:00:00Z", "1.2.3",
    ])
    func refusesOtherTimes(text: String) {
        #expect(LogTime.moment(text, now: Self.now) == nil)
    }
}
