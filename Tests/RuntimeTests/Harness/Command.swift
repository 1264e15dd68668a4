import Foundation
import Glibc

/// How a command ended and what it wrote.
struct Outcome: CustomStringConvertible {
    let command: [String]
    /// The exit code; 128 + signal for one that was killed, as a shell counts; -1 for one that ran out of time.
    let status: Int
    let stdout: String
    let stderr: String

    /// The probe's lines `key=value`, unescaped; of a repeated key the last.
    var facts: Facts { Facts(stdout) }

    subscript(key: String) -> String? { facts[key] }

    /// The lines of stderr that are not empty.
    var complaints: [String] { stderr.split(separator: "\n").map(String.init) }

    var description: String {
        "`\(command.joined(separator: " "))` ended with \(status)\nstdout: \(stdout.prefix(2000))\nstderr: \(stderr.prefix(2000))"
    }
}

/// What a probe saw.
struct Facts: CustomStringConvertible {
    let text: String
    private let values: [String: String]

    init(_ text: String) {
        self.text = text
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = Facts.unescaped(line[line.index(after: equals)...])
        }
        self.values = values
    }

    subscript(key: String) -> String? { values[key] }

    /// All keys that begin with a prefix, without it.
    func keys(below prefix: String) -> [String] {
        values.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
    }

    /// A value split into its words.
    func words(_ key: String, separator: Character = " ") -> [String] {
        (values[key] ?? "").split(separator: separator).map(String.init)
    }

    var description: String { text }

    private static func unescaped(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let slash = rest.firstIndex(of: "\\") {
            result += rest[..<slash]
            rest = rest[rest.index(after: slash)...]
            switch rest.first {
            case "n": result += "\n"
            case "x":
                let digits = rest.dropFirst().prefix(2)
                if let byte = UInt8(digits, radix: 16) { result.unicodeScalars.append(Unicode.Scalar(byte)) }
                rest = rest.dropFirst(2)
            default: result += rest.prefix(1)
            }
            rest = rest.dropFirst()
        }
        return result + rest
    }
}

/// A process that was started and is not waited for yet. Its output goes to files, so that a container that lives on
/// with inherited descriptors blocks nobody.
final class Running {
    let pid: pid_t
    let command: [String]
    private let stdoutPath: String
    private let stderrPath: String
    private var ended: Int?

    init(pid: pid_t, command: [String], stdoutPath: String, stderrPath: String) {
        self.pid = pid
        self.command = command
        self.stdoutPath = stdoutPath
        self.stderrPath = stderrPath
    }

    var stdout: String { String(decoding: FileManager.default.contents(atPath: stdoutPath) ?? Data(), as: UTF8.self) }
    var stderr: String { String(decoding: FileManager.default.contents(atPath: stderrPath) ?? Data(), as: UTF8.self) }
    var facts: Facts { Facts(stdout) }

    /// Waits for the end; kills the process when it takes longer than a test may.
    func wait(seconds: Double = 30) -> Outcome {
        if !eventually(seconds, { self.hasEnded() }) {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            ended = -1
        }
        return Outcome(command: command, status: ended ?? -1, stdout: stdout, stderr: stderr)
    }

    func hasEnded() -> Bool {
        if ended != nil { return true }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return false }
        let signal = status & 0x7f
        ended = signal == 0 ? Int((status >> 8) & 0xff) : 128 + Int(signal)
        return true
    }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Waits until the standard output holds a text.
    func says(_ text: String, seconds: Double = 10) -> Bool {
        eventually(seconds) { self.stdout.contains(text) || (self.hasEnded() && self.stdout.contains(text)) }
    }
}

/// What a command is started with beside its words.
struct Surroundings {
    var environment: [String: String] = [:]
    var directory: String?
    /// Text for its standard input; `/dev/null` without.
    var input: String?
    /// Descriptors to be its 0, 1, 2, … ; a nil leaves the usual.
    var descriptors: [Int32?] = []
    /// A terminal that becomes its controlling one and its standard streams.
    var terminal: String?
    var ownSession = false
    /// Words before the runtime's: a program that changes something and then executes it.
    var prefix: [String] = []
}

enum SpawnError: Error, CustomStringConvertible {
    case failed([String], Int32)
    var description: String {
        switch self {
        case .failed(let command, let error): "cannot start \(command): \(String(cString: strerror(error)))"
        }
    }
}

/// Starts a program with nothing inherited but what `Surroundings` name.
func spawn(_ command: [String], output: String, _ surroundings: Surroundings = Surroundings()) throws -> Running {
    let stdoutPath = output + ".out"
    let stderrPath = output + ".err"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }

    var standard: [String] = ["/dev/null", stdoutPath, stderrPath]
    if let input = surroundings.input {
        standard[0] = output + ".in"
        try input.write(toFile: standard[0], atomically: false, encoding: .utf8)
    }
    if let terminal = surroundings.terminal { standard = [terminal, terminal, terminal] }
    for number in 0..<Int32(max(3, surroundings.descriptors.count)) {
        let given = Int(number) < surroundings.descriptors.count ? surroundings.descriptors[Int(number)] : nil
        if let given {
            let high = fcntl(given, F_DUPFD_CLOEXEC, 200)
            opened.append(high)
            posix_spawn_file_actions_adddup2(&actions, high, number)
        } else if number < 3 {
            let flags =
                surroundings.terminal != nil ? O_RDWR : number == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
            posix_spawn_file_actions_addopen(&actions, number, standard[Int(number)], flags, 0o644)
        }
    }
    _ = addClosingFrom(&actions, Int32(max(3, surroundings.descriptors.count)))
    if let directory = surroundings.directory { _ = addChangeOfDirectory(&actions, directory) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    if surroundings.ownSession || surroundings.terminal != nil { flags |= 0x80 }  // POSIX_SPAWN_SETSID
    posix_spawnattr_setflags(&attributes, flags)

    var environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    environment.merge(surroundings.environment) { $1 }
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
        for pointer in arguments { free(pointer) }
        for pointer in variables { free(pointer) }
    }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, &variables)
    guard error == 0 else { throw SpawnError.failed(command, error) }
    return Running(pid: pid, command: command, stdoutPath: stdoutPath, stderrPath: stderrPath)
}

/// Asks again until the answer is yes or the time is over.
func eventually(_ seconds: Double, _ condition: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    var pause: UInt32 = 500
    while true {
        if condition() { return true }
        if Date() > end { return false }
        usleep(pause)
        pause = min(pause * 2, 20_000)
    }
}

// glibc has these two for programs that define _GNU_SOURCE; Swift's module of it does not show them.
@_silgen_name("posix_spawn_file_actions_addchdir_np")
private func addChangeOfDirectory(
    _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ path: UnsafePointer<CChar>
) -> Int32

@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
private func addClosingFrom(
    _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ from: Int32
) -> Int32
