internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// Starts: the first one, what was left behind, and those that follow.
extension Supervisor {
    /// Takes over what another supervisor has left behind, or starts the payload.
    mutating func begin() {
        armManagerPing()
        do throws(RuntimeError) {
            try openSockets()
        } catch {
            outcome = .failed(status: error.exitStatus, error.description)
            return
        }
        if let before = launch.folder.read(), before.phase != .ended {
            record.lastExit = before.lastExit
            do throws(RuntimeError) {
                if try takeOver(before) { return }
            } catch {
                outcome = .failed(status: error.exitStatus, error.description)
                return
            }
        }
        if settings.startsOnDemand { sleep() } else { start() }
    }

    /// - Returns: whether there was something that has to be seen to first.
    private mutating func takeOver(_ before: ServiceRecord) throws(RuntimeError) -> Bool {
        switch try launch.container.leftover() {
        case .none: return false
        case .remains:
            say("what was left of \(name) by a supervisor that was killed is taken down")
            intent = .restart
            fork(.end)
            return true
        case .running(let process):
            guard adopt(process, before) else { return false }
            guard settings.leftover == .end else {
                say(
                    "the payload of \(name) (process \(process.pid)) has lost its supervisor, and is adopted")
                return true
            }
            say("the payload of \(name) (process \(process.pid)) has lost its supervisor, and is ended")
            endPayload(for: .restart, timeout: settings.stopTimeout)
            return true
        }
    }

    private mutating func adopt(_ process: SupervisedProcess, _ before: ServiceRecord) -> Bool {
        let announcement = ProcConnector.listenWhereNeeded(to: process.pid)
        guard let pidfd = try? Processes.open(process.pid),
            (try? Processes.startTime(process.pid)) == process.startTime
        else {
            // It has ended this very moment.
            intent = .restart
            fork(.end)
            return true
        }
        guard settings.leftover == .adopt else {
            // Not the payload of this one: its own first start follows.
            payload = SupervisedPayload(
                process: process, pidfd: pidfd, isChild: false, began: MonotonicClock.milliseconds,
                announcement: announcement)
            record.payload = process
            return true
        }
        record.restarts = before.restarts
        runs(process, pidfd, isChild: false, announcement)
        // It said so to the one before.
        if before.isReady, settings.ready == .notify { becomeReady() }
        return true
    }

    /// Starts the payload, unless that was done too often.
    mutating func start() {
        deadlines.start = .max
        record.nextStart = nil
        guard counter.allows(at: MonotonicClock.milliseconds) else { return giveUp() }
        record.phase = .starting
        setReady(false)
        intent = .policy
        wasKilled = false
        hasGivenUp = false
        early = []
        fork(.start)
    }

    private mutating func giveUp() {
        let limit = settings.startLimit
        let words =
            "it was started \(limit?.count ?? 0) times within \((limit?.window ?? 0) / 1000) s; --start-limit says how often it may be"
        say("\(name) is given up: \(words)")
        outcome = .ended(lastStatus == 0 ? 1 : lastStatus)
    }

    /// The exit status of the last run.
    var lastStatus: Int32 { record.lastFailure == nil ? record.lastExit?.code ?? 1 : 1 }

    // MARK: Helpers

    /// Begins a helper. Where there can be none, that is what it has failed with.
    mutating func fork(_ task: Helper.Task, _ reason: ExitReason? = nil) {
        do throws(SystemError) {
            let parent = Processes.currentID
            let pipe = try ReportPipe.make()
            let writing = pipe.writing
            let reading = pipe.reading
            let process = try Cloning.clone(cgroup: nil) {
                leaveSupervisor(parent)
                Processes.exit(HelperWork(launch: launch, report: writing.number).run(task, reason))
            }
            if task == .check {
                checker = Helper(task, process, report: reading)
            } else {
                helper = Helper(task, process, report: reading)
            }
        } catch {
            say("\(name): no process could be made: \(error)")
            if task == .start { startFailed(.failed(status: 1, "make a process: \(error)")) }
            if task == .end { next(after: .failure(code: nil)) }
        }
    }

