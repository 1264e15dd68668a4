internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The runtime's half of the conversation with the init, phase by phase.
struct InitConversation: ~Copyable {
    private let plan: LaunchPlan
    private var record: Record
    private var conversation: Conversation
    private var initProcess: ChildProcess
    private var terminal: Descriptor?
    private var hooksBegan = false
    /// Whether an init that is born last has been.
    private var isBorn = false
    /// Network interfaces that are in the container already.
    private var netDevices: NetDevices?
    private let warn: (String) -> Void

    init(_ plan: LaunchPlan, _ birth: consuming SpawnedInit, record: Record, warn: @escaping (String) -> Void) {
        self.plan = plan
        self.record = record
        self.warn = warn
        conversation = Conversation(
            birth.link,
            expectation: Expectation(
                bridge: plan.namespaces.needsBridge, terminal: plan.terminal != nil,
                bornLast: plan.namespaces.isBornLast),
            with: birth.process.pid, signals: plan.caller.interrupts, warn: warn)
        initProcess = birth.process
    }

    /// The init's number on the host.
    var pid: Int32 { initProcess.pid }

    // MARK: Phases

    /// With systemd only: the cgroup is made around the new process, the bridge or the init, which waits for that before it does anything.
    mutating func enter(_ cgroup: inout CgroupManager, store: Store) throws(StepFailure) {
        guard plan.cgroup.scope != nil else { return }
        do throws(CgroupError) {
            try cgroup.place(initProcess.pid, plan.cgroup.resources, host: plan.cgroup.host)
        } catch {
            throw StepFailure(.cgroup, .refused(error.description))
        }
        record.cgroup = cgroup.record
        // Only with it written down, the unit is known to be of this container's making.
        let record = record
        try step(.record, try store.write(record))
        try conversation.send(.placed)
    }

    /// Bridge: the bridge tells who the init is, and goes. Then the user namespace gets its mappings.
    mutating func meetInit() throws(StepFailure) {
        if plan.namespaces.needsBridge {
            let received = try conversation.next(bridge: initProcess.pidfd.number)
            initProcess = try conversation.adopt(received, after: initProcess, .bridge)
        }
        guard plan.namespaces.isAcknowledged else { return }
        try step(.mappings) { () throws(SystemError) in
            if plan.namespaces.new.contains(.user) {
                try IDMapWriter(user: plan.maker.user, group: plan.maker.group).write(
                    uids: plan.namespaces.uidMappings, gids: plan.namespaces.gidMappings, of: initProcess.pid)
            }
        }
        // Afterwards its files in procfs belong to the host's root.
        if plan.initShieldsItself { try setOOMScoreAdjustment() }
        try conversation.send(.acknowledged)
    }

    func setOOMScoreAdjustment() throws(StepFailure) {
        guard let process = plan.process else { return }
        try step(.processAttributes, try ProcessSetup.setOOMScoreAdjustment(process, of: initProcess.pid))
    }

    /// Setup, confine, ready: answers what the init asks until it waits for its start.
    /// - Parameters:
    ///   - settle: what is done once the init is in its namespaces, before hooks see the container.
    ///   - tighten: what is done when it is ready.
    mutating func converse(
        _ filter: SeccompFilter?, store: Store, settle: (inout InitConversation) throws(StepFailure) -> Void,
        tighten: (borrowing InitConversation) throws(StepFailure) -> Void
    ) throws(StepFailure) {
        _ = try conversation.next()
        try settle(&self)
        try noteInit()
        try runHooks(store)
        try conversation.send(.proceed(program: filter?.program.bytes ?? [], flags: filter?.flags ?? 0))
        while !conversation.isReady { try answer(conversation.next(bridge: unbornBy)) }
        try tighten(self)
        if let process = plan.process {
            try ProcessSetup.setAttributes(process, of: initProcess.pid, limits: plan.namespaces.has(.user))
        }
        if let path = plan.options.pidfdSocket ?? plan.requests.pidfdReceiver {
            try step(.pidfdSocket, try PidfdSocket.hand(initProcess.pidfd, to: path, as: .standard))
        }
        record.isReady = true
        let record = record
        try step(.record, try store.write(record))
        if let path = plan.options.pidFile {
            try step(.pidFile, try Files.deliver("\(record.pid)", to: path, mode: 0o644))
        }
        if PidfdPin.isWanted(plan) { PidfdPin.make(store.folder(plan.id), initProcess.pidfd) }
        if plan.mode == .create { try conversation.send(.recorded) }
    }

    /// Throws where the init ends within a moment.
    func checkLife() throws(StepFailure) {
        let ready = try step(.gate, try Polling.wait([(initProcess.pidfd.number, .readable)], timeout: 20))
        if !ready[0].isEmpty { throw Conversation.ended }
    }

