internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// Ends: of the payload, of its container, of the service.
extension Supervisor {
    /// Asks the payload to end, and gives it time.
    mutating func endPayload(for intent: Intent, timeout: Int64) {
        self.intent = intent
        record.phase = .stopping
        deadlines.watchdog = .max
        sockets.end()
        let (moment, isBeyond) = MonotonicClock.milliseconds.addingReportingOverflow(timeout)
        deadlines.kill = isBeyond ? .max : moment
        if timeout == 0 { return timeIsOver() }
        send(launch.stopSignal)
        // A frozen one would never take the signal.
        if launch.container.isPaused { try? launch.container.resume() }
    }

    mutating func send(_ signal: Signal) {
        switch payload {
        case .some(let payload): payload.send(signal)
        case .none: return
        }
    }

    /// SIGKILL for whatever does not end.
    mutating func timeIsOver() {
        deadlines.kill = .max
        if payload.isThere {
            wasKilled = true
            return send(.kill)
        }
        if helper?.task == .start || intent == .stop { helper?.send(.kill) }
    }

    // MARK: What has ended

    mutating func reap() {
        var ended: [(pid: Int32, reason: ExitReason)] = []
        while let child = Processes.reapAny() { ended.append(child) }
        for child in ended {
            if child.pid == Self.pid(of: helper) { helperEnded(child.reason, ended) }
            if child.pid == Self.pid(of: checker) { checkEnded(child.reason) }
            output.childEnded(child.pid, child.reason)
        }
        for child in ended where isPayload(child.pid) { payloadEnded(child.reason) }
    }

    private static func pid(of helper: borrowing Helper?) -> Int32? {
        switch helper {
        case .some(let helper): helper.process.pid
        case .none: nil
        }
    }

    private func isPayload(_ pid: Int32) -> Bool {
        switch payload {
        case .some(let payload): payload.isChild && !payload.hasEnded && payload.process.pid == pid
        case .none: false
        }
    }

    private mutating func helperEnded(_ reason: ExitReason, _ others: [(pid: Int32, reason: ExitReason)]) {
        let task = helper?.task
        let reports = helper?.takeLines() ?? []
        helper = nil
        for case .warning(let text) in reports { say(text) }
        switch task {
        case .start?: startEnded(reports, reason, others)
        case .end?: containerEnded(reports, reason)
        case .check?, nil: return
        }
    }

    /// - Parameter reason: nil where this process could not see it.
    mutating func payloadEnded(_ reason: ExitReason?) {
        payload?.hasEnded = true
        sockets.end()
        deadlines.watchdog = .max
        deadlines.kill = .max
        health = nil
        killCheck()
        output.handle(MonotonicClock.milliseconds)
        setReady(false)
        if record.phase == .running { record.phase = .stopping }
        fork(.end, reason)
    }

    private mutating func containerEnded(_ reports: [Report], _ reason: ExitReason) {
        output.endOfContainer(MonotonicClock.milliseconds)
        let ran = runTime
        payload = nil
        record.payload = nil
        record.health = nil
        for case .failed(_, let text) in reports { say("\(name): \(text)") }
        var end = RunEnd.failure(code: nil)
        for case .exit(let json) in reports {
            guard let exit = ContainerExit(json) else { continue }
            record.lastExit = exit
            end = exit.code == 0 ? .success : .failure(code: exit.code)
        }
        if record.lastFailure != nil { end = .startFailed }
        if ran >= settings.restartReset {
            backOff.reset()
            decision.forget()
        }
        next(after: end)
    }

    private var runTime: Int64 {
        switch payload {
        case .some(let payload): MonotonicClock.milliseconds - payload.began
        case .none: 0
        }
    }

    // MARK: What follows

    mutating func next(after end: RunEnd) {
        switch intent {
        case .stop: outcome = .ended(statusOfStop)
        case .restart: start()
        case .sleep: sleep()
        case .renew: wait(after: end)
        case .failure: decide(.given)
        case .policy: decide(end)
        }
    }

    /// A payload that has ended because it was asked to has done what it should.
    private var statusOfStop: Int32 {
        if wasKilled { return Signal.kill.shellStatus }
        guard let exit = record.lastExit, record.lastFailure == nil else { return 0 }
        return exit.signal == launch.stopSignal.rawValue ? 0 : exit.code ?? 0
    }

    private mutating func decide(_ end: RunEnd) {
        if decision.restarts(after: end) { return wait(after: end) }
        if settings.startsOnDemand { return fallAsleep(after: end) }
        outcome = .ended(lastStatus)
    }

    mutating func wait(after end: RunEnd, thenSleeps: Bool = false) {
        sleepsNext = thenSleeps
        let delay = backOff.take()
        record.phase = .waiting
        record.nextStart = Timestamp.after(milliseconds: delay)
        deadlines.start = MonotonicClock.milliseconds + delay
        let what = thenSleeps ? "it listens again" : "it is started again"
        say("\(name) \(words(end)); \(what) in \(delay) ms")
    }

    private func words(_ end: RunEnd) -> String {
        switch end {
        case .success: "has ended"
        case .failure(let code?):
            record.lastExit?.signal.map { "was ended by \(Signal(rawValue: $0))" }
                ?? "has ended with exit status \(code)"
        case .failure(nil): "has ended"
        case .startFailed: "could not be started"
        case .given: "was ended"
        }
    }

    // MARK: The service

    /// The end of the supervisor.
    consuming func finish() -> ServiceOutcome {
        guard let outcome else { preconditionFailure("no outcome") }
        killCheck()
        record.phase = .ended
        record.isReady = false
        record.health = nil
        record.nextStart = nil
        record.payload = nil
        sockets.close()
        if case .failed(let status, let text) = outcome {
            tellStarter(.failed(status: status, text))
        }
        output.finish(MonotonicClock.milliseconds)
        forget(outcome)
        // Whoever is answered may begin the next one.
        try? Files.unlock(lock)
        control.answer(.done) {
            if case .stop = $0 { return true }
            return false
        }
        control.answer(.refused("service \(name) has ended")) { _ in true }
        return outcome
    }

    /// What is kept of a service that has ended: how, where somebody may ask later.
    private mutating func forget(_ outcome: ServiceOutcome) {
        var keeps = launch.isDetached || launch.options.keep
        if case .failed = outcome { keeps = false }
        if keeps { return publish() }
        do throws(SystemError) {
            try launch.folder.remove()
        } catch {
            say("the folder of service \(name) could not be removed: \(error)")
        }
    }
}
