internal import Errors
internal import JSON
internal import Kernel
internal import KernelTypes

/// The runtime's side of a link: what it receives is checked against what may come, failures are thrown, warnings
/// passed on.
struct Conversation: ~Copyable {
    let link: Link
    private var order: MessageOrder
    /// Where signals for the runtime itself can be read: before the payload runs they end the set-up.
    private let signals: Int32?
    /// The process that has the other end, or spawns the one that will have it.
    private var process: Int32
    private let warn: (String) -> Void

    init(
        _ link: consuming Link, order: MessageOrder, with process: Int32, signals: Int32?,
        warn: @escaping (String) -> Void
    ) {
        self.process = process
        self.link = link
        self.order = order
        self.signals = signals
        self.warn = warn
    }

    /// Takes note of the process that the intermediate one has spawned: the other end is its own now. The parent is
    /// reaped.
    mutating func adopt(
        _ received: consuming Received, after parent: borrowing ChildProcess, _ failing: Step
    ) throws(StepFailure) -> ChildProcess {
        var received = received
        let pidfd = received.descriptor.take()
        guard case .some(let pidfd) = consume pidfd else {
            throw StepFailure(failing, .refused("the intermediate process sent no process"))
        }
        let pid = try step(failing, try Processes.pid(of: pidfd))
        _ = try step(failing, try Processes.wait(parent))
        process = pid
        return ChildProcess(pid: pid, pidfd: pidfd)
    }

    /// Whether the other side has nothing left that could fail.
    var isReady: Bool { order.position == .ready }

    /// Sends a packet. Where the peer is gone, what went wrong is what it said last.
    func send(_ message: Message) throws(StepFailure) { try link.deliver(message) }

    /// The failure to report when one has ended the set-up: the process knows more than the runtime that finds it gone.
    func reason(for failure: StepFailure) -> StepFailure { link.lastFailure() ?? failure }

    /// The next packet, if it is one that may come now.
    /// - Parameters:
    ///   - intermediate: the pidfd of an intermediate process that is to say something now. The init's end shows by the
    ///     end of the link, but one that is killed may leave an init behind, which holds the link and waits to be
    ///     acknowledged.
    ///   - doing: what it is doing.
    mutating func next(intermediate: Int32? = nil, _ doing: Step = .intermediate) throws(StepFailure) -> Received {
        while true {
            try awaitPacket(intermediate, doing)
            guard let received = try step(.gate, try receive()) else { throw Self.ended }
            let message = received.message
            guard order.accepts(message) else {
                throw StepFailure(.gate, .refused("the container's process is out of step"))
            }
            if case .failed(let failure) = message { throw failure }
            guard case .warning(let text) = message else { return received }
            warn(text)
        }
    }

    private func awaitPacket(_ intermediate: Int32?, _ doing: Step) throws(StepFailure) {
        let interruption = Interruption(signals: signals, initProcess: intermediate, halt: .process(process))
        if try interruption.waitOrFail(for: link.number) == .initEnded {
            throw StepFailure(doing, .refused("the process that does it was killed"))
        }
    }

    private func receive() throws(SystemError) -> Received? {
        do throws(SystemError) {
            return try link.receive()
        } catch  where error.isLostPeer {
            return nil
        }
    }

    /// The link ended without a message.
    static var ended: StepFailure {
        StepFailure(.gate, .refused("container process is already dead"), isEndOfProcess: true)
    }

    consuming func intoLink() -> Link { link }
}

extension Link {
    /// Sends a packet of the runtime's, or throws what the process said before it ended.
    func deliver(_ message: Message) throws(StepFailure) {
        do throws(SystemError) {
            try send(message)
        } catch {
            throw error.isLostPeer ? lastFailure() ?? Conversation.ended : StepFailure(.gate, error)
        }
    }
}

extension SystemError {
    /// Whether the other end of a link died: before a packet could be sent to it, or before it had read one.
    var isLostPeer: Bool { code == .brokenPipe || code == .connectionReset }
}
