import Kernel
import Testing

@testable import ContainerRuntime

@Suite struct ExpectationTests {
    /// One of each kind.
    private static let all: [Message] = [
        .bridged, .acknowledged, .prepared, .proceed(program: [], flags: 0), .terminal, .warning("w"), .ready,
        .recorded, .start, .listener, .failed(StageFailure(.pivot, .refused("r"))),
    ]

    /// The kinds that are legal after a beginning, besides warnings and failures, which always are.
    private static func legal(bridge: Bool, terminal: Bool, after count: Int) -> Message? {
        let order: [Message] = (bridge ? [.bridged] : []) + [.prepared] + (terminal ? [.terminal] : []) + [.ready]
        return count < order.count ? order[count] : nil
    }

    @Test(arguments: [false, true], [false, true])
    func onlyTheSpecifiedOrderIsAccepted(bridge: Bool, terminal: Bool) throws {
        var expectation = ContainerRuntime.Expectation(bridge: bridge, terminal: terminal)
        var count = 0
        while true {
            let legal = Self.legal(bridge: bridge, terminal: terminal, after: count)
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
        #expect(expectation.phase == .ready)
        #expect(count == 2 + (bridge ? 1 : 0) + (terminal ? 1 : 0))
    }

    @Test func phasesFollowEachOther() {
        let order: [ContainerRuntime.Expectation.Phase] = [.bridge, .setup, .confine, .ready]
        #expect(order == order.sorted())
        #expect(ContainerRuntime.Expectation(bridge: true, terminal: false).phase == .bridge)
        #expect(ContainerRuntime.Expectation(bridge: false, terminal: false).phase == .setup)
    }

    /// What the runtime itself says, the container's process never does, whatever has been said before.
    @Test(arguments: [.acknowledged, .recorded, .start, .proceed(program: [], flags: 0)] as [Message], [false, true])
    func theRuntimesOwnPacketsAreRefused(message: Message, bridge: Bool) {
        let order: [Message] = (bridge ? [.bridged] : []) + [.prepared, .terminal, .ready]
        for count in 0...order.count {
            var expectation = ContainerRuntime.Expectation(bridge: bridge, terminal: true)
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
    func everyOtherSequenceIsRefused(bridge: Bool, terminal: Bool) {
        let kinds: [Message] = [.bridged, .prepared, .terminal, .ready]
        let whole: [Message] = (bridge ? [.bridged] : []) + [.prepared] + (terminal ? [.terminal] : []) + [.ready]
        var accepted = 0
        for number in 0..<4096 {
            let sequence = (0..<6).map { kinds[number >> (2 * $0) & 3] }
            var expectation = ContainerRuntime.Expectation(bridge: bridge, terminal: terminal)
            let length = sequence.prefix { expectation.accepts($0) }.count
            let shared = zip(sequence, whole).prefix { $0 == $1 }.count
            #expect(length == shared, "\(sequence)")
            if length == whole.count { accepted += 1 }
        }
        // What follows a whole order may be anything, and is refused.
        #expect(accepted == 1 << (2 * (6 - whole.count)))
    }

    /// An init that is born last is announced behind the terminal and before it is ready.
    @Test func anInitThatIsBornLastIsAnnouncedBeforeItIsReady() {
        var expectation = ContainerRuntime.Expectation(bridge: false, terminal: true, bornLast: true)
        // The terminal comes first, and then nobody is there yet who could be ready; it is born once.
        let turns: [(message: Message, isAccepted: Bool)] = [
            (.bridged, false), (.prepared, true), (.bridged, false), (.terminal, true), (.ready, false),
            (.bridged, true),
            (.bridged, false), (.ready, true),
        ]
        for (index, turn) in turns.enumerated() {
            let isAccepted = expectation.accepts(turn.message)
            #expect(isAccepted == turn.isAccepted, "turn \(index)")
        }
        #expect(expectation.phase == .ready)
    }
}
