import Testing

@testable import Services

@Suite struct RotationTests {
    private func names(_ texts: [String]) -> [String] {
        RotatedName.all(in: texts, of: "web.log").map { $0.text(of: "web.log") }
    }

    @Test func findsItsOwn() {
        #expect(
            names([
                "web.log", "web.log.10", "web.log.2.gz", "web.log.1", "web.log.01", "web.log.0", "web.log.-1",
                "web.log.x",
                "web.log.3.bz2", "other.log.1", "web.log.3.gz.gz", ".web.log.gz.new", "web.log.gz", "web.log.",
            ]) == ["web.log.1", "web.log.2.gz", "web.log.10"])
        #expect(names(["web.log.2", "web.log.2.gz"]) == ["web.log.2.gz"])
    }

    private struct Case: Sendable {
        let present: [String]
        let files: Int
        let steps: [String]
    }

    private static let cases = [
        Case(present: [], files: 5, steps: []),
        Case(present: ["1"], files: 5, steps: ["1>2"]),
        Case(present: ["1", "2.gz", "3.gz"], files: 5, steps: ["3.gz>4.gz", "2.gz>3.gz", "1>2"]),
        Case(present: ["1", "2", "3", "4"], files: 5, steps: ["-4", "3>4", "2>3", "1>2"]),
        // A gap takes up what moves.
        Case(present: ["2", "3", "4"], files: 5, steps: []),
        Case(present: ["1", "3", "4"], files: 5, steps: ["1>2"]),
        Case(present: ["1", "2", "3", "4", "5", "9"], files: 5, steps: ["-9", "-5", "-4", "3>4", "2>3", "1>2"]),
        Case(present: ["1"], files: 2, steps: ["-1"]),
        Case(present: ["1", "2"], files: 1, steps: ["-2", "-1"]),
        Case(present: [], files: 1, steps: []),
    ]

    @Test(arguments: cases.indices) func makesRoom(_ index: Int) {
        let example = Self.cases[index]
        let present = RotatedName.all(in: example.present.map { "l.\($0)" }, of: "l")
        let steps = RotationStep.plan(present, files: example.files).map { step in
            switch step {
            case .remove(let name): "-\(name.text(of: "l").dropFirst(2))"
            case .rename(let old, let new): "\(old.text(of: "l").dropFirst(2))>\(new.text(of: "l").dropFirst(2))"
            }
        }
        #expect(steps == example.steps)
    }
}
