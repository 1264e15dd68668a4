internal import ContainerRuntime
internal import Kernel
internal import KernelTypes
internal import Planning

/// How the payload is: checks, signs of life, and what it says.
extension Supervisor {
    /// When the next check begins.
    var nextCheck: Int64 {
        if checker.isThere { return .max }
        guard record.phase == .running, let health else { return .max }
        return health.next
    }

    mutating func check(_ now: Int64) {
        guard let checks = settings.health else { return }
        // The helper keeps the time by itself. One that does not come to that, because the kernel holds it, is killed.
        let (moment, isBeyond) = now.addingReportingOverflow(checks.timeout + 10_000)
        deadlines.checkKill = isBeyond ? .max : moment
        fork(.check)
        if !checker.isThere { health?.pass(at: now) }
    }

    mutating func killCheck() {
        deadlines.checkKill = .max
        // It ends what it has begun in the container before itself.
        checker?.send(record.phase == .running ? .kill : .terminate)
    }

    mutating func checkEnded(_ reason: ExitReason) {
        let reports = checker?.takeLines() ?? []
        checker = nil
        deadlines.checkKill = .max
        let now = MonotonicClock.milliseconds
        guard record.phase == .running, var judge = health else { return }
        if reason == .exited(code: HelperWork.isUnknown) {
            judge.pass(at: now)
            health = judge
            return
        }
        let hasChanged = judge.note(reason == .exited(code: HelperWork.isWell), at: now)
        health = judge
        record.health = judge.status
        record.failures = judge.failures
        guard hasChanged else { return }
        switch judge.status {
        case .healthy: becomeHealthy()
        case .unhealthy: becomeUnhealthy(reports)
        case .starting: return
        }
    }

    private mutating func becomeHealthy() {
        control.answer(.done) { $0 == .waitHealthy }
        if settings.ready == .healthy { becomeReady() }
    }

    private mutating func becomeUnhealthy(_ reports: [Report]) {
        var reason = ""
        for case .warning(let text) in reports { reason = ": \(text)" }
        let action = settings.health?.action ?? .none
        let words: String
        switch action {
        case .none: words = ""
        case .restart: words = ", and is restarted"
        case .stop: words = ", and is stopped"
        }
        say("\(name) is unhealthy\(words)\(reason)")
        switch action {
        case .none: return
        case .restart: endPayload(for: .renew, timeout: settings.stopTimeout)
        case .stop: endPayload(for: .stop, timeout: settings.stopTimeout)
        }
    }

    // MARK: Ready

    mutating func becomeReady() {
        guard !record.isReady else { return }
        setReady(true)
        control.answer(.done) { $0 == .waitReady }
        manager.send(["READY=1"])
    }

    mutating func setReady(_ isReady: Bool) { record.isReady = isReady }

    // MARK: Signs of life

    mutating func armWatchdog(_ now: Int64) {
        guard let watchdog else {
            deadlines.watchdog = .max
            return
        }
        let (moment, isBeyond) = now.addingReportingOverflow(watchdog)
        deadlines.watchdog = isBeyond ? .max : moment
    }

    /// The payload has not said in time that it is alive.
    mutating func watchdogBarks() {
        deadlines.watchdog = .max
        guard record.phase == .running else { return }
        if !hasGivenUp, launch.container.isPaused { return armWatchdog(MonotonicClock.milliseconds) }
        let reason = hasGivenUp ? "has said WATCHDOG=trigger" : "has not said WATCHDOG=1 within \(watchdog ?? 0) ms"
        say("\(name) \(reason), and is ended by SIGABRT")
        intent = .failure
        record.phase = .stopping
        let (moment, isBeyond) = MonotonicClock.milliseconds.addingReportingOverflow(settings.stopTimeout)
        deadlines.kill = isBeyond ? .max : moment
        send(.abort)
    }

    /// Takes in what the payload says.
    mutating func hear() {
        // No more at a time than leaves room for everything else, however fast it speaks.
        for _ in 0..<64 {
            guard let message = nextMessage() else { return }
            take(message)
        }
    }

    private mutating func nextMessage() -> PayloadMessage? {
        switch notify {
        case .some(let socket):
            // A descriptor that comes along is closed with the packet: whoever waits for that goes on.
            guard let packet = try? Sockets.receiveAvailable(on: socket, limit: 32 << 10) else { return nil }
            return PayloadMessage(packet.bytes)
        case .none: return nil
        }
    }

    private mutating func take(_ message: PayloadMessage) {
        guard record.phase == .running || record.phase == .starting || record.phase == .stopping else { return }
        let now = MonotonicClock.milliseconds
        if let status = message.status { record.text = status }
        if let time = message.watchdog { watchdog = time == 0 ? nil : Int64(clamping: max(1, time / 1000)) }
        if message.pings || message.watchdog != nil, record.phase == .running { armWatchdog(now) }
        if message.pings { manager.send(["WATCHDOG=1"]) }
        var lines = message.passed
        if message.isReady {
            if record.isReady { lines.append("READY=1") } else if settings.ready == .notify { becomeReady() }
        }
        // A payload that is only restarted is not the end of the service.
        if message.isStopping, intent == .stop || settings.restart == .no { lines.append("STOPPING=1") }
        manager.send(lines)
        // One that says so at once may be faster than the helper that has started it.
        if message.givesUp { hasGivenUp = true }
        if hasGivenUp { watchdogBarks() }
    }

    // MARK: The service manager

    /// While no payload runs that could do so, the supervisor says for itself that it is alive.
    mutating func armManagerPing() {
        guard manager.isThere, let text = Processes.environment("WATCHDOG_USEC"), let time = Int64(text), time > 0
        else {
            return
        }
        let every = max(1, time / 2000)
        deadlines.managerPing = MonotonicClock.milliseconds + every
    }

    mutating func pingManager(_ now: Int64) {
        if record.phase != .running || watchdog == nil { manager.send(["WATCHDOG=1"]) }
        armManagerPing()
    }
}
