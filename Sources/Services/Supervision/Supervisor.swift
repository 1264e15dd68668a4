internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// One service and the process that keeps it running: a single thread that waits for everything at once, and does not
/// wake up when nothing happens.
///
/// Containers are made and taken down by helpers, which end when they are done: however often that happens, nothing of
/// it stays here.
struct Supervisor: ~Copyable {
    let launch: ServiceLaunch
    var sockets: SocketWatch
    /// Held as long as this process lives: that is how others know.
    let lock: Descriptor
    let signals: Descriptor
    var control: ControlServer
    var output: PayloadOutput
    /// Where the payload says how it is.
    var notify: Descriptor?
    var manager: ServiceManager
    /// Of the process that waits for the first start of a detached service.
    var starter: Descriptor?

    var record: ServiceRecord
    var written: ServiceRecord?
    private let code = CodePages()
    var payload: SupervisedPayload?
    /// What makes or takes down a container.
    var helper: Helper?
    var checker: Helper?
    var health: HealthJudge?
    var backOff: BackOff
    var counter: StartCounter
    var decision: RestartDecision
    var intent = Intent.policy
    var deadlines = Deadlines()
    /// Between two signs of life, in milliseconds; nil where none are asked for.
    var watchdog: Int64?
    /// Whether the payload has asked to be taken for one that is not alive.
    var hasGivenUp = false
    /// Whether there was a start that succeeded.
    var hasStarted = false
    /// Whether SIGKILL was sent because the time was over.
    var wasKilled = false
    /// Whether the next start is for somebody who has come.
    var isWaking = false
    /// Whether the sockets are waited at when the delay is over.
    var sleepsNext = false
    /// Signals for a payload that is being started.
    var early: [Signal] = []
    var outcome: ServiceOutcome?

    /// What follows when the payload has ended.
    enum Intent: Equatable {
        /// What the restart policy says.
        case policy
        /// The same, after a failure of another kind than its exit status.
        case failure
        /// It is started again after the usual delay, whatever the policy says.
        case renew
        /// It is started again at once.
        case restart
        /// The sockets are waited at.
        case sleep
        case stop
    }

    /// Moments on the monotonic clock, in milliseconds: a change of the date moves none of them.
    struct Deadlines {
        var kill = Int64.max
        var start = Int64.max
        var watchdog = Int64.max
        var checkKill = Int64.max
        var managerPing = Int64.max
    }

    init(
        _ launch: ServiceLaunch, _ sockets: consuming ListeningSockets, lock: consuming Descriptor,
        starter: consuming Descriptor?
    ) throws(RuntimeError) {
        let folder = launch.folder
        let channels = try operation("supervise \(folder.name)") { () throws(SystemError) in
            try Processes.becomeSubreaper()
            try Signals.blockAll()
            try folder.makeStreams()
            return Channels(
                signals: try Signals.descriptor(), output: try PayloadOutput(launch),
                control: try ControlServer(folder),
                notify: try Self.listen(launch))
        }
        self.launch = launch
        self.sockets = SocketWatch(sockets, launch.settings)
        self.lock = lock
        self.starter = starter
        signals = channels.signals
        output = channels.output
        control = channels.control
        notify = channels.notify
        manager = ServiceManager(launch.caller.notifySocket, warn: launch.say)
        let now = Timestamp.now()
        let own = SupervisedProcess(
            pid: Processes.currentID, startTime: (try? Processes.startTime(Processes.currentID)) ?? 0)
        record = ServiceRecord(name: folder.name, bundle: launch.bundle, supervisor: own, created: now)
        record.log = launch.logTarget == nil ? .inherit : launch.settings.log.target ?? .file
        if case .file(let path)? = launch.logTarget { record.logPath = path }
        record.listen = launch.settings.listen.map { $0.text }
        backOff = BackOff(
            launch.settings.restartDelay,
            seed: UInt64(truncatingIfNeeded: MonotonicClock.milliseconds) << 20 ^ UInt64(own.pid))
        counter = StartCounter(launch.settings.startLimit)
        decision = RestartDecision(launch.settings)
    }

    /// What is opened together.
    private struct Channels: ~Copyable {
        let signals: Descriptor
        let output: PayloadOutput
        let control: ControlServer
        let notify: Descriptor?
    }

    var settings: ServiceSettings { launch.settings }

    /// Tells people, and whoever reads the log.
    mutating func say(_ text: String) {
        launch.say(text)
        output.note(text)
    }

    var name: String { launch.folder.name }

    /// Whether the payload gets a place to report to.
    private static func listens(_ launch: ServiceLaunch) -> Bool {
        launch.settings.ready == .notify || launch.settings.watchdog != nil
            || launch.caller.notifySocket?.isEmpty == false
    }

    /// Bound before the first start: the folder's mount shows whatever socket has the name.
    private static func listen(_ launch: ServiceLaunch) throws(SystemError) -> Descriptor? {
        guard listens(launch) else { return nil }
        let folder = launch.folder.notifyFolder
        do throws(SystemError) {
            try NotifyPlan(standing: folder, watchdog: nil).makeFolder()
        } catch {
            guard error.code == .exists else { throw error }
            if !Files.exists(folder) { try Files.makeDirectories(folder, mode: 0o755) }
        }
        let directory = try Files.open(folder, [.path, .directory, .noFollow])
        return try Sockets.bindDatagram(NotifyPlan.socketName, at: directory, mode: 0o666)
    }

