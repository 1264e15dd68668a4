internal import Kernel
internal import KernelTypes

/// Finds out that nobody has used a service for a while, without looking more often than that needs.
///
/// What is open or waiting at a stream socket the kernel is asked for, an eighth of the time at a time and at least
/// 200 ms. A connection that comes and goes in between, or a datagram, which belongs to none, is announced by a signal:
/// the first one only, for then it is known that the time begins anew. So a service in use wakes its supervisor twice
/// an eighth, however much it has to do, and one that is not in use wakes it eight times in all.
package struct IdleWatch {
    private let streams: [Int32]
    private let datagrams: [Int32]
    private let idle: Int64
    /// When something was last seen, on the monotonic clock.
    private var lastUse: Int64 = 0
    /// When ``check(at:)`` is to be called next, on the monotonic clock in milliseconds; never while the service does
    /// not run.
    package private(set) var deadline = Int64.max
    private var isAnnounced = false
    private var hasWarned = false
    private let warn: (String) -> Void

    /// - Parameters:
    ///   - numbers: of all sockets.
    ///   - idle: milliseconds without use after which the service may sleep.
    package init(_ numbers: [Int32], idle: Int64, warn: @escaping (String) -> Void) {
        self.idle = idle
        self.warn = warn
        var streams: [Int32] = []
        var datagrams: [Int32] = []
        for number in numbers {
            // A service manager may pass on what is no socket at all.
            guard let facts = try? SocketFacts(of: number) else { continue }
            if facts.isListening { streams.append(number) } else { datagrams.append(number) }
        }
        self.streams = streams
        self.datagrams = datagrams
    }

    /// The payload runs from now on.
    package mutating func begin() {
        lastUse = MonotonicClock.milliseconds
        announce(true)
        plan()
    }

    /// The payload does not run any more, or is being stopped.
    package mutating func end() {
        announce(false)
        deadline = .max
    }

    /// SIGIO has come.
    package mutating func noteArrival() {
        guard isAnnounced else { return }
        lastUse = MonotonicClock.milliseconds
        announce(false)
    }

    /// Looks, when its time has come.
    /// - Returns: whether the service has been idle for its time and nothing waits at this moment.
    package mutating func check(at now: Int64) -> Bool {
        guard now >= deadline else { return false }
        if isInUse() { lastUse = MonotonicClock.milliseconds }
        // Switched on before the next look and not after it: what comes in between is announced.
        announce(true)
        if MonotonicClock.milliseconds - lastUse >= idle, !isInUse() { return true }
        plan()
        return false
    }

    private mutating func plan() {
        let now = MonotonicClock.milliseconds
        deadline = max(now + 1, min(now + max(idle / 8, 200), lastUse + idle))
    }

    private mutating func announce(_ isOn: Bool) {
        guard isOn != isAnnounced else { return }
        isAnnounced = isOn
        for number in streams + datagrams {
            do throws(SystemError) {
                try Sockets.announceArrivals(at: number, isOn)
            } catch {
                complain("\(error)")
            }
        }
    }

    private mutating func isInUse() -> Bool {
        let readable = (try? Polling.wait((streams + datagrams).map { ($0, .readable) }, timeout: 0)) ?? []
        if readable.contains(where: { !$0.isEmpty }) { return true }
        for number in streams where hasConnections(number) { return true }
        return false
    }

    /// Where nothing can be known, the service stays awake.
    private mutating func hasConnections(_ number: Int32) -> Bool {
        do throws(SystemError) {
            let use = try SocketDiagnosis.use(of: number)
            if !use.isKnown { complain("a socket belongs to another network namespace") }
            return !use.isKnown || use.open > 0 || !use.waiting.isEmpty
        } catch {
            let remedy = error.code == .noEntry ? "; modprobe tcp_diag unix_diag lets the kernel say that" : ""
            complain("\(error)\(remedy)")
            return true
        }
    }

    private mutating func complain(_ reason: String) {
        if !hasWarned { warn("the service is not sent to sleep: \(reason)") }
        hasWarned = true
    }
}
