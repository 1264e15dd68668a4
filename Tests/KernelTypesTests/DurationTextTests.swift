import Testing

@testable import KernelTypes

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("5s", 5000), ("500ms", 500), ("1m", 60_000), ("5", 5000), ("0", 0), ("0s", 0), ("1h", 3_600_000),
            ("1m30s", 90_000), ("1.5s", 1500), ("0.5ms", 1), ("1us", 1), ("1500us", 2), ("2h0.5m", 7_230_000),
            ("0.0000001s", 0), ("1.s1ms", nil), (".5s", nil),
        ] as [(String, Int64?)])
    func durationsAreReadWithTheirUnit(text: String, milliseconds: Int64?) {
        #expect(DurationText.duration(text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", " ", "s", "5x", "5 s", "-5s", "+5s", "5S", "1,5s", "1.2.3s", "s5", "5s5", "99999999999999999999",
        "9223372036854775807", "9999999999h", "900000h900000h", "1e3s", "\u{663}s",
    ])
    func malformedDurationsAreRefused(text: String) { #expect(DurationText.duration(text) == nil, "\(text)") }

    /// What `wait` takes beside that: more than a hundred years, and seconds with a fraction.
    @Test(
        arguments: [
            ("1.5", 1500), ("0.25", 250), ("90", 90_000), ("1.", nil), (".5", nil), ("1.2.3", nil), (".", nil),
            ("", nil),
            ("900000h", 3_240_000_000_000), ("1.0005h", 3_601_800), ("9223372036854775807ms", .max),
            ("9223372036854775s", 9_223_372_036_854_775_000), ("9223372036854775.999s", nil),
            ("9223372036854775807s", nil), ("9223372036854775807h9223372036854775807h", nil),
        ] as [(String, Int64?)])
    func readsTimeLimits(text: String, milliseconds: Int64?) {
        let duration = DurationText.duration(text, atMost: .milliseconds(Int64.max), bareFraction: true)
        #expect(duration?.milliseconds == milliseconds, "\(text)")
    }
}
