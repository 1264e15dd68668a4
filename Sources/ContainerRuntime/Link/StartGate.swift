internal import Errors
internal import Kernel
internal import KernelTypes

/// What a created container waits at until `start` comes: two FIFOs in its state folder.
///
/// The init reads `start.fifo` and reports on `result.fifo`, which it holds open until exec closes it: so `start`
/// learns that the payload runs, or what kept it from running. Both are opened by number before the root is changed. A
/// container whose `start.fifo` is still there has status "created".
struct StartGate: ~Copyable {
    static let startName = "start.fifo"
    static let resultName = "result.fifo"
    static let listenerName = "listener.sock"

    private let start: Descriptor
    private let result: Descriptor
    /// Signals that come while the init waits. Made with the gate, before a limit could forbid one more descriptor.
    private let signals: Descriptor
    /// Where `start` connects to take the listener of a seccomp filter that notifies; nil with every other.
    private let listener: Descriptor?

    /// Makes and opens the gate, for the init to inherit.
    /// - Parameter notifies: whether `start` will have to take a listener.
    static func make(folder: String, notifies: Bool = false) throws(SystemError) -> StartGate {
        try Files.makeFIFO("\(folder)/\(Self.startName)", mode: 0o600)
        try Files.makeFIFO("\(folder)/\(Self.resultName)", mode: 0o600)
        // Opened for both, so that opening does not wait for another end, and no end that comes and goes leaves it hung
        // up.
        let start = try Files.open("\(folder)/\(Self.startName)", [.readWrite, .nonBlocking])
        let result = try Files.open("\(folder)/\(Self.resultName)", .readWrite)
        let listener: Descriptor? = notifies ? try Sockets.listen(listenerName, in: folder) : nil
        return StartGate(start: start, result: result, signals: try Signals.descriptor(), listener: listener)
    }

    /// The init: waits until `start` writes its byte. A signal that would end an ordinary process ends it here too,
    /// although as the first process of a pid namespace the kernel would let it ignore all but SIGKILL.
    /// - Note: every signal must be blocked by now, see ``blockSignals()``.
    func waitForStart() throws(SystemError) {
        while true {
            _ = try Polling.wait([(start.number, .readable), (signals.number, .readable)])
            while let signal = try Signals.next(in: signals) {
                if signal.endsProcess { Processes.exit(signal.shellStatus) }
            }
            if try Terminals.readAvailable(start, limit: 1)?.isEmpty == false { return }
        }
    }

    /// Whether an init waits at the gate of a folder. A `start` that died after writing its byte has left the FIFO, but
    /// no process reads it.
    static func isClosed(folder: String) -> Bool {
        let path = "\(folder)/\(startName)"
        // No FIFO or no reader: either way no init waits.
        return Files.exists(path) && (try? Files.open(path, [.writeOnly, .nonBlocking])) != nil
    }

    /// The init: leaves signals for ``waitForStart()`` to find.
    func blockSignals() throws(SystemError) { try Signals.blockAll() }

    /// What must stay open until exec.
    var numbers: [Int32] {
        switch listener {
        case .some(let listener): [start.number, result.number, signals.number, listener.number]
        case .none: [start.number, result.number, signals.number]
        }
    }

    /// The init: the link to the `start` that has opened the gate, for handing it a listener.
    func meetStart() throws(SystemError) -> Link {
        switch listener {
        case .some(let listener): return Link(try Sockets.accept(on: listener))
        case .none: throw .refused("the container was made without a seccomp listener")
        }
    }

    /// The init: says what kept the payload from running.
    func report(_ failure: StepFailure) throws(SystemError) { try send(.failed(failure)) }

    /// The init: says what will have kept the payload from running, should it not run.
    func expectFailure(_ failure: StepFailure) throws(SystemError) { try send(.expectedFailure(failure)) }

    /// A FIFO keeps no borders of packets: each has its length in front, two bytes.
    private func send(_ message: Message) throws(SystemError) {
        let packet = message.encode()
        let bytes = [UInt8(truncatingIfNeeded: packet.count), UInt8(truncatingIfNeeded: packet.count >> 8)] + packet
        try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in
            try Files.write(buffer, to: result, subject: Self.resultName)
        }
    }

    /// `start`: opens the gate and waits until the payload runs.
    /// - Parameter service: what takes the listener of a filter that notifies; nil for every other.
    /// - Returns: what went wrong in the container's process, or with the agent, if anything.
    static func open(
        folder: String, of pid: Int32, serving service: ListenerService? = nil
    ) throws(SystemError) -> StepFailure? {
        let result = try Files.open("\(folder)/\(resultName)", [.readOnly, .nonBlocking])
        let start: Descriptor
        do throws(SystemError) {
            start = try Files.open("\(folder)/\(startName)", [.writeOnly, .nonBlocking])
        } catch  where error.code == .noDeviceOrAddress {
            throw .refused("container process is already dead")
        }
        // The init and the agent are connected before the byte is written: as long as one is not there, `start` can be
        // retried.
        var meeting: ListenerHandover
        do throws(StepFailure) {
            meeting = try ListenerHandover.reach(service, at: "\(folder)/\(listenerName)")
        } catch {
            return error
        }
        try Files.write("1", to: start)
        try Files.remove("\(folder)/\(startName)")
        var bytes: [UInt8] = []
        var watch = HaltWatch(.process(pid))
        while true {
            let events = try Polling.wait(
                [(result.number, .readable), (meeting.number, .readable)], timeout: watch.limit())
            if !events[1].isEmpty { try meeting.serve() }
            if events[0].isEmpty, events[1].isEmpty, watch.hasLasted() { throw endHalted(pid) }
            guard !events[0].isEmpty, let more = try Terminals.readAvailable(result) else { continue }
            if more.isEmpty { break }
            bytes += more
        }
        try Files.remove("\(folder)/\(resultName)")
        return try judge(bytes, of: pid)
    }

    /// Kills an init that was halted: it is past its gate, so it could not be started once more.
    private static func endHalted(_ pid: Int32) -> SystemError {
        // One that went on just now is left alone, like any other that has the number meanwhile.
        if let process = try? Processes.open(pid), Processes.isHalted(pid) {
            try? Processes.send(.kill, to: process)
        }
        return Halt.failure
    }

    /// What the packets of the init say, now that it says no more.
    private static func judge(_ bytes: [UInt8], of pid: Int32) throws(SystemError) -> StepFailure? {
        var expectedFailure: StepFailure?
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.count < 2 ? 0 : Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
            rest = rest.dropFirst(2)
            switch Message(Array(rest.prefix(count))) {
            case .failed(let failure): return failure
            case .expectedFailure(let failure): expectedFailure = failure
            default: throw .refused("the container's report is garbled")
            }
            rest = rest.dropFirst(count)
        }
        // A filter may have forbidden the report, and the end of the FIFO can mean the init's end as well as the
        // program's start.
        return Processes.hasExecuted(pid) == false ? expectedFailure ?? .silent(nil) : nil
    }
}

extension StepFailure {
    /// The init ended instead of becoming its program, and could not say why.
    /// - Parameter call: what its filter forbids, and it would have needed.
    static func silent(_ call: String?, exitStatus: Int32 = 126) -> StepFailure {
        let cause = call.map { "linux.seccomp forbids \($0), by which it would have said why; allow it to learn more" }
        return StepFailure(
            .execute, .refused("it ended before its program ran: \(cause ?? "see linux.seccomp and the kernel's log")"),
            exitStatus: exitStatus)
    }
}
