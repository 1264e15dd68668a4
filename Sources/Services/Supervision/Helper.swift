internal import Kernel
internal import KernelTypes

/// A process that does one thing for the supervisor and ends: whatever it needs of memory and descriptors for that goes
/// with it.
struct Helper: ~Copyable {
    enum Task: Sendable, Equatable {
        /// Makes a container and starts it.
        case start
        /// Takes a container down that has ended.
        case end
        /// Asks a payload how it is.
        case check
    }

    let task: Task
    let process: ChildProcess
    private let report: Descriptor
    private var bytes: [UInt8] = []

    /// More is not read: it would be memory of the supervisor's.
    private static let most = 64 << 10

    init(_ task: Task, _ process: consuming ChildProcess, report: consuming Descriptor) {
        self.task = task
        self.process = process
        self.report = report
    }

    var number: Int32 { report.number }

    /// Takes in what it has said.
    mutating func read() {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while let count = try? Pipes.read(report, into: &chunk), count > 0 {
            if bytes.count < Self.most { bytes += chunk.prefix(count) }
        }
    }

    /// What it has said by now, and forgets it.
    mutating func takeLines() -> [Report] {
        read()
        defer { bytes = [] }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { Report(Array($0)) }
    }

    func send(_ signal: Signal) {
        try? Processes.send(signal, to: process.pidfd)  // it may have ended
    }
}

/// One line of what a helper says.
enum Report: Sendable, Equatable {
    /// The payload runs.
    case started(pid: Int32, startTime: UInt64)
    /// With the exit status that `run` has for it.
    case failed(status: Int32, String)
    case warning(String)
    /// How the payload has ended, as JSON.
    case exit([UInt8])

    init?(_ line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self)
        let words = text.parts(by: " ", keepingEmpty: true, most: 3)
        guard words.count >= 2 else { return nil }
        switch words[0] {
        case "started":
            guard words.count == 3, let pid = Int32(words[1]), let time = UInt64(words[2]) else { return nil }
            self = .started(pid: pid, startTime: time)
        case "failed":
            guard words.count == 3, let status = Int32(words[1]) else { return nil }
            self = .failed(status: status, words[2])
        case "warning": self = .warning(text.rest(after: "warning ") ?? "")
        case "exit": self = .exit(Array(line.dropFirst("exit ".utf8.count)))
        default: return nil
        }
    }

    var line: String {
        switch self {
        case .started(let pid, let time): "started \(pid) \(time)\n"
        case .failed(let status, let text): "failed \(status) \(printable(text))\n"
        case .warning(let text): "warning \(printable(text))\n"
        case .exit(let json): "exit \(String(decoding: json, as: UTF8.self))\n"
        }
    }

    func send(on pipe: borrowing Descriptor) { send(onNumber: pipe.number) }

    func send(onNumber number: Int32) {
        // Whoever listened may have gone: then there is nobody to tell.
        try? Files.write(line, toNumber: number)
    }
}

/// A pipe between two of the supervisor's processes.
struct ReportPipe: ~Copyable {
    let reading: Descriptor
    let writing: Descriptor

    static func make() throws(SystemError) -> ReportPipe {
        try Pipes.pair { ReportPipe(reading: $0, writing: $1) }
    }
}
