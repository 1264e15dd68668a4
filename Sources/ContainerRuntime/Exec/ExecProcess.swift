internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The runtime's side of running another program in a container: from the plan to the program's first instruction.
struct ExecProcess {
    let plan: ExecPlan
    /// The container.
    let record: Record
    /// Its status as a seccomp agent is to get it.
    let containerStatus: ContainerStatus
    let filter: SeccompCompiler?
    let warn: (String) -> Void

    /// A process of `exec` whose program runs.
    struct Executed: ~Copyable {
        let process: ChildProcess
        /// The terminal's controlling side, where it was not sent to a console socket.
        var terminal: Descriptor?
    }

    func run() throws(StepFailure) -> Executed {
        let spawned = try SpawnedExec.spawn(plan, record, try step(.join, try ExecTarget.open(record, plan.namespaces)))
        var conversation = Conversation(
            spawned.link,
            order: MessageOrder(
                intermediate: false, terminal: plan.terminal != nil, preparesRoot: false, spawnedLast: true),
            with: spawned.intermediate.pid, signals: plan.caller.interrupts, warn: warn)
        let entry = spawned.entry
        var process = spawned.intermediate
        do throws(StepFailure) {
            if let entry { try place(process, entry, conversation) }
            let program = try arm(conversation, process)
            let terminal = try converse(&conversation, &process)
            try start(process, program, conversation)
            return Executed(process: process, terminal: terminal)
        } catch {
            try? Processes.kill(process)  // it may have ended by itself
            _ = try? Processes.wait(process)
            throw conversation.reason(for: error)
        }
    }

    /// Where systemd moves the intermediate process into the cgroup, it waits for that.
    private func place(
        _ intermediate: borrowing ChildProcess, _ entry: ScopeEntry, _ conversation: borrowing Conversation
    ) throws(StepFailure) {
        do throws(CgroupError) {
            try entry.attach(intermediate.pid)
        } catch {
            throw StepFailure(.join, .refused(error.description))
        }
        try conversation.send(.placed)
    }

    /// While the intermediate process enters the container, the filter is made. What it is given, the process inherits.
    private func arm(
        _ conversation: borrowing Conversation, _ intermediate: borrowing ChildProcess
    ) throws(StepFailure) -> SeccompProgram? {
        let pid = intermediate.pid
        try step(.processAttributes) { () throws(SystemError) in
            try plan.affinity.applyFinal(pid)
            try ProcessSetup.setOOMScoreAdjustment(plan.payload.process, of: pid)
        }
        let program = try step(.seccompFilter) { () throws(SystemError) -> SeccompProgram? in
            if let ready = plan.requests.seccompProgram { return ready }
            return try filter?.startableProgram()
        }
        let flags = plan.seccomp?.flags(isHeard: record.seccompListener != nil) ?? SeccompSupport.allowSpeculation
        try conversation.send(.proceed(program: program?.bytes ?? [], flags: flags))
        return program
    }

    /// Listens to the intermediate process until it sends the process's pidfd, and then to that process until it is
    /// ready.
    private func converse(
        _ conversation: inout Conversation, _ process: inout ChildProcess
    ) throws(StepFailure) -> Descriptor? {
        var terminal: Descriptor?
        var isSpawned = false
        while !conversation.isReady {
            var received = try conversation.next(intermediate: isSpawned ? nil : process.pidfd.number, .join)
            switch received.message {
            case .terminal:
                terminal = received.descriptor.take()
                try step(.terminal, try hand(terminal))
                if plan.terminal?.socket != nil { terminal = nil }
            case .spawned:
                process = try conversation.adopt(received, after: process, .join)
                isSpawned = true
                try conversation.send(.acknowledged)
            default: break
            }
        }
        return terminal
    }

    /// Gives the process its last attributes and lets the program run.
    private func start(
        _ process: borrowing ChildProcess, _ program: SeccompProgram?, _ conversation: borrowing Conversation
    ) throws(StepFailure) {
        let pid = process.pid
        try ProcessSetup.setAttributes(
            plan.payload.process, of: pid, limits: !plan.payload.setsOwnLimits)
        if let path = plan.options.pidfdSocket {
            try step(.pidfdSocket, try PidfdSocket.hand(process.pidfd, to: path, as: .setns))
        }
        try conversation.link.startProgram(
            of: process, silencedCall: program.flatMap { SeccompPreflight.silenced(by: $0, byGate: false) },
            serving: record.listenerService(
                containerStatus, process: pid, signals: plan.caller.interrupts))
        // conmon and containerd take the file as the sign that the program runs.
        if let path = plan.options.pidFile {
            try step(.pidFile, try Files.deliver("\(pid)", to: path, mode: 0o644))
        }
    }

    /// Sends the terminal on where an engine waits for it; otherwise it is prepared to be relayed.
    private func hand(_ terminal: borrowing Descriptor?) throws(SystemError) {
        switch terminal {
        case .some(let controller):
            if let socket = plan.terminal?.socket { return try ConsoleSocket.hand(controller, to: socket) }
            TerminalRelay.prepare(controller)
        case .none: throw .refused("the container's process sent no terminal")
        }
    }
}

/// The clone of the intermediate process of `exec`, in the container's cgroup; the process inherits
/// that.
struct SpawnedExec: ~Copyable {
    let link: Link
    let intermediate: ChildProcess
    /// What moves it into the container's cgroup, where it could not be cloned into it.
    let entry: ScopeEntry?

    private init(link: consuming Link, intermediate: consuming ChildProcess, entry: ScopeEntry?) {
        self.link = link
        self.intermediate = intermediate
        self.entry = entry
    }

    static func spawn(
        _ plan: ExecPlan, _ record: Record, _ target: consuming ExecTarget
    ) throws(StepFailure) -> SpawnedExec {
        let foreign = try foreignEntry(plan, record)
        let cgroup: Descriptor? = try foreign == nil ? cgroup(plan, record) : nil
        try step(.join, try target.check())
        do throws(SystemError) {
            var proc = DescriptorTable()
            if !plan.labels.isEmpty { proc.append(try HostProcfs.open()) }
            try plan.affinity.applyInitial()
            let pair = try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
            let runtimeEnd = pair.runtime
            let entry = ExecInit(
                plan: plan, keyring: record.keyring, target: target, link: pair.container, proc: proc,
                isPlaced: foreign != nil)
            let intermediate = try Cloning.clone(cgroup: cgroup) {
                runtimeEnd.closeInChild()
                entry.run()
            }
            return SpawnedExec(link: runtimeEnd, intermediate: intermediate, entry: foreign)
        } catch {
            throw StepFailure(.clone, error)
        }
    }

    private static func foreignEntry(_ plan: ExecPlan, _ record: Record) throws(StepFailure) -> ScopeEntry? {
        guard record.cgroup.scope != nil else { return nil }
        do throws(CgroupError) {
            return try CgroupManager.open(record.cgroup)
                .foreignEntry(below: plan.options.cgroup, initProcess: record.pid)
        } catch {
            throw StepFailure(.join, .refused(error.description))
        }
    }

    private static func cgroup(_ plan: ExecPlan, _ record: Record) throws(StepFailure) -> Descriptor? {
        do throws(CgroupError) {
            return try CgroupManager.open(record.cgroup)
                .entry(below: plan.options.cgroup, initProcess: record.pid)
        } catch {
            throw StepFailure(.join, .refused(error.description))
        }
    }
}
