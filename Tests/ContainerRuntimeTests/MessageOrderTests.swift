import Errors
import KernelTypes
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct ExpectationTests {
    /// One of each kind.
    private static let all: [Message] = [
        .spawned, .acknowledged, .prepared, .proceed(program: [], flags: 0), .terminal, .warning("w"), .ready,
        .recorded, .start, .listener, .mapIDs(mount: 1), .failed(StepFailure(.pivot, .refused("r"))),
    ]

    /// The kinds that are legal after a beginning, besides warnings and failures, which always are.
    private static func legal(intermediate: Bool, terminal: Bool, after count: Int) -> Message? {
        let order: [Message] = (intermediate ? [.spawned] : []) + [.prepared] + (terminal ? [.terminal] : []) + [.ready]
        return count < order.count ? order[count] : nil
    }

    @Test(arguments: [false, true], [false, true])
    func onlyTheSpecifiedOrderIsAccepted(intermediate: Bool, terminal: Bool) throws {
        var expectation = ContainerRuntime.MessageOrder(intermediate: intermediate, terminal: terminal)
        var count = 0
        while true {
            let legal = Self.legal(intermediate: intermediate, terminal: terminal, after: count)
            for message in Self.all {
                var copy = expectation
                let isAccepted = copy.accepts(message)
                switch message {
                case .warning, .failed:
                    #expect(isAccepted)
                    #expect(copy == expectation)
                default:
                    #expect(isAccepted == (message == legal), "\(message) after \(count)")
                    if !isAccepted { #expect(copy == expectation) }
                }
            }
            guard let legal else { break }
            let isAccepted = expectation.accepts(legal)
            #expect(isAccepted)
            count += 1
        }
        #expect(expectation.position == .ready)
        #expect(count == 2 + (intermediate ? 1 : 0) + (terminal ? 1 : 0))
    }

    /// As often as there are such mounts, and only while they are made.
    @Test func idsAreMappedDuringTheSetUp() {
        var order = ContainerRuntime.MessageOrder(intermediate: true, terminal: false, mapsIDs: true)
        let answers = [
            Message.mapIDs(mount: 0), .spawned, .mapIDs(mount: 2), .mapIDs(mount: 3), .prepared, .mapIDs(mount: 4),
        ].map { order.accepts($0) }
        #expect(answers == [false, true, true, true, true, false])
    }

    @Test func positionsFollowEachOther() {
        let order: [ContainerRuntime.MessageOrder.Position] = [.intermediate, .setup, .confine, .ready]
        #expect(order == order.sorted())
        #expect(ContainerRuntime.MessageOrder(intermediate: true, terminal: false).position == .intermediate)
        #expect(ContainerRuntime.MessageOrder(intermediate: false, terminal: false).position == .setup)
    }

    /// What the runtime itself says, the container's process never does, whatever has been said before.
    @Test(arguments: [.acknowledged, .recorded, .start, .proceed(program: [], flags: 0)] as [Message], [false, true])
    func theRuntimesOwnPacketsAreRefused(message: Message, intermediate: Bool) {
        let order: [Message] = (intermediate ? [.spawned] : []) + [.prepared, .terminal, .ready]
        for count in 0...order.count {
            var expectation = ContainerRuntime.MessageOrder(intermediate: intermediate, terminal: true)
            let isOrder = order.prefix(count).allSatisfy { expectation.accepts($0) }
            #expect(isOrder)
            let before = expectation
            let isAccepted = expectation.accepts(message)
            #expect(!isAccepted, "after \(count)")
            #expect(expectation == before)
        }
    }

    /// Every sequence of up to six packets, judged against the whole orders written out.
    @Test(arguments: [false, true], [false, true])
    func everyOtherSequenceIsRefused(intermediate: Bool, terminal: Bool) {
        let kinds: [Message] = [.spawned, .prepared, .terminal, .ready]
        let whole: [Message] = (intermediate ? [.spawned] : []) + [.prepared] + (terminal ? [.terminal] : []) + [.ready]
        var accepted = 0
        for number in 0..<4096 {
            let sequence = (0..<6).map { kinds[number >> (2 * $0) & 3] }
            var expectation = ContainerRuntime.MessageOrder(intermediate: intermediate, terminal: terminal)
            let length = sequence.prefix { expectation.accepts($0) }.count
            let shared = zip(sequence, whole).prefix { $0 == $1 }.count
            #expect(length == shared, "\(sequence)")
            if length == whole.count { accepted += 1 }
        }
        // What follows a whole order may be anything, and is refused.
        #expect(accepted == 1 << (2 * (6 - whole.count)))
    }

    /// An init that is spawned last is announced behind the terminal and before it is ready.
    @Test func anInitThatIsSpawnedLastIsAnnouncedBeforeItIsReady() {
        var expectation = ContainerRuntime.MessageOrder(intermediate: false, terminal: true, spawnedLast: true)
        // The terminal comes first, and then no init is there yet that could be ready; it is spawned once.
        let turns: [(message: Message, isAccepted: Bool)] = [
            (.spawned, false), (.prepared, true), (.spawned, false), (.terminal, true), (.ready, false),
            (.spawned, true),
            (.spawned, false), (.ready, true),
        ]
        for (index, turn) in turns.enumerated() {
            let isAccepted = expectation.accepts(turn.message)
            #expect(isAccepted == turn.isAccepted, "turn \(index)")
        }
        #expect(expectation.position == .ready)
    }
}
