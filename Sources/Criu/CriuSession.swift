package import Kernel
package import KernelTypes

/// Why CRIU did not do what it was asked.
package enum CriuFailure: Error, Sendable {
    /// It could not be started or talked to.
    case system(SystemError)
    /// It ended without an answer.
    case died(ExitReason)
    /// It answered that it failed.
    case refused(errorNumber: Int32?, message: String?)
    /// What it said is no answer.
    case garbled
}

/// A CRIU of our own: `criu swrk`, which takes requests on a socket and ends with it. CRIU's interface asks for packets
/// of protobuf, answers in the same, and tells in between what it is about to do.
package struct CriuSession: ~Copyable {
    private let process: ChildProcess
    /// Whether its process group is its own, in which the programs are that it calls.
    private let ownsGroup: Bool
    private var socket: Descriptor?
    /// What it said on its standard output and error, before it had a log.
    private let complaints: Descriptor

    /// How CRIU's process differs from this one.
    package struct Setting: Sendable {
        package let program: String
        /// Descriptors that it keeps by their numbers.
        package var kept: [Int32] = []
        /// Whether it keeps the standard streams and the session of this process.
        package var sharesTerminal = false
        /// Folders that it opens itself, by path, in the place of descriptors of this process that it inherits. CRIU
        /// finds folders in the process that made its socket; where it has mounts of its own, only folders that were
        /// opened there can be mounted on.
        package var reopened: [(path: String, number: Int32)] = []

        package init(program: String) { self.program = program }
    }

    private init(
        _ setting: Setting, process: consuming ChildProcess, socket: consuming Descriptor,
        complaints: consuming Descriptor
    ) {
        self.process = process
        ownsGroup = !setting.sharesTerminal
        self.socket = .some(socket)
        self.complaints = complaints
    }

    /// Starts CRIU.
    /// - Parameters:
    ///   - cgroup: where it starts.
    ///   - prepare: is called in the new process, which then becomes CRIU. What it throws is reported by ``ask(_:)``.
    package static func start(
        _ setting: Setting, cgroup: borrowing Descriptor?, prepare: () throws(SystemError) -> Void = {}
    ) throws(SystemError) -> CriuSession {
        let null = try Files.open("/dev/null", .readWrite)
        let complaints = try Files.memoryFile("CRIU's output")
        let pair = try Sockets.packetPair { Ends(ours: $0, theirs: $1) }
        let process = try Cloning.clone(cgroup: cgroup) {
            become(setting, pair.theirs, null: null, complaints: complaints, prepare)
        }
        if setting.reopened.isEmpty {
            return CriuSession(setting, process: process, socket: pair.intoOurs(), complaints: complaints)
        }
        let ours = pair.intoOurs()
        var first = try Sockets.receive(on: ours, limit: Self.limit)
        if let socket = first.descriptor.take() {
            return CriuSession(setting, process: process, socket: socket, complaints: complaints)
        }
        _ = try Processes.wait(process)
        throw .refused(
            first.bytes.isEmpty
                ? "CRIU's process has ended" : String(decoding: first.bytes.dropFirst(), as: UTF8.self))
    }

    private struct Ends: ~Copyable {
        let ours: Descriptor
        let theirs: Descriptor

        consuming func intoOurs() -> Descriptor { ours }
    }

    private static func become(
        _ setting: Setting, _ socket: borrowing Descriptor, null: borrowing Descriptor,
        complaints: borrowing Descriptor, _ prepare: () throws(SystemError) -> Void
    ) -> Never {
        do throws(SystemError) {
            try prepare()
            if !setting.sharesTerminal {
                try null.copy(to: 0)
                try complaints.copy(to: 1)
                try complaints.copy(to: 2)
                // Ctrl-C is for who calls it: ended in the middle, it would leave the container standing still.
                try Processes.newSession()
            }
            try InheritedDescriptors.closeOnExec(from: 3)
            if setting.reopened.isEmpty { try execute(setting, socket) }
            for folder in setting.reopened {
                try Files.open(folder.path, [.readOnly, .directory]).copy(to: folder.number)
            }
            let pair = try Sockets.packetPair { Ends(ours: $0, theirs: $1) }
            try [isStarted].withUnsafeBytesThrowing { bytes throws(SystemError) in
                try Sockets.send(bytes, descriptor: pair.ours, on: socket)
            }
            try execute(setting, pair.theirs)
        } catch {
            // No message of protobuf begins with this byte.
            let words = [notStarted] + Array(error.description.utf8)
            // Without it the end of the socket says that there is no CRIU.
            try? words.withUnsafeBytesThrowing { bytes throws(SystemError) in try Sockets.send(bytes, on: socket) }
        }
        Processes.exit(127)
    }

    private static func execute(_ setting: Setting, _ socket: borrowing Descriptor) throws(SystemError) {
        let image = ExecImage(
            path: setting.program, arguments: [setting.program, "swrk", "\(socket.number)"],
            environment: Processes.environment())
        try InheritedDescriptors.keepOnExec(setting.kept + setting.reopened.map { $0.number } + [socket.number])
        Signals.resetForProgram()
        throw SystemError("execve", setting.program, image.execute())
    }

    private static let isStarted: UInt8 = 1
    private static let notStarted: UInt8 = 0
    /// No answer is longer.
    private static let limit = 1 << 20

    package var pid: Int32 { process.pid }

    /// Sends a request, and waits for its answer.
    /// - Parameter notified: is told what CRIU does next, with the descriptor that it has sent along; throwing has CRIU
    ///   give up. What it throws is for the caller to keep.
    package func ask(
        _ request: CriuRequest,
        notified: (CriuNotification, consuming Descriptor?) throws(SystemError) -> Void = { _, _ in }
    ) throws(CriuFailure) -> CriuResponse {
        try send(request)
        while true {
            var packet = try receive()
            guard let response = CriuResponse(packet.bytes) else {
                if packet.bytes.first == Self.notStarted {
                    let words = String(decoding: packet.bytes.dropFirst(), as: UTF8.self)
                    throw .system(.refused(words))
                }
                throw packet.bytes.isEmpty ? .died(end()) : .garbled
            }
            guard response.isNotification, let notification = response.notification else {
                guard response.isSuccess else {
                    throw .refused(errorNumber: response.errorNumber, message: response.errorMessage)
                }
                return response
            }
            var answer = CriuRequest(.notify)
            do throws(SystemError) {
                try notified(notification, packet.descriptor.take())
                answer.isAccepted = true
            } catch {
                answer.isAccepted = false
            }
            try send(answer)
        }
    }

    private func send(_ request: CriuRequest) throws(CriuFailure) {
        do throws(SystemError) {
            try withSocket { socket throws(SystemError) in
                try request.bytes.withUnsafeBytesThrowing { bytes throws(SystemError) in
                    try Sockets.send(bytes, on: socket)
                }
            }
        } catch {
            // Its end shows when the answer is read.
            if error.code == .brokenPipe || error.code == .connectionReset { return }
            throw .system(error)
        }
    }

    /// The end of its process counts, not only that of the socket: processes that a killed CRIU was restoring have a
    /// copy of that, and wait for ever.
    private func receive() throws(CriuFailure) -> Packet {
        do throws(SystemError) {
            return try withSocket { socket throws(SystemError) in
                let ready = try Polling.wait([(socket.number, .readable), (process.pidfd.number, .readable)])
                if ready[0].isEmpty { throw SystemError("recv", "CRIU", .connectionReset) }
                return try Sockets.receive(on: socket, limit: Self.limit)
            }
        } catch {
            if error.code == .connectionReset { throw .died(end()) }
            throw .system(error)
        }
    }

    private func withSocket<Result: ~Copyable>(
        _ body: (borrowing Descriptor) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        switch socket {
        case .some(let socket): return try body(socket)
        case .none: throw SystemError("send", "CRIU", .badDescriptor)
        }
    }

    /// The end of a CRIU that has closed its socket, and of the programs that it has called: one that is still at work
    /// would hold the container's connections after they have been released.
    private func end() -> ExitReason {
        // Until it is waited for, its number is nobody else's.
        _ = try? Polling.wait([(process.pidfd.number, .readable)])
        if ownsGroup { try? Processes.killGroup(process.pid) }
        let reason = (try? Processes.wait(process)) ?? .exited(code: 1)
        var tries = ownsGroup ? 100 : 0
        while tries > 0, (try? Processes.killGroup(process.pid)) != nil {
            tries -= 1
            MonotonicClock.sleep(milliseconds: 10)
        }
        return reason
    }

    /// Ends the conversation, and waits until CRIU has ended, which it does by itself then.
    package mutating func finish() {
        _ = socket.take()
        // It was waited for already where it died.
        _ = try? Processes.wait(process)
    }

    /// What it said before it had a log.
    package var said: String {
        guard (try? Files.rewind(complaints)) != nil, let bytes = try? Files.read(complaints, limit: 1 << 20) else {
            return ""
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