    /// A new process has the supervisor's descriptors, too. The lock and the control socket say that a supervisor
    /// lives; and it takes back what it does when that is no longer so.
    private func leaveSupervisor(_ parent: Int32) {
        lock.closeInChild()
        control.closeInChild()
        try? Processes.setParentDeathSignal(.terminate)  // the kernel does not refuse it
        if Processes.parentID != parent { Processes.exit(1) }
    }

    /// The helper that makes containers has ended.
    mutating func startEnded(_ reports: [Report], _ reason: ExitReason, _ others: [(pid: Int32, reason: ExitReason)]) {
        for case .started(let pid, let time) in reports {
            guard let pidfd = try? Processes.open(pid) else { break }
            runs(SupervisedProcess(pid: pid, startTime: time), pidfd, isChild: true, nil)
            if let end = others.first(where: { $0.pid == pid }) { payloadEnded(end.reason) }
            return
        }
        for case .started(let pid, let time) in reports {
            // It has ended and was reaped in the same moment.
            record.payload = SupervisedProcess(pid: pid, startTime: time)
            noteStart()
            return fork(.end, others.first { $0.pid == pid }?.reason)
        }
        for case .failed(let status, let text) in reports { return startFailed(.failed(status: status, text)) }
        // Killed half-way: what there is of a container has to go.
        let words = "the process that makes its container was ended by \(reason.words)"
        guard hasStarted || intent == .stop else {
            outcome = .failed(status: 1, words)
            _ = try? launch.container.endSupervised(nil, warn: launch.say)
            return
        }
        record.lastFailure = words
        fork(.end)
    }

    private mutating func startFailed(_ failure: ServiceOutcome) {
        guard case .failed(let status, let text) = failure else { return }
        if intent == .stop {
            outcome = .ended(status)
            return
        }
        guard hasStarted || (settings.startsOnDemand && starter == nil) else {
            outcome = failure
            return
        }
        record.lastFailure = text
        say("\(name) could not be started: \(text)")
        control.answer(.refused("\(name) could not be started: \(text)")) { $0 == .restart }
        next(after: .startFailed)
    }

    // MARK: Running

    private mutating func runs(
        _ process: SupervisedProcess, _ pidfd: consuming Descriptor, isChild: Bool,
        _ announcement: consuming ProcConnector?
    ) {
        let now = MonotonicClock.milliseconds
        payload = SupervisedPayload(
            process: process, pidfd: pidfd, isChild: isChild, began: now, announcement: announcement)
        record.payload = process
        record.phase = .running
        record.lastFailure = nil
        if let checks = settings.health { health = HealthJudge(checks, start: now) }
        record.health = health?.status
        record.failures = 0
        watchdog = settings.watchdog
        armWatchdog(now)
        sockets.begin()
        noteStart()
        for signal in early { send(signal) }
        early = []
        control.answer(.done) { $0 == .restart }
        if settings.ready == .start { becomeReady() }
        // Asked to stop while it was being made.
        if intent == .stop { return endPayload(for: .stop, timeout: max(0, deadlines.kill - now)) }
        if hasGivenUp { watchdogBarks() }
    }

    private mutating func noteStart() {
        if hasStarted, !isWaking { record.restarts += 1 }
        isWaking = false
        hasStarted = true
        tellStarter(nil)
    }

    /// Lets the process go that waits for the first start.
    mutating func tellStarter(_ failure: Report?) {
        switch starter.take() {
        case .some(let pipe):
            // Who comes when that process has ended finds the service as it is now.
            if failure == nil { publish() }
            // Whoever waits for the end of the caller's output does not wait for the service.
            if failure == nil, launch.logTarget != nil { leaveStreams() }
            if let failure {
                failure.send(on: pipe)
            } else {
                Report.started(pid: record.payload?.pid ?? 0, startTime: 0).send(on: pipe)
            }
        case .none: return
        }
    }

    private func leaveStreams() {
        guard let null = try? Files.open("/dev/null", .readWrite) else { return }
        for number in 1...2 as ClosedRange<Int32> { try? null.copy(to: number) }
    }
}

extension ExitReason {
    var words: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .killed(let signal): signal.description
        }
    }
}
