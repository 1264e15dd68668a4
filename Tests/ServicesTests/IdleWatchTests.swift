import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import Services

@Suite(.serialized) struct IdleWatchTests {
    /// A supervisor reads the signals of arrivals from a descriptor; here they would end the process.
    init() { Signals.ignore(.arrival) }

    /// Until it says so, or a deadline.
    private func becomesIdle(_ watch: inout IdleWatch, within milliseconds: Int64 = 10_000) -> Bool {
        let end = Deadline(milliseconds: milliseconds)
        while !end.hasPassed {
            if watch.check(at: MonotonicClock.milliseconds) { return true }
            MonotonicClock.sleep(milliseconds: 5)
        }
        return false
    }

    @Test func withoutUseTheTimeRunsOut() throws {
        try withFolder { folder in
            let listening = try Sockets.listen(atPath: folder.path("s"), mode: 0o600)
            var watch = IdleWatch([listening.number], idle: 50) { Issue.record("\($0)") }
            #expect(watch.deadline == .max)
            watch.begin()
            #expect(watch.deadline < .max)
            #expect(becomesIdle(&watch))
            watch.end()
            #expect(watch.deadline == .max)
        }
    }

    @Test func whatIsOpenOrWaitsKeepsItAwake() throws {
        try withFolder { folder in
            let listening = try Sockets.listen(atPath: folder.path("s"), mode: 0o600)
            var watch = IdleWatch([listening.number], idle: 20) { Issue.record("\($0)") }
            watch.begin()
            do {
                let client = try Sockets.connect(folder.path("s"))
                #expect(!becomesIdle(&watch, within: 300))
                let accepted = try Sockets.accept(on: listening)
                #expect(!becomesIdle(&watch, within: 300))
                _ = client.number
                _ = accepted.number
            }
            #expect(becomesIdle(&watch))
        }
    }

    /// What cannot be asked about is no reason to stop a service, and is said once.
    @Test func whatIsUnknownKeepsItAwake() throws {
        let pipe = try SilentPipe.make()
        var said: [String] = []
        do {
            let listening = try Sockets.listen(.tcp, IPAddress("127.0.0.1"), port: 0)
            var watch = IdleWatch([listening.number], idle: 1) { said.append($0) }
            watch.begin()
            // It is something else by now.
            try InheritedDescriptors.copy(pipe.reading.number, to: listening.number)
            #expect(!becomesIdle(&watch, within: 300))
            extendLifetime(pipe)
        }
        #expect(said.count == 1, "\(said)")
    }

    /// Nothing ever comes out of it: both ends are open.
    private struct SilentPipe: ~Copyable {
        let reading: Descriptor
        let writing: Descriptor

        static func make() throws(SystemError) -> SilentPipe {
            try Pipes.pair { SilentPipe(reading: $0, writing: $1) }
        }
    }
}
