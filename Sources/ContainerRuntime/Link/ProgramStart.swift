internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// What the runtime needs to know to serve one process under a filter that notifies.
struct ListenerService: Sendable {
    let listener: SeccompListener
    /// The process, as the runtime counts.
    let pid: Int32
    /// The container's state, as the agent gets it.
    let state: State
    /// Where signals for the runtime can be read: an agent that gives no answer must not make it deaf.
    var signals: Int32?

    /// Connects to the agent; nothing where one that no action asks is not there.
    func reachAgent() throws(StepFailure) -> SeccompListener.Agent? {
        do throws(StepFailure) {
            return try step(.seccompAgent, try listener.connect())
        } catch {
            if listener.isAsked { throw error }
            return nil
        }
    }
}

extension Link {
    /// Lets the program start and waits until it runs, which ends the link, or the last packet says why it does not.
    ///
    /// - Parameters:
    ///   - process: the process that becomes the program.
    ///   - silencedCall: what its filter forbids of what it needs to report with; nil where it can.
    ///   - service: what takes the listener of a filter that notifies; nil for every other.
    func startProgram(
        of process: borrowing ChildProcess, silencedCall: String?, serving service: ListenerService? = nil
    ) throws(StepFailure) {
        var agent: SeccompListener.Agent?
        if let service { agent = try service.reachAgent() }
        try deliver(.start)
        var expectedFailure: StepFailure?
        while let received = try next(of: process.pid, service?.signals) {
            if case .failed(let failure) = received.message { throw failure }
            if case .expectedFailure(let failure) = received.message { expectedFailure = failure }
            guard case .listener = received.message else { continue }
            do throws(SystemError) {
                try serve(received, service, agent.take())
            } catch {
                throw StepFailure(.seccompListener, error)
            }
        }
        // The link ended by exec; or by the end of a process that may not say more.
        guard expectedFailure != nil || silencedCall != nil || service != nil,
            Processes.hasExecuted(process.pid) == false
        else { return }
        throw expectedFailure ?? .silent(silencedCall)
    }

    private func next(of process: Int32, _ signals: Int32?) throws(StepFailure) -> Received? {
        // Without an agent only a halt could keep the program from running for long.
        try Interruption(signals: signals, halt: .process(process)).waitOrFail(for: number)
        do throws(SystemError) {
            return try receive()
        } catch {
            // It has not even read that it may start.
            throw error.isLostPeer ? Conversation.ended : StepFailure(.gate, error)
        }
    }

    /// Passes a listener on to the agent, and lets the process that waits under the filter go on. One is served once.
    fileprivate func serve(
        _ received: borrowing Received, _ service: ListenerService?, _ agent: consuming SeccompListener.Agent?
    ) throws(SystemError) {
        guard case .listener = received.message, let service else {
            throw .refused("the container's process is out of step")
        }
        guard case .some(let agent) = agent else {
            if service.listener.isAsked { throw .refused("the container's process is out of step") }
            return try send(.acknowledged)
        }
        switch received.descriptor {
        case .some(let descriptor):
            // An agent has privileges of the host: nothing but a listener gets to it through the runtime.
            guard try Files.readLink(descriptor.path).ends(with: "seccomp notify") else {
                throw .refused("the container's process sent another descriptor than its seccomp listener")
            }
            try agent.hand(descriptor, pid: service.pid, state: service.state)
        case .none: throw .refused("the container's process sent no seccomp listener")
        }
        try send(.acknowledged)
    }
}

/// What `start` does beside waiting: it meets an init under a filter that notifies, and the agent that waits for it.
struct ListenerHandover: ~Copyable {
    private let service: ListenerService?
    private var agent: SeccompListener.Agent?
    private var link: Link?

    private init(_ service: ListenerService?, _ agent: consuming SeccompListener.Agent?, _ link: consuming Link?) {
        self.service = service
        self.agent = agent
        self.link = link
    }

    /// Connects to both.
    /// - Parameter path: the init's socket.
    static func reach(_ service: ListenerService?, at path: String) throws(StepFailure) -> ListenerHandover {
        guard let service else { return ListenerHandover(nil, nil, nil) }
        let agent = try service.reachAgent()
        let socket = try step(.gate, try Sockets.connect(path, .packets))
        return ListenerHandover(service, agent, Link(socket))
    }

    /// The number to wait for; negative when no init is to be met, or no more.
    var number: Int32 {
        switch link {
        case .some(let link): link.number
        case .none: -1
        }
    }

    /// Serves the init that speaks, which ends the meeting, as the end of its socket does.
    mutating func serve() throws(SystemError) {
        guard case .some(let link) = link.take(), let received = try link.receive() else { return }
        try link.serve(received, service, agent.take())
    }
}
