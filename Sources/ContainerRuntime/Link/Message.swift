internal import Errors
internal import JSON
internal import KernelTypes

/// Every packet of the link between the runtime and the container's process; `docs/protocol.md` shows them in their
/// order.
///
/// | packet | from | carries | answered by |
/// |---|---|---|---|
/// | spawned | intermediate | the init's pidfd | – |
/// | placed | parent | – (with systemd: the intermediate process or init is in its cgroup) | – |
/// | acknowledged | parent | – (after an intermediate process, or when the user namespace has its mappings) | – |
/// | mapIDs | init | a bind mount of a source below the root, and which it is | acknowledged, when it is mapped |
/// | prepared | init | – | proceed |
/// | proceed | parent | seccomp program and flags | – |
/// | terminal | init | the controlling side of the terminal | – |
/// | warning | init | a sentence | – |
/// | ready | init | – | start (in `run`), or the FIFO of the start gate |
/// | recorded | parent (in `create`) | – | – (the init turns to its gate) |
/// | start | parent (in `run`) | – | end of the link at exec |
/// | expectedFailure | init | as failed: why the program will not run, should it not | – |
/// | listener | init | the seccomp listener's descriptor | acknowledged, when the agent has it |
/// | failed | intermediate, init | step, call or the text in its place, subject, errno, exit status | – |
enum Message: Sendable, Equatable {
    case spawned
    case acknowledged
    case prepared
    case proceed(program: [UInt8], flags: UInt32)
    case terminal
    case warning(String)
    case ready
    case recorded
    case start
    case expectedFailure(StepFailure)
    case listener
    case placed
    case mapIDs(mount: UInt32)
    case failed(StepFailure)

    /// The longest packet: a filter of 4096 instructions and a little.
    static let limit = 40 << 10

    /// Set in the number of a failed step where text stands in place of a call's name.
    fileprivate static let wordsMark: UInt8 = 0x80

    /// The packet's bytes: one for the kind, then the fields.
    func encode() -> [UInt8] {
        var bytes = Encoder()
        switch self {
        case .spawned: bytes.kind(1)
        case .acknowledged: bytes.kind(2)
        case .prepared: bytes.kind(3)
        case .proceed(let program, let flags):
            bytes.kind(4)
            bytes.number(flags)
            bytes.bytes += program
        case .terminal: bytes.kind(5)
        case .warning(let text):
            bytes.kind(6)
            bytes.text(text)
        case .ready: bytes.kind(7)
        case .start: bytes.kind(8)
        case .recorded: bytes.kind(10)
        case .listener: bytes.kind(11)
        case .placed: bytes.kind(12)
        case .mapIDs(let mount):
            bytes.kind(13)
            bytes.number(mount)
        case .failed(let failure):
            bytes.kind(9)
            bytes.failure(failure)
        case .expectedFailure(let failure):
            bytes.kind(20)
            bytes.failure(failure)
        }
        return bytes.bytes
    }

    /// Reads a packet; nil when it is none. The other end is our own code, but it has been among hostile files: nothing
    /// is taken on trust.
    init?(_ bytes: [UInt8]) {
        var decoder = Decoder(bytes: bytes)
        switch decoder.byte() {
        case 1: self = .spawned
        case 2: self = .acknowledged
        case 3: self = .prepared
        case 4:
            guard let flags = decoder.number() else { return nil }
            self = .proceed(program: decoder.rest(), flags: flags)
            return
        case 5: self = .terminal
        case 6:
            guard let text = decoder.text() else { return nil }
            self = .warning(text)
        case 7: self = .ready
        case 8: self = .start
        case 10: self = .recorded
        case 11: self = .listener
        case 12: self = .placed
        case 13:
            guard let mount = decoder.number() else { return nil }
            self = .mapIDs(mount: mount)
        case 9:
            guard let failure = decoder.failure() else { return nil }
            self = .failed(failure)
        case 20:
            guard let failure = decoder.failure() else { return nil }
            self = .expectedFailure(failure)
        default: return nil
        }
        guard decoder.isAtEnd else { return nil }
    }
}

private struct Encoder {
    var bytes: [UInt8] = []

    mutating func kind(_ value: UInt8) { bytes.append(value) }

    mutating func failure(_ failure: StepFailure) {
        bytes.append(failure.step.rawValue | (failure.cause.words == nil ? 0 : Message.wordsMark))
        number(UInt32(bitPattern: failure.exitStatus))
        number(UInt32(bitPattern: failure.cause.code.rawValue))
        text(failure.cause.operation)
        text(failure.cause.subject)
    }

    mutating func number(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Text that is cut where it is absurdly long: a path is at most 4096 bytes.
    mutating func text(_ value: String) {
        let content = value.utf8.prefix(8192)
        number(UInt32(content.count))
        bytes.append(contentsOf: content)
    }
}

private struct Decoder {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func failure() -> StepFailure? {
        guard let mark = byte(), let step = Step(rawValue: mark & ~Message.wordsMark), let status = number(),
            let errno = number(), let operation = text(), let subject = text()
        else { return nil }
        let code = Errno(rawValue: Int32(bitPattern: errno))
        let isWorded = mark & Message.wordsMark != 0
        let cause: SystemError = isWorded ? .failed(operation, subject, code) : SystemError(operation, subject, code)
        return StepFailure(step, cause, exitStatus: Int32(bitPattern: status))
    }

    mutating func number() -> UInt32? {
        guard bytes.count - position >= 4 else { return nil }
        defer { position += 4 }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
    }

    mutating func text() -> String? {
        guard let count = number(), bytes.count - position >= Int(count) else { return nil }
        defer { position += Int(count) }
        return String(decoding: bytes[position..<(position + Int(count))], as: UTF8.self)
    }

    mutating func rest() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }
}
