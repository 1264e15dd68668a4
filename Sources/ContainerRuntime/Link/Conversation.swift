internal import Kernel

/// The runtime's side of a link: what it hears is checked against what may come, failures are thrown, warnings passed on.
struct Conversation: ~Copyable {
    let link: Link
    private var expectation: Expectation
    /// Where signals for the runtime itself can be read: before the payload runs they end the set-up.
    private let signals: Int32?
    private let warn: (String) -> Void

    init(
        _ link: consuming Link, expectation: Expectation, signals: Int32?, warn: @escaping (String) -> Void
    ) {
        self.link = link
        self.expectation = expectation
        self.signals = signals
        self.warn = warn
    }

    /// Whether the other side has nothing left that could fail.
    var isReady: Bool { expectation.phase == .ready }

    func send(_ message: Message) throws(SystemError) { try link.send(message) }

    /// The next packet, if it is one that may come now.
    mutating func next() throws(StageFailure) -> Received {
        while true {
            try checkInterrupts()
            guard let received = try step(.gate, try receive()) else { throw Self.ended }
            let message = received.message
            guard expectation.accepts(message) else {
                throw StageFailure(.gate, .refused("the container's process is out of step"))
            }
            if case .failed(let failure) = message { throw failure }
            guard case .warning(let text) = message else { return received }
            warn(text)
        }
    }

    private func checkInterrupts() throws(StageFailure) {
        guard let signals else { return }
        try Interruption(signals: signals).waitOrFail(for: link.number)
    }

    private func receive() throws(SystemError) -> Received? { try link.receive() }

    /// The link ended without a word.
    static var ended: StageFailure {
        StageFailure(.gate, .refused("container process is already dead"))
    }

    consuming func intoLink() -> Link { link }
}
