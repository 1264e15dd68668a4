internal import Errors
internal import Kernel
internal import KernelTypes

/// One end of the conversation between the runtime and the container's process.
struct Link: ~Copyable {
    private let socket: Descriptor

    init(_ socket: consuming Descriptor) { self.socket = socket }

    func send(_ message: Message) throws(SystemError) {
        let bytes = message.encode()
        try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in try Sockets.send(buffer, on: socket) }
    }

    func send(_ message: Message, descriptor: borrowing Descriptor) throws(SystemError) {
        let bytes = message.encode()
        try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in
            try Sockets.send(buffer, descriptor: descriptor, on: socket)
        }
    }

    /// The next packet; nil when the other end is gone.
    func receive() throws(SystemError) -> Received? { try receive(waits: true) }

    private func receive(waits: Bool) throws(SystemError) -> Received? {
        var packet = try nextPacket(waits)
        if packet.bytes.isEmpty { return nil }
        guard let message = Message(packet.bytes) else {
            throw .refused("the container's process sent a packet that is none")
        }
        return Received(message: message, descriptor: packet.descriptor.take())
    }

    /// An end that is closed with packets unread is reported once, ahead of what it had sent: the packets are still
    /// there (net/unix/af_unix.c, `sk_err`).
    private func nextPacket(_ waits: Bool) throws(SystemError) -> Packet {
        do throws(SystemError) {
            return try Sockets.receive(on: socket, limit: Message.limit, waits: waits)
        } catch  where error.code == .connectionReset {
            return try Sockets.receive(on: socket, limit: Message.limit, waits: waits)
        }
    }

    /// What the other end said of its failure before it went; nil where it said nothing. Does not wait.
    func lastFailure() -> StepFailure? {
        // Whatever cannot be read any more says nothing either.
        while let received = try? receive(waits: false) {
            if case .failed(let failure) = received.message { return failure }
        }
        return nil
    }

    /// The process's side of a filter that notifies: loads it, and returns when the agent has its listener. `execve`
    /// must be the next call.
    func load(_ filter: SeccompFilter) throws(SystemError) {
        try filter.program.load(flags: filter.flags, sending: Message.listener.encode(), on: socket)
    }

    /// Leaves the descriptor open until execve closes it: closing it earlier is a call that a filter may forbid.
    consuming func leaveToExec() { socket.leaveToExec() }

    /// Gives this end up.
    consuming func close() throws(SystemError) { try socket.close() }

    func closeInChild() { socket.closeInChild() }

    /// The number to wait for beside others.
    var number: Int32 { socket.number }
}

/// Both ends of a link, before there are two processes to hold them.
struct LinkPair: ~Copyable {
    let runtime: Link
    let container: Link
}

/// A packet with what travelled along.
struct Received: ~Copyable {
    let message: Message
    var descriptor: Descriptor?

    init(message: Message, descriptor: consuming Descriptor?) {
        self.message = message
        self.descriptor = descriptor
    }
}

/// What the container's process receives from the runtime.
extension Link {
    /// Waits for one packet that can only be this one.
    func expect(_ expected: Message) throws(SystemError) {
        guard try answer() == expected else { throw Self.outOfStep }
    }

    /// Waits for the seccomp filter; nil without a profile.
    func awaitFilter() throws(SystemError) -> SeccompFilter? {
        guard case .proceed(let program, let flags) = try answer() else { throw Self.outOfStep }
        return program.isEmpty ? nil : SeccompFilter(program: SeccompProgram(bytes: program), flags: flags)
    }

    private func answer() throws(SystemError) -> Message {
        guard let received = try receive() else { throw .refused("the runtime is gone") }
        return received.message
    }

    private static var outOfStep: SystemError { .refused("the runtime is out of step") }
}

extension SeccompFilter {
    /// Loads the filter; one that notifies, with its descriptor sent on the link and taken by the agent before this
    /// returns.
    func load(over link: borrowing Link) throws(SystemError) {
        if notifies { try link.load(self) } else { try program.load(flags: flags) }
    }
}