    // MARK: The loop

    consuming func run() -> ServiceOutcome {
        begin()
        publish()
        while outcome == nil {
            wait()
            if outcome == nil { meetDeadlines() }
            publish()
        }
        return finish()
    }

    private var nextDeadline: Int64 {
        let all = [
            deadlines.kill, deadlines.start, deadlines.watchdog, deadlines.checkKill, deadlines.managerPing,
            output.deadline, nextCheck, sockets.deadline,
        ]
        return all.min() ?? .max
    }

    private mutating func wait() {
        var interests: [(number: Int32, events: PollEvents)] = [
            (signals.number, .readable), (Self.number(of: helper), .readable), (Self.number(of: checker), .readable),
            (pollNumber(notify), .readable), (Self.adoptedNumber(of: payload), .readable),
        ]
        let first = interests.count
        interests += output.interests
        let second = interests.count
        interests += control.interests
        let third = interests.count
        interests += sockets.interests(record.phase)
        let next = nextDeadline
        let timeout = next == .max ? -1 : Int32(clamping: max(0, next - MonotonicClock.milliseconds))
        guard let ready = try? Polling.wait(interests, timeout: timeout, giving: code) else {
            // Out of memory at most; a moment later there may be some.
            return MonotonicClock.sleep(milliseconds: 100)
        }
        if !ready[1].isEmpty { helper?.read() }
        if !ready[2].isEmpty { checker?.read() }
        if !ready[3].isEmpty { hear() }
        if ready[first..<second].contains(where: { !$0.isEmpty }) { output.handle(MonotonicClock.milliseconds) }
        if !ready[0].isEmpty { takeSignals() }
        if !ready[4].isEmpty { payloadEnded(Self.announcedEnd(of: payload)) }
        for (place, request) in control.handle(ready[second..<third]) { answer(request, place) }
        if ready[third...].contains(where: { !$0.isEmpty }) { wake() }
    }

    private static func number(of helper: borrowing Helper?) -> Int32 {
        switch helper {
        case .some(let helper): helper.number
        case .none: -1
        }
    }

    /// The end of a child is told by a signal.
    private static func adoptedNumber(of payload: borrowing SupervisedPayload?) -> Int32 {
        switch payload {
        case .some(let payload): payload.isChild || payload.hasEnded ? -1 : payload.pidfd.number
        case .none: -1
        }
    }

    private static func announcedEnd(of payload: borrowing SupervisedPayload?) -> ExitReason? {
        switch payload {
        case .some(let payload): payload.announcedEnd
        case .none: nil
        }
    }

    private mutating func meetDeadlines() {
        let now = MonotonicClock.milliseconds
        if now >= deadlines.kill { timeIsOver() }
        if now >= deadlines.start { goOn() }
        if now >= deadlines.watchdog { watchdogBarks() }
        if now >= deadlines.checkKill { killCheck() }
        if now >= deadlines.managerPing { pingManager(now) }
        if now >= output.deadline { output.handle(now) }
        if now >= nextCheck { check(now) }
        if now >= sockets.deadline { lookForUse(at: now) }
    }

    /// Writes down what has changed, for everybody who looks.
    mutating func publish() {
        guard record != written else { return }
        if record.phase != written?.phase || record.isReady != written?.isReady || record.health != written?.health {
            record.since = Timestamp.now()
        }
        do throws(SystemError) {
            try launch.folder.write(record)
        } catch {
            say("the state of \(name) could not be written: \(error)")
        }
        written = record
        manager.sendStatus(statusLine)
    }

    private var statusLine: String {
        var parts = [record.status]
        if let payload = record.payload { parts.append("pid \(payload.pid)") }
        if record.restarts > 0 { parts.append("\(record.restarts) restart\(record.restarts == 1 ? "" : "s")") }
        if let text = record.text { parts.append(text) }
        return parts.joined(separator: ", ")
    }
}

/// The first process of the container that runs.
struct SupervisedPayload: ~Copyable {
    let process: SupervisedProcess
    let pidfd: Descriptor
    /// Whether this process is its parent, which an adopted one's is not.
    let isChild: Bool
    /// When it was begun, or adopted, in milliseconds on the monotonic clock.
    let began: Int64
    /// Tells how an adopted one has ended, where the kernel has no other way.
    let announcement: ProcConnector?
    /// It is being taken down.
    var hasEnded = false

    func send(_ signal: Signal) {
        try? Processes.send(signal, to: pidfd)  // it may have ended
    }

    /// Once its pidfd has shown that it did.
    var announcedEnd: ExitReason? {
        switch announcement {
        case .some(let announcement): announcement.take()
        case .none: nil
        }
    }
}

extension Optional where Wrapped: ~Copyable {
    /// Whether there is a value, which stays where it is.
    var isThere: Bool {
        switch self {
        case .some: true
        case .none: false
        }
    }
}
