package import DBus
internal import Kernel
internal import KernelTypes

/// A connection to a bus, or directly to a service: asks, waits for the answer, and keeps those signals that are
/// awaited meanwhile.
///
/// Everything blocks, and nothing longer than its timeout.
package struct Connection: ~Copyable, Sendable {
    private let socket: Descriptor
    private var buffer: [UInt8]
    private var serial: UInt32 = 0
    /// The member whose signals are kept until they are asked for; all others are dropped.
    package var awaitedSignal: String?
    private var signals: [Message] = []

    /// Signals beyond this are dropped, the oldest first: nothing waits for them.
    private static let mostSignals = 1024

    private init(_ socket: consuming Descriptor, buffer: [UInt8]) {
        self.socket = socket
        self.buffer = buffer
    }

    /// Connects to a Unix socket and authenticates this process.
    /// - Parameters:
    ///   - isBus: whether a message bus listens there, which wants to be greeted, and not a service by itself.
    ///   - timeout: milliseconds.
    package static func open(_ path: String, isBus: Bool, timeout: Int64) throws(DBusError) -> Connection {
        let end = MonotonicClock.milliseconds + timeout
        var connection: Connection
        do throws(DBusError) {
            connection = try open(path, .named, timeout, until: end)
        } catch {
            guard case .notAuthenticated = error else { throw error }
            connection = try open(path, .unnamed, timeout, until: end)
        }
        if isBus {
            var hello = Message(.call)
            hello.destination = "org.freedesktop.DBus"
            hello.path = "/org/freedesktop/DBus"
            hello.interface = "org.freedesktop.DBus"
            hello.member = "Hello"
            _ = try connection.call(hello, timeout: max(end - MonotonicClock.milliseconds, 1))
        }
        return connection
    }

    private static func open(
        _ path: String, _ handshake: Handshake, _ timeout: Int64, until end: Int64
    ) throws(DBusError) -> Connection {
        let socket: Descriptor
        do throws(SystemError) {
            socket = try Sockets.connect(path, timeout: Int(timeout / 1000) + 1)
        } catch {
            throw .system(error)
        }
        var stream = Stream(socket, until: end)
        try handshake.run(&stream)
        let rest = stream.buffer
        return Connection(stream.intoSocket(), buffer: rest)
    }

    /// The end of this process's copy, in a child: the connection is the parent's.
    package func closeInChild() { socket.closeInChild() }

    /// Sends a call and waits for its answer.
    package mutating func call(_ message: Message, timeout: Int64) throws(DBusError) -> Message {
        var message = message
        serial += 1
        message.serial = serial
        let what = message.member ?? "call"
        let bytes = try message.encode()
        do throws(SystemError) {
            try Sockets.sendAll(bytes, on: socket)
        } catch {
            throw error.code == .brokenPipe ? .closed : .system(error)
        }
        let end = MonotonicClock.milliseconds + timeout
        while true {
            let received = try next(until: end, what)
            switch received.kind {
            case .answer where received.replySerial == message.serial: return received
            case .failure where received.replySerial == message.serial:
                throw .refused(name: received.errorName ?? "", message: received.body.first?.text ?? "")
            case .signal: keep(received)
            case .call, .answer, .failure: break  // nothing is offered here, and nothing else was asked
            }
        }
    }

    /// Waits for a signal, which may have come already.
    package mutating func signal(
        timeout: Int64, _ what: String, where isWanted: (Message) -> Bool
    ) throws(DBusError) -> Message {
        let end = MonotonicClock.milliseconds + timeout
        while true {
            if let index = signals.firstIndex(where: isWanted) { return signals.remove(at: index) }
            let received = try next(until: end, what)
            if received.kind == .signal { keep(received) }
        }
    }

    private mutating func keep(_ signal: Message) {
        guard signal.member == awaitedSignal else { return }
        if signals.count == Self.mostSignals { signals.removeFirst() }
        signals.append(signal)
    }

    private mutating func next(until end: Int64, _ what: String) throws(DBusError) -> Message {
        var needed = Message.headLength
        while true {
            if buffer.count >= needed {
                let length = try Message.length(of: Array(buffer.prefix(Message.headLength)))
                if buffer.count >= length {
                    let message = try Message(Array(buffer[..<length]))
                    buffer.removeSubrange(..<length)
                    return message
                }
                needed = length
            }
            buffer += try Stream.read(socket, until: end, what)
        }
    }
}

/// A socket as a row of bytes, with a moment at which waiting ends.
struct Stream: ~Copyable {
    private let socket: Descriptor
    private let end: Int64
    private(set) var buffer: [UInt8] = []

    init(_ socket: consuming Descriptor, until end: Int64) {
        self.socket = socket
        self.end = end
    }

    consuming func intoSocket() -> Descriptor { socket }

    func write(_ text: String) throws(DBusError) {
        do throws(SystemError) {
            try Sockets.sendAll(Array(text.utf8), on: socket)
        } catch {
            throw error.code == .brokenPipe ? .closed : .system(error)
        }
    }

    /// A line that ends with CR LF, without them.
    mutating func line() throws(DBusError) -> String {
        while true {
            if let feed = buffer.firstIndex(of: 10) {
                let line = buffer[..<feed]
                buffer.removeSubrange(...feed)
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            // The specification allows 16 KiB; no server says as much.
            guard buffer.count < 16384 else { throw .malformed("a line without an end") }
            buffer += try Self.read(socket, until: end, "authentication")
        }
    }

    /// What is there, or what comes next.
    static func read(_ socket: borrowing Descriptor, until end: Int64, _ what: String) throws(DBusError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(SystemError) {
            let left = end - MonotonicClock.milliseconds
            guard left > 0, try !Polling.wait([(socket.number, .readable)], timeout: Int32(clamping: left))[0].isEmpty
            else { throw SystemError("poll", "", .timedOut) }
            bytes = try Sockets.receiveBytes(on: socket, limit: 4096)
        } catch {
            throw error.code == .timedOut ? .timedOut(what) : .system(error)
        }
        if bytes.isEmpty { throw .closed }
        return bytes
    }
}
