internal import ContainerRuntime
internal import Kernel
internal import KernelTypes
internal import Planning

/// What the supervisor is asked for, by signals and on its control socket.
extension Supervisor {
    mutating func takeSignals() {
        var hasReaped = false
        while let (signal, sender) = try? Signals.nextWithSender(in: signals) {
            switch signal {
            case .childEnded: hasReaped = true
            case .terminate, .interrupt: if intent == .stop { hurry() } else { stop(settings.stopTimeout) }
            // The kernel's own: the terminal has gone, and its user with it.
            case .hangUp where sender == 0: if intent != .stop { stop(settings.stopTimeout) }
            case .hangUp: _ = reload()
            case .arrival: sockets.noteArrival()
            case .windowChanged: break
            default:
                if record.phase == .running { send(signal) }
                // The payload may run already, and be known to those who send it something.
                if record.phase == .starting, !early.contains(signal) { early.append(signal) }
            }
        }
        // Several ends may have come as one signal.
        if hasReaped { reap() }
    }

    /// Ends the service.
    mutating func stop(_ timeout: Int64) {
        manager.send(["STOPPING=1"])
        let isBusy = intent == .stop
        intent = .stop
        switch record.phase {
        case .running: endPayload(for: .stop, timeout: timeout)
        case .waiting, .sleeping: outcome = .ended(record.phase == .sleeping ? 0 : lastStatus)
        case .starting:
            record.phase = .starting
            deadlines.kill = MonotonicClock.milliseconds + min(timeout, 1 << 40)
            helper?.send(.terminate)
        case .stopping:
            // On its way already, for another reason or with more time.
            let moment = MonotonicClock.milliseconds + min(timeout, 1 << 40)
            if isBusy || deadlines.kill != .max { deadlines.kill = min(deadlines.kill, moment) }
        case .ended: return
        }
    }

    /// Somebody is impatient: no more time for anything.
    mutating func hurry() {
        if payload.isThere { return timeIsOver() }
        helper?.send(.kill)
    }

    /// - Returns: why not.
    mutating func reload() -> String? {
        guard record.phase == .running else { return "service \(name) is \(record.phase.rawValue): nothing to reload" }
        if manager.isThere {
            manager.send(["RELOADING=1", "MONOTONIC_USEC=\(MonotonicClock.milliseconds * 1000)"])
        }
        send(settings.reloadSignal)
        // Whoever reports by himself says when he is done.
        if settings.ready != .notify { manager.send(["READY=1"]) }
        return nil
    }

    mutating func answer(_ request: ControlRequest, _ place: Int) {
        switch request {
        case .stop(let timeout):
            // Answered when it has ended.
            if intent == .stop, timeout == 0 { hurry() } else { stop(timeout ?? settings.stopTimeout) }
        case .restart: restart(place)
        case .reload: control.answer(place, reload().map { .refused($0) } ?? .done)
        case .waitReady: if record.isReady { control.answer(place, .done) }
        case .waitHealthy:
            if settings.health == nil {
                control.answer(place, .refused("service \(name) has no health check; --health-cmd names one"))
            } else if record.health == .healthy {
                control.answer(place, .done)
            }
        }
    }

    /// Answered when it runs again.
    private mutating func restart(_ place: Int) {
        if intent == .stop { return control.answer(place, .refused("service \(name) is being stopped")) }
        backOff.reset()
        decision.forget()
        switch record.phase {
        case .running: endPayload(for: .restart, timeout: settings.stopTimeout)
        case .waiting, .sleeping: start()
        case .stopping: intent = .restart
        case .starting, .ended: return
        }
    }
}