    private mutating func noteInit() throws(StepFailure) {
        let pid = initProcess.pid
        record.pid = pid
        record.startTime = try step(.record, try Processes.startTime(pid)) ?? 0
    }

    /// The process that is to give birth to the init when all is set up; nil where it did, or is the init itself.
    private var unbornBy: Int32? {
        plan.namespaces.isBornLast && !isBorn ? initProcess.pidfd.number : nil
    }

    private mutating func answer(_ received: consuming Received) throws(StepFailure) {
        var received = received
        switch received.message {
        case .terminal:
            terminal = received.descriptor.take()
            try step(.terminal, try handTerminal())
            if plan.terminal?.socket != nil { terminal = nil }
        case .bridged:
            initProcess = try conversation.adopt(received, after: initProcess, .clone)
            isBorn = true
            try noteInit()
            try conversation.send(.acknowledged)
        default: break
        }
    }

    private mutating func runHooks(_ store: Store) throws(StepFailure) {
        let interruption = Interruption(
            signals: plan.caller.interrupts, initProcess: initProcess.pidfd.number)
        let output = record.hookOutput
        let hooks = [HookTiming.prestart, .createRuntime].map {
            HookRunner(
                $0, plan.hooks, directory: plan.bundle, output: output, interruption: interruption)
        }
        hooksBegan = true
        guard hooks.contains(where: { !$0.hooks.isEmpty }) else { return }
        let record = record
        try step(.record, try store.write(record))
        for runner in hooks { try runner.runAll(record.state(.creating)) }
    }

    /// Sends the terminal on where an engine waits for it; otherwise the runtime relays it itself.
    private func handTerminal() throws(SystemError) {
        switch terminal {
        case .some(let controller):
            if let path = plan.terminal?.socket { try ConsoleSocket.hand(controller, to: path) }
        case .none: throw .refused("the container's process sent no terminal")
        }
    }

    /// Gives the container the network interfaces that the configuration names.
    mutating func moveNetDevices() throws(StepFailure) {
        let plans = plan.netDevices
        var devices = try step(.netDevices, try NetDevices.open(initProcess.pid))
        do throws(SystemError) {
            try devices.move(plans)
        } catch {
            devices.giveBack(warn: warn)
            throw StepFailure(.netDevices, error)
        }
        netDevices = .some(devices)
    }

    // MARK: Ends

    consuming func intoContainer(silencedCall: String?) -> CreatedContainer {
        CreatedContainer(
            record: record, initProcess: initProcess, link: conversation.intoLink(), terminal: terminal,
            silencedCall: silencedCall)
    }

    /// Ends the init and, where hooks have seen the container, lets the poststop ones see its end.
    /// - Parameter cgroup: the container's, which knows of a lack of memory.
    func abandon(_ failure: StepFailure, _ cgroup: borrowing CgroupManager) -> StepFailure {
        var failure = conversation.reason(for: failure)
        let isDead = failure.cause == Conversation.ended.cause
        // As long as the init holds the namespace: virtual interfaces would end with it.
        switch netDevices {
        case .some(let devices): devices.giveBack(warn: warn)
        case .none: break
        }
        // Its link is gone, so it is ending: how, shows only if it is left alone for a moment.
        if isDead { _ = try? Polling.wait([(initProcess.pidfd.number, .readable)], timeout: 1000) }
        // It may have ended by itself; what counts is that it is gone.
        try? Processes.kill(initProcess)
        let reason = try? Processes.wait(initProcess)
        if isDead { failure = StepFailure(failure.step, .refused(ExitDiagnosis.ofInit(reason, cgroup: cgroup))) }
        if hooksBegan {
            HookRunner(.poststop, plan.hooks, directory: plan.bundle, output: record.hookOutput)
                .runEach(record.state(.stopped), warn: warn)
        }
        return failure
    }
}

extension Record {
    /// What a start of this container needs to serve a filter that notifies; nil with every other.
    /// - Parameter process: the process under the filter, where it is not the init.
    func listenerService(
        _ status: State.Status, process: Int32? = nil, signals: Int32? = nil
    ) -> ListenerService? {
        seccompListener.map {
            ListenerService(listener: $0, pid: process ?? pid, state: state(status), signals: signals)
        }
    }

    /// Where the container's hooks write to.
    var hookOutput: HookOutput { HookOutput(annotations, bundle: bundle) }

    /// The state as the specification and hooks know it.
    func state(_ status: State.Status) -> State {
        State(
            ociVersion: ociVersion, id: id, status: status, pid: status == .stopped ? 0 : Int(pid), bundle: bundle,
            annotations: annotations.isEmpty ? nil : annotations)
    }
}
