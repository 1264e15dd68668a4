/// What the runtime may receive next from the container's process. Anything else ends the set-up: a process that is out
/// of step is not to be trusted with the rest.
struct MessageOrder: Sendable, Equatable {
    /// How far a set-up has come, in its order.
    enum Position: Int, Sendable, Comparable {
        case intermediate, setup, confine, ready

        static func < (a: Position, b: Position) -> Bool { a.rawValue < b.rawValue }
    }

    private(set) var position: Position
    /// Whether a terminal is still to come; it comes once.
    private var awaitsTerminal: Bool

    /// Whether the init is still to be spawned, after its set-up.
    private var awaitsSpawn: Bool

    /// What follows the intermediate process's report: a process of `exec` finds its root finished.
    private let afterIntermediate: Position

    /// Whether the runtime may be asked to map the ids of mounts.
    private let mapsIDs: Bool

    init(
        intermediate: Bool, terminal: Bool, preparesRoot: Bool = true, spawnedLast: Bool = false, mapsIDs: Bool = false
    ) {
        self.mapsIDs = mapsIDs
        awaitsSpawn = spawnedLast
        afterIntermediate = preparesRoot ? .setup : .confine
        position = intermediate ? .intermediate : afterIntermediate
        awaitsTerminal = terminal
    }

    /// Takes note of a packet; false when it does not belong here.
    mutating func accepts(_ message: Message) -> Bool {
        switch (message, position) {
        case (.failed, _), (.warning, _): return true
        case (.spawned, .intermediate): position = afterIntermediate
        case (.mapIDs, .setup) where mapsIDs: break
        case (.prepared, .setup): position = .confine
        case (.terminal, .confine) where awaitsTerminal: awaitsTerminal = false
        case (.spawned, .confine) where awaitsSpawn && !awaitsTerminal: awaitsSpawn = false
        case (.ready, .confine) where !awaitsTerminal && !awaitsSpawn: position = .ready
        default: return false
        }
        return true
    }
}
