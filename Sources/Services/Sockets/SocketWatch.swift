internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// A service's sockets as its supervisor uses them: to be woken by, and to see that nobody uses the service.
struct SocketWatch: ~Copyable {
    private var sockets: ListeningSockets
    private var idle: IdleWatch?
    /// What waited when the payload was woken.
    private var called: [UInt64] = []
    private let isOnDemand: Bool

    init(_ sockets: consuming ListeningSockets, _ settings: ServiceSettings) {
        self.sockets = sockets
        isOnDemand = settings.startsOnDemand
    }

    /// - Parameter processes: of a payload that an earlier supervisor has left.
    mutating func open(
        leftWith processes: [Int32], _ launch: ServiceLaunch
    ) throws(RuntimeError) {
        try sockets.open(leftWith: processes)
        guard isOnDemand, let time = launch.settings.idle else { return }
        let (name, say) = (launch.folder.name, launch.say)
        idle = IdleWatch(sockets.numbers, idle: time) { say("\(name): \($0)") }
    }

    /// What to wait for, of a service that sleeps.
    func interests(_ phase: ServicePhase) -> [(number: Int32, events: PollEvents)] {
        phase == .sleeping ? sockets.numbers.map { ($0, .readable) } : []
    }

    /// The payload is being woken.
    mutating func noteCall() { called = sockets.waiting }

    /// Whether all that has woken the payload still waits: it has ended without taking any of it, and would do so
    /// again.
    func isIgnored() -> Bool {
        if called.isEmpty { return false }
        let waiting = sockets.waiting
        return called.allSatisfy { waiting.contains($0) }
    }

    // MARK: Whether anybody uses it

    /// When to look, on the monotonic clock in milliseconds.
    var deadline: Int64 { idle?.deadline ?? .max }

    /// The payload runs.
    mutating func begin() { idle?.begin() }
    /// It does not any more, or is asked to end.
    mutating func end() { idle?.end() }
    /// SIGIO has come.
    mutating func noteArrival() { idle?.noteArrival() }
    /// - Returns: whether nobody has used the service for its time.
    mutating func check(at now: Int64) -> Bool { idle?.check(at: now) ?? false }

    mutating func close() { sockets.close() }
}
