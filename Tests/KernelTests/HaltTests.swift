import CLinux
import KernelTypes
import Testing

@testable import Kernel

@Suite struct HaltTests {
    @Test(arguments: [("T", true), ("t", true), ("S", false), ("R", false), ("D", false), ("Z", false)])
    func onlyStoppedAndTracedStatesAreHalted(state: String, isHalted: Bool) {
        #expect(Processes.isHalted(stat: ProcessTests.stat("T) t (T", state: state)) == isHalted)
        #expect(!Processes.isHalted(stat: []))
    }

    @Test func aStoppedChildIsRecognised() throws {
        let child = try Cloning.clone(cgroup: nil) {
            while true { _ = try? Polling.wait([], timeout: -1) }
        }
        defer {
            try? Processes.kill(child)
            _ = try? Processes.wait(child)
        }
        #expect(!Processes.isStoppedChild(child.pid) && !Processes.isHalted(child.pid))
        try Processes.send(.stop, to: child.pidfd)
        var turns = 0
        while !Processes.isStoppedChild(child.pid), turns < 2000 {
            MonotonicClock.sleep(milliseconds: 5)
            turns += 1
        }
        // Twice, because looking takes nothing away.
        #expect(Processes.isStoppedChild(child.pid) && Processes.isHalted(child.pid))
        try Processes.send(.continue, to: child.pidfd)
        turns = 0
        while Processes.isHalted(child.pid), turns < 2000 {
            MonotonicClock.sleep(milliseconds: 5)
            turns += 1
        }
        #expect(!Processes.isStoppedChild(child.pid) && !Processes.isHalted(child.pid))
    }

    @Test func reapingTakesTheRightProcessOnly() throws {
        let child = try Cloning.clone(cgroup: nil) { Processes.exit(3) }
        _ = try Polling.wait([(child.pidfd.number, .readable)])
        let time = try #require(try Processes.anyStartTime(child.pid))
        Processes.reap(child.pid, startTime: time + 1)
        #expect(try Processes.anyStartTime(child.pid) == time)
        Processes.reap(child.pid, startTime: time)
        #expect(try Processes.anyStartTime(child.pid) == nil)
    }
}
