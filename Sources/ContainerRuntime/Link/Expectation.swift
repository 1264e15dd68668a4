/// What the runtime may hear next from the container's process. Anything else ends the set-up: a process that is out of step is not to be trusted with the rest.
struct Expectation: Sendable, Equatable {
    /// The phases of a set-up, in their order.
    enum Phase: Int, Sendable, Comparable {
        case bridge, setup, confine, ready

        static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
    }

    private(set) var phase: Phase
    /// Whether a terminal is still to come; it comes once.
    private var awaitsTerminal: Bool

    /// Whether the init is still to be born, after its set-up.
    private var awaitsBirth: Bool

    /// What follows the bridge's report: a process of `exec` finds its root finished.
    private let afterBridge: Phase

    init(bridge: Bool, terminal: Bool, preparesRoot: Bool = true, bornLast: Bool = false) {
        awaitsBirth = bornLast
        afterBridge = preparesRoot ? .setup : .confine
        phase = bridge ? .bridge : afterBridge
        awaitsTerminal = terminal
    }

    /// Takes note of a packet; false when it does not belong here.
    mutating func accepts(_ message: Message) -> Bool {
        switch (message, phase) {
        case (.failed, _), (.warning, _): return true
        case (.bridged, .bridge): phase = afterBridge
        case (.prepared, .setup): phase = .confine
        case (.terminal, .confine) where awaitsTerminal: awaitsTerminal = false
        case (.bridged, .confine) where awaitsBirth && !awaitsTerminal: awaitsBirth = false
        case (.ready, .confine) where !awaitsTerminal && !awaitsBirth: phase = .ready
        default: return false
        }
        return true
    }
}
