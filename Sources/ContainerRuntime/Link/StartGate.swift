internal import Kernel

/// What a created container waits at until `start` comes: two FIFOs in its state folder.
///
/// The init reads `start.fifo` and reports on `result.fifo`, which it holds open until exec closes it: so `start` learns
/// that the payload runs, or what kept it from running. Both are opened by number before the root is changed.
/// A container whose `start.fifo` is still there has status "created".
struct StartGate: ~Copyable {
    static let startName = "start.fifo"
    static let resultName = "result.fifo"

    private let start: Descriptor
    private let result: Descriptor
    /// Signals that come while the init waits. Made with the gate, before a limit could forbid one more descriptor.
    private let signals: Descriptor

    /// Makes and opens the gate, for the init to inherit.
    static func make(folder: String) throws(SystemError) -> StartGate {
        try Files.makeFIFO("\(folder)/\(Self.startName)", mode: 0o600)
        try Files.makeFIFO("\(folder)/\(Self.resultName)", mode: 0o600)
        // Opened for both, so that opening does not wait for another end, and no end that comes and goes leaves it hung up.
        let start = try Files.open("\(folder)/\(Self.startName)", [.readWrite, .nonBlocking])
        let result = try Files.open("\(folder)/\(Self.resultName)", .readWrite)
        return StartGate(start: start, result: result, signals: try Signals.descriptor())
    }

    /// The init: waits until `start` writes its byte. A signal that would end an ordinary process ends it here too,
    /// although as the first process of a pid name space the kernel would let it ignore all but SIGKILL.
    /// - Note: every signal must be blocked by now, see ``blockSignals()``.
    func waitForStart() throws(SystemError) {
        while true {
            _ = try Polling.wait([(start.number, .readable), (signals.number, .readable)])
            while let signal = try Signals.next(in: signals) {
                if signal.endsProcess { Processes.exit(128 + signal.rawValue) }
            }
            if try Terminals.readAvailable(start, limit: 1)?.isEmpty == false { return }
        }
    }

    /// Whether an init waits at the gate of a folder. A `start` that died behind its byte has left the FIFO, but nobody reads it.
    static func isClosed(folder: String) -> Bool {
        let path = "\(folder)/\(startName)"
        // No FIFO or no reader: either way nobody waits.
        return Files.exists(path) && (try? Files.open(path, [.writeOnly, .nonBlocking])) != nil
    }

    /// The init: leaves signals for ``waitForStart()`` to find.
    func blockSignals() throws(SystemError) { try Signals.blockAll() }

    /// What must stay open until exec.
    var numbers: [Int32] { [start.number, result.number, signals.number] }

    /// The init: says what kept the payload from running.
    func report(_ failure: StageFailure) throws(SystemError) {
        let bytes = Message.failed(failure).encode()
        try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in
            try Files.write(buffer, to: result, subject: Self.resultName)
        }
    }

    /// `start`: opens the gate and waits until the payload runs.
    /// - Returns: what went wrong in the container's process, if anything.
    static func open(folder: String) throws(SystemError) -> StageFailure? {
        let result = try Files.open("\(folder)/\(resultName)", [.readOnly, .nonBlocking])
        let start: Descriptor
        do throws(SystemError) {
            start = try Files.open("\(folder)/\(startName)", [.writeOnly, .nonBlocking])
        } catch  where error.code == .noDeviceOrAddress {
            throw .refused("container process is already dead")
        }
        try Files.write("1", to: start)
        try Files.remove("\(folder)/\(startName)")
        var packet: [UInt8] = []
        while true {
            _ = try Polling.wait([(result.number, .readable)])
            guard let bytes = try Terminals.readAvailable(result) else { continue }
            if bytes.isEmpty { break }
            packet += bytes
        }
        try Files.remove("\(folder)/\(resultName)")
        if packet.isEmpty { return nil }
        guard case .failed(let failure) = Message(packet) else { throw .refused("the container's report is garbled") }
        return failure
    }
}
