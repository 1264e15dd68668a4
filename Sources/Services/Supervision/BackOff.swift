internal import KernelTypes
package import Planning

/// How long before the next start. Times are milliseconds.
package struct BackOff: Sendable {
    private let delay: RestartDelay
    private var next: Int64
    private var random: UInt64

    /// - Parameter seed: of the jitter, which keeps services that fail together from starting together.
    package init(_ delay: RestartDelay, seed: UInt64) {
        self.delay = delay
        next = delay.shortest
        random = seed | 1
    }

    /// The shortest delay comes next.
    package mutating func reset() { next = delay.shortest }

    /// The delay of now, a fifth more or less than it is written; the next one is twice as long.
    package mutating func take() -> Int64 {
        let base = next
        next = base > delay.longest / 2 ? delay.longest : base * 2
        // xorshift: good enough to spread starts.
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        let spread = base / 5
        return spread == 0 ? base : base - spread + Int64(random % UInt64(2 * spread + 1))
    }
}

/// Counts starts within a time.
package struct StartCounter: Sendable {
    private let limit: StartLimit?
    private var starts: [Int64] = []

    package init(_ limit: StartLimit?) { self.limit = limit }

    /// - Parameter now: on the monotonic clock.
    /// - Returns: whether one more start is allowed; it is counted then.
    package mutating func allows(at now: Int64) -> Bool {
        guard let limit else { return true }
        starts.removeAll { now - $0 >= limit.window }
        guard starts.count < limit.count else { return false }
        starts.append(now)
        return true
    }
}

/// How a run of the payload came to its end, or did not begin.
package enum RunEnd: Sendable, Equatable {
    /// Exit status 0.
    case success
    /// Another one, or a signal; nil where it could not be learnt.
    case failure(code: Int32?)
    case startFailed
    /// Ended by the supervisor, because it was unhealthy or did not say that it was alive.
    case given

    var isFailure: Bool { self != .success }
}

/// Whether a service is started again.
package struct RestartDecision: Sendable {
    let policy: RestartPolicy
    let neverCodes: ExitCodes
    /// Failures in a row.
    private(set) var failures = 0

    package init(_ settings: ServiceSettings) {
        policy = settings.restart
        neverCodes = settings.noRestartCodes
    }

    /// The payload has run for so long that what was before does not count.
    package mutating func forget() { failures = 0 }

    package mutating func restarts(after end: RunEnd) -> Bool {
        if case .failure(let code?) = end, neverCodes.contains(code) { return false }
        if end == .success, neverCodes.contains(0) { return false }
        failures = end.isFailure ? failures + 1 : 0
        switch policy {
        case .no: return false
        case .always: return true
        case .onFailure(let limit): return end.isFailure && limit.map { failures <= $0 } ?? true
        }
    }
}
