import CLinux
import Testing

@testable import Kernel

@Suite struct DeadlineTests {
    @Test(arguments: [Int64.max, Int64.max - 1, Int64.max / 2] as [Int64])
    func aDeadlineTooFarAwayNeverComes(milliseconds: Int64) {
        let deadline = Deadline(milliseconds: milliseconds)
        #expect(!deadline.hasPassed)
        #expect(deadline.pollTimeout < 0 || deadline.pollTimeout == .max)
    }

    @Test(arguments: [0, -1, Int64.min] as [Int64])
    func aDeadlineInThePastHasPassed(milliseconds: Int64) {
        let deadline = Deadline(milliseconds: milliseconds)
        #expect(deadline.hasPassed && deadline.pollTimeout == 0)
    }

    @Test func aDeadlineMayBeAbsent() {
        #expect(Deadline.never.pollTimeout == -1 && !Deadline.never.hasPassed)
        #expect(Deadline(seconds: nil).pollTimeout == -1 && Deadline(seconds: .max).pollTimeout < 0)
        #expect((1...100_000).contains(Deadline(seconds: 100).pollTimeout))
    }

    /// However often a wait is interrupted, the moment stays.
    @Test func aDeadlineDoesNotMove() {
        let deadline = Deadline(milliseconds: 20)
        var turns = 0
        while !deadline.hasPassed, turns < 1000 {
            MonotonicClock.sleep(milliseconds: 5)
            turns += 1
        }
        #expect(turns < 1000)
    }
}
