import Testing

@testable import Errors

@Suite struct FindingTests {
    @Test func aMistakeIsNotIgnored() {
        let odd = Finding(.warning, "process.x", "unknown key \"x\" (ignored)")
        #expect(odd.asMistake.severity == .error)
        #expect(odd.asMistake.description == "process.x: unknown key \"x\"")
        let other = Finding(.warning, "mounts", "(ignored) stands in front")
        #expect(other.asMistake.reason == other.reason)
        #expect(other.asMistake.asMistake == other.asMistake)
    }
}
