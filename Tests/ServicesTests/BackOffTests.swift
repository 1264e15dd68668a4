import KernelTypes
import Planning
import Testing

@testable import Services

@Suite struct BackOffTests {
    private func settings(_ values: [(ServiceSetting, String)]) -> ServiceSettings {
        var settings = ServiceSettings()
        for (setting, text) in values {
            let isTaken = settings.set(setting, text, folder: "/")
            #expect(isTaken, "\(setting) \(text)")
        }
        return settings
    }

    @Test(arguments: [1, 2, 3, UInt64.max])
    func delaysDoubleUpToTheLongest(seed: UInt64) {
        var backOff = BackOff(RestartDelay(shortest: 100, longest: 1000), seed: seed)
        for base in [100, 200, 400, 800, 1000, 1000] as [Int64] {
            let delay = backOff.take()
            #expect((base - base / 5...base + base / 5).contains(delay), "\(delay) of \(base)")
        }
        backOff.reset()
        let first = backOff.take()
        #expect((80...120).contains(first))
    }

    @Test func delaysDiffer() {
        var backOff = BackOff(RestartDelay(shortest: 1000, longest: 1000), seed: 7)
        let delays = Set((0..<50).map { _ in backOff.take() })
        #expect(delays.count > 20)
    }

    @Test func noDelayStaysNone() {
        var backOff = BackOff(RestartDelay(shortest: 0, longest: 0), seed: 7)
        let delays = (0..<5).map { _ in backOff.take() }
        #expect(delays == [0, 0, 0, 0, 0])
    }

    @Test func theLongestDelayDoesNotOverflow() {
        var backOff = BackOff(RestartDelay(shortest: .max / 4, longest: .max / 2), seed: 7)
        let delays = (0..<10).map { _ in backOff.take() }
        #expect(delays.allSatisfy { $0 > 0 })
    }

    @Test func startsAreCountedInTheirTime() {
        var counter = StartCounter(StartLimit(count: 2, window: 1000))
        let allowed = [0, 999, 999, 1000, 1001].map { counter.allows(at: $0) }
        #expect(allowed == [true, true, false, true, false])
        var unlimited = StartCounter(nil)
        let all = (0..<100).map { _ in unlimited.allows(at: 0) }
        #expect(!all.contains(false))
    }

    @Test(
        arguments: [
            ("no", .success, false), ("no", .failure(code: 1), false), ("always", .success, true),
            ("always", .failure(code: 1), true), ("always", .startFailed, true), ("on-failure", .success, false),
            ("on-failure", .failure(code: 1), true), ("on-failure", .failure(code: nil), true),
            ("on-failure", .startFailed, true), ("on-failure", .given, true), ("no", .given, false),
        ] as [(String, RunEnd, Bool)])
    func policiesDecide(policy: String, end: RunEnd, restarts: Bool) {
        var decision = RestartDecision(settings([(.restart, policy)]))
        let decided = decision.restarts(after: end)
        #expect(decided == restarts)
    }

    @Test func failuresInARowAreLimited() {
        var decision = RestartDecision(settings([(.restart, "on-failure:2")]))
        let decided = [RunEnd.failure(code: 1), .startFailed, .failure(code: 1)].map { decision.restarts(after: $0) }
        #expect(decided == [true, true, false])
        decision.forget()
        let again = decision.restarts(after: .failure(code: 1))
        #expect(again)
    }

    @Test func someCodesNeverRestart() {
        var decision = RestartDecision(settings([(.restart, "always"), (.noRestartCodes, "0,2,64-78,143")]))
        let final = [RunEnd.success] + ([2, 64, 78, 143] as [Int32]).map { .failure(code: $0) }
        #expect(final.map { decision.restarts(after: $0) } == [false, false, false, false, false])
        let others = ([1, 63, 79, nil] as [Int32?]).map { RunEnd.failure(code: $0) }
        #expect(others.map { decision.restarts(after: $0) } == [true, true, true, true])
    }
}

@Suite struct HealthJudgeTests {
    private func judge(_ change: (inout HealthSettings) -> Void = { _ in }) -> HealthJudge {
        var settings = HealthSettings(command: ["x"])
        settings.interval = 1000
        change(&settings)
        return HealthJudge(settings, start: 0)
    }

    /// Whether each answer has changed the status.
    private func changes(_ judge: inout HealthJudge, _ answers: [(Bool, Int64)]) -> [Bool] {
        answers.map { judge.note($0.0, at: $0.1) }
    }

    @Test func theFirstCheckComesAtOnce() { #expect(judge().next == 0) }

    @Test func oneSuccessIsHealth() {
        var judge = judge()
        #expect(changes(&judge, [(true, 10)]) == [true])
        #expect(judge.status == .healthy && judge.next == 1010)
        #expect(changes(&judge, [(true, 1010)]) == [false])
    }

    @Test func failuresCountAtTheirIntervalOnly() {
        var judge = judge { $0.retries = 2 }
        var now: Int64 = 0
        while now < 1000 {
            #expect(changes(&judge, [(false, now)]) == [false])
            #expect(judge.failures == 0 && judge.next > now && judge.next <= 1000)
            now = judge.next
        }
        #expect(changes(&judge, [(false, 1000)]) == [false])
        #expect(judge.failures == 1 && judge.next == 2000)
        #expect(changes(&judge, [(false, 2000)]) == [true])
        #expect(judge.status == .unhealthy)
        #expect(changes(&judge, [(true, 3000)]) == [true])
        #expect(judge.status == .healthy && judge.failures == 0)
    }

    @Test func healthGoesAfterAsManyFailuresInARow() {
        var judge = judge()
        let answers: [(Bool, Int64)] = [
            (true, 0), (false, 1000), (false, 2000), (true, 3000), (false, 4000), (false, 5000), (false, 6000),
        ]
        #expect(changes(&judge, answers) == [true, false, false, false, false, false, true])
        #expect(judge.status == .unhealthy)
    }

    @Test func theStartPeriodForgives() {
        var judge = judge {
            $0.startPeriod = 5000
            $0.retries = 1
        }
        #expect(changes(&judge, [(false, 4999)]) == [false])
        #expect(judge.status == .starting && judge.next == 5000)
        #expect(changes(&judge, [(false, 5000)]) == [true])
        #expect(judge.status == .unhealthy)
    }
}
