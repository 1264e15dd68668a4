import KernelTypes
import Testing

@testable import Kernel

@Suite struct SignalDispositionTests {
    /// Masks of SIGTERM, SIGINT and SIGUSR1.
    private static let term: UInt64 = 1 << 14
    private static let int: UInt64 = 1 << 1

    private func status(pids: String, blocked: UInt64 = 0, ignored: UInt64 = 0, caught: UInt64 = 0) -> String {
        func mask(_ value: UInt64) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return """
            Name:\tsh
            Pid:\t4711
            NSpid:\t\(pids)
            SigPnd:\t0000000000000000
            ShdPnd:\tffffffffffffffff
            SigBlk:\t\(mask(blocked))
            SigIgn:\t\(mask(ignored))
            SigCgt:\t\(mask(caught))
            CapInh:\t0000000000000000

            """
    }

    private func judge(_ text: String, _ signal: Signal = .terminate) -> SignalIndifference? {
        Processes.indifference(ofStatus: text, to: signal)
    }

    @Test func theFirstProcessGetsWhatItHandles() {
        #expect(judge(status(pids: "4711\t1")) == .unhandled)
        #expect(judge(status(pids: "4711\t9\t1")) == .unhandled)
        #expect(judge(status(pids: "4711\t1", caught: Self.term)) == nil)
        #expect(judge(status(pids: "4711\t1", caught: Self.int)) == .unhandled)
        #expect(judge(status(pids: "4711\t1", blocked: Self.term)) == nil)
        #expect(judge(status(pids: "4711\t1"), .kill) == nil)
    }

    /// Number 1 of the namespace that procfs shows may be the machine's own.
    @Test func othersEndByDefault() {
        #expect(judge(status(pids: "4711")) == nil)
        #expect(judge(status(pids: "1")) == nil)
        #expect(judge(status(pids: "4711\t17")) == nil)
        #expect(judge(status(pids: "4711", ignored: Self.term)) == .ignored)
        #expect(judge(status(pids: "4711\t1", ignored: Self.term)) == .ignored)
        #expect(judge(status(pids: "4711", ignored: Self.term), .interrupt) == nil)
        #expect(judge(status(pids: "4711", ignored: .max), .kill) == nil)
    }

    @Test func signalsThatEndNothingAreLeftAlone() {
        for signal in [Signal.childEnded, .windowChanged, .continue, .null] {
            #expect(judge(status(pids: "4711\t1"), signal) == nil)
        }
    }

    @Test(arguments: ["", "Name:\tx\n", "SigBlk:\tzz\nSigIgn:\t0\nSigCgt:\t0\n", "SigIgn:\nSigCgt:\nSigBlk:\n"])
    func whatIsNoStatusSaysNothing(text: String) {
        #expect(judge(text) == nil)
    }
}
