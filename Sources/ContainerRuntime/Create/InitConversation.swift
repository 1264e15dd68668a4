internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The parent's conversation with the init, and what it has received: the process, the terminal.
struct InitConversation: ~Copyable {
    private let plan: LaunchPlan
    private var conversation: Conversation
    private var initProcess: ChildProcess
    private var terminal: Descriptor?
    /// Whether an init that is spawned last has been.
    private var isSpawned = false
    /// Network interfaces that are in the container already.
    private var netDevices: NetDevices?
    private let warn: (String) -> Void

    init(_ plan: LaunchPlan, _ spawned: consuming SpawnedInit, warn: @escaping (String) -> Void) {
        self.plan = plan
        self.warn = warn
        conversation = Conversation(
            spawned.link,
            order: MessageOrder(
                intermediate: plan.namespaces.needsIntermediate, terminal: plan.terminal != nil,
                spawnedLast: plan.namespaces.isSpawnedLast,
                mapsIDs: plan.rootfs.mounts.contains { $0.idMap != nil }),
            with: spawned.process.pid, signals: plan.caller.interrupts, warn: warn)
        initProcess = spawned.process
    }

    /// The init's number on the host.
    var pid: Int32 { initProcess.pid }

    /// The number of its pidfd, to wait for beside others.
    var processDescriptor: Int32 { initProcess.pidfd.number }

    func send(_ message: Message) throws(StepFailure) { try conversation.send(message) }

    /// The intermediate process sends the init's pidfd, and exits.
    mutating func meetInit() throws(StepFailure) {
        let received = try conversation.next(intermediate: initProcess.pidfd.number)
        initProcess = try conversation.adopt(received, after: initProcess, .intermediate)
    }

    /// The init is in all of its namespaces, and its root file system is mounted.
    mutating func awaitTree() throws(StepFailure) {
        while true {
            var received = try conversation.next()
            guard case .mapIDs(let index) = received.message else { return }
            try step(.sources, try mapIDs(of: received.descriptor.take(), mount: Int(index)))
            try conversation.send(.acknowledged)
        }
    }

    /// For a bind mount whose source the init had to open itself: it need not have privileges over that file system.
    private func mapIDs(of tree: consuming Descriptor?, mount index: Int) throws(SystemError) {
        guard let tree, let mount = plan.rootfs.mounts.first(where: { $0.index == index }) else {
            throw .refused("the container's process sent no mount")
        }
        try LaunchResources.mapLate(tree, mount, plan)
    }

    /// Answers what the init asks until it has nothing left that could fail.
    mutating func awaitReady() throws(StepFailure) {
        while !conversation.isReady { try answer(conversation.next(intermediate: spawner)) }
    }

    /// The process that is to spawn the init when all is set up; nil where it did, or is the init itself.
    private var spawner: Int32? {
        plan.namespaces.isSpawnedLast && !isSpawned ? initProcess.pidfd.number : nil
    }

    private mutating func answer(_ received: consuming Received) throws(StepFailure) {
        var received = received
        switch received.message {
        case .terminal:
            terminal = received.descriptor.take()
            try step(.terminal, try handTerminal())
            if plan.terminal?.socket != nil { terminal = nil }
        case .spawned:
            initProcess = try conversation.adopt(received, after: initProcess, .clone)
            isSpawned = true
            try conversation.send(.acknowledged)
        default: break
        }
    }

    /// Sends the terminal on where an engine waits for it; otherwise the runtime relays it itself.
    private func handTerminal() throws(SystemError) {
        switch terminal {
        case .some(let controller):
            if let path = plan.terminal?.socket { try ConsoleSocket.hand(controller, to: path) }
        case .none: throw .refused("the container's process sent no terminal")
        }
    }

    /// Gives the container network interfaces of the host.
    mutating func moveNetDevices(_ plans: [NetDevicePlan]) throws(StepFailure) {
        var devices = try step(.netDevices, try NetDevices.open(initProcess.pid))
        do throws(SystemError) {
            try devices.move(plans)
        } catch {
            devices.giveBack(warn: warn)
            throw StepFailure(.netDevices, error)
        }
        netDevices = .some(devices)
    }

    /// Throws where the init ends within a moment.
    func checkLife() throws(StepFailure) {
        let ready = try step(.gate, try Polling.wait([(initProcess.pidfd.number, .readable)], timeout: 20))
        if !ready[0].isEmpty { throw Conversation.ended }
    }

    func handPidfd(to path: String) throws(StepFailure) {
        try step(.pidfdSocket, try PidfdSocket.hand(initProcess.pidfd, to: path, as: .standard))
    }

    /// Keeps the init's end readable in the state folder.
    func pin(in folder: String) { PidfdPin.make(folder, initProcess.pidfd) }

    // MARK: Ends

    /// What is left when all has been said.
    struct Ends: ~Copyable {
        let initProcess: ChildProcess
        let link: Link
        let terminal: Descriptor?
    }

    consuming func finish() -> Ends {
        Ends(initProcess: initProcess, link: conversation.intoLink(), terminal: terminal)
    }

    /// Ends the init.
    /// - Parameter cgroup: the container's, which knows of a lack of memory.
    /// - Returns: why the container does not come to be, as far as the init can explain it.
    consuming func abandon(after failure: StepFailure?, _ cgroup: borrowing CgroupManager) -> StepFailure? {
        let failure = failure.map { conversation.reason(for: $0) }
        let isDead = failure?.isEndOfProcess == true
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
        guard isDead, let failure else { return failure }
        return StepFailure(failure.step, .refused(ExitDiagnosis.ofInit(reason, cgroup: cgroup)))
    }
}
