import Foundation
import Glibc
import Testing

/// Where the programs under test are.
enum Programs {
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The runtime: `RUNBOX`, or the package's release build.
    static let runtime = ProcessInfo.processInfo.environment["RUNBOX"] ?? package + "/build/runbox"

    /// The first word of `--version`: the tests also run, with expected failures, against other runtimes.
    static let runtimeName: String = {
        let output = NSTemporaryDirectory() + "rbt-version-\(getpid())"
        defer { for end in [".out", ".err"] { unlink(output + end) } }
        let words = try? spawn([runtime, "--version"], output: output).wait().stdout.split(separator: " ")
        return words?.first.map(String.init) ?? "runbox"
    }()

    /// The static program inside the containers: `RUNBOX_PROBE`, or compiled here once.
    static let probe: Result<String, any Error> = Result {
        if let given = ProcessInfo.processInfo.environment["RUNBOX_PROBE"] { return given }
        return try compile("probe.c")
    }

    private static func compile(_ name: String) throws -> String {
        let source = package + "/Tests/Probe/" + name
        let changed = try FileManager.default.attributesOfItem(atPath: source)[.modificationDate] as? Date
        let stamp = Int((changed?.timeIntervalSince1970 ?? 0) * 1000)
        let folder = NSTemporaryDirectory() + "runbox-test-programs-\(getuid())"
        let program = "\(folder)/\(name)-\(stamp)"
        if FileManager.default.fileExists(atPath: program) { return program }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let draft = program + ".\(getpid())"
        let outcome = try spawn(["cc", "-O2", "-static", "-o", draft, source], output: draft).wait(seconds: 120)
        for end in [".out", ".err"] { unlink(draft + end) }
        guard outcome.status == 0 else { throw Trouble(outcome.description) }
        rename(draft, program)
        return program
    }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One test's place: a folder of its own with the state folder, the bundles and the outputs. Every test gets a fresh
/// one as `Sandbox.current`; when the test is over its containers are deleted and the host is searched for what was
/// left.
final class Sandbox: @unchecked Sendable {
    @TaskLocal static var ambient: Sandbox?
    static var current: Sandbox {
        get throws {
            guard let ambient else { throw Trouble("a test outside of `AllTests`: it has no sandbox") }
            return ambient
        }
    }

    private static let counter = Counter()

    let name: String
    let directory: String
    /// The `--root` of every command.
    let root: String
    private var commands = 0
    private var bundles = 0
    private var started: [Running] = []

    init() throws {
        name = "rbt\(getpid())x\(Sandbox.counter.next())"
        directory = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path + "/" + name
        root = directory + "/root"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        chmod(directory, 0o755)
    }

    /// The default container's name.
    var id: String { name }

    /// A container's name of the test's own.
    func id(_ suffix: String) -> String { name + suffix }

    func path(_ name: String) -> String { directory + "/" + name }

    @discardableResult
    func file(_ name: String, _ content: String = "", mode: mode_t = 0o644) throws -> String {
        let path = path(name)
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try content.write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, mode)
        return path
    }

    @discardableResult
    func folder(_ name: String, mode: mode_t = 0o755) throws -> String {
        let path = path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, mode)
        return path
    }

    // MARK: Bundles

    /// A bundle whose process is `/probe` with verbs.
    func bundle(_ verbs: String..., edit: (inout Config) throws -> Void = { _ in }) throws -> Bundle {
        try bundle(args: ["/probe"] + verbs, edit: edit)
    }

    func bundle(args: [String], edit: (inout Config) throws -> Void = { _ in }) throws -> Bundle {
        bundles += 1
        let bundle = try Bundle(directory: path("bundle\(bundles == 1 ? "" : String(bundles))"))
        var config = Config(args: args)
        try edit(&config)
        try bundle.write(config)
        return bundle
    }

    // MARK: Commands

    /// Starts the runtime; the words are what follows the program's name.
    func begin(_ words: [String], _ surroundings: Surroundings = Surroundings()) throws -> Running {
        commands += 1
        var surroundings = surroundings
        surroundings.environment["RUNBOX_TEST"] = name
        if surroundings.directory == nil { surroundings.directory = directory }
        let running = try spawn(
            surroundings.prefix + [Programs.runtime] + words, output: path("command\(commands)"), surroundings)
        started.append(running)
        return running
    }

    /// Runs the runtime to its end, without any flag added.
    func plain(_ words: [String], _ surroundings: Surroundings = Surroundings()) throws -> Outcome {
        try begin(words, surroundings).wait()
    }

    /// Runs `runbox --root ROOT WORDS…` to its end.
    @discardableResult
    func runtime(_ words: String..., with surroundings: Surroundings = Surroundings()) throws -> Outcome {
        try plain(["--root", root] + words, surroundings)
    }

    /// Starts another program that ends with the test.
    func aside(_ command: [String], _ surroundings: Surroundings = Surroundings()) throws -> Running {
        commands += 1
        var surroundings = surroundings
        surroundings.environment["RUNBOX_TEST"] = name
        let running = try spawn(command, output: path("command\(commands)"), surroundings)
        started.append(running)
        return running
    }

    /// `run`, in the foreground.
    func run(
        _ bundle: Bundle, id: String? = nil, flags: [String] = [], global: [String] = [],
        with surroundings: Surroundings = Surroundings()
    ) throws -> Outcome {
        try plain(
            ["--root", root] + global + ["run", "--bundle", bundle.directory] + flags + [id ?? self.id], surroundings)
    }

    /// `run` that is not waited for.
    func runAside(
        _ bundle: Bundle, id: String? = nil, flags: [String] = [], with surroundings: Surroundings = Surroundings()
    ) throws -> Running {
        try begin(["--root", root, "run", "--bundle", bundle.directory] + flags + [id ?? self.id], surroundings)
    }

    /// `create`; what the container prints later is in the result.
    func create(
        _ bundle: Bundle, id: String? = nil, flags: [String] = [], with surroundings: Surroundings = Surroundings()
    ) throws -> Running {
        let running = try begin(
            ["--root", root, "create", "--bundle", bundle.directory] + flags + [id ?? self.id], surroundings)
        let outcome = running.wait()
        guard outcome.status == 0 else { throw Trouble(outcome.description) }
        return running
    }

    /// Runs a command that must succeed.
    @discardableResult
    func ok(_ words: String..., location: SourceLocation = #_sourceLocation) throws -> Outcome {
        let outcome = try plain(["--root", root] + words)
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: location)
        return outcome
    }

    func state(_ id: String? = nil) throws -> [String: Any] {
        let outcome = try runtime("state", id ?? self.id)
        guard outcome.status == 0 else { throw Trouble(outcome.description) }
        let value = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8))
        return value as? [String: Any] ?? [:]
    }

    func status(_ id: String? = nil) throws -> String { try state(id)["status"] as? String ?? "" }

    /// Waits until the container has a status.
    func becomes(_ status: String, id: String? = nil) -> Bool {
        eventually(10) { (try? self.status(id)) == status }
    }

    /// Runs a probe in a fresh container; the container must end with 0.
    func look(
        _ verbs: String..., flags: [String] = [], with surroundings: Surroundings = Surroundings(),
        location: SourceLocation = #_sourceLocation, edit: (inout Config) throws -> Void = { _ in }
    ) throws -> Facts {
        let outcome = try run(try bundle(args: ["/probe"] + verbs, edit: edit), flags: flags, with: surroundings)
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: location)
        #expect(outcome.stderr == "", "a container that works says nothing", sourceLocation: location)
        return outcome.facts
    }

    /// Runs a container that must be refused, by one line, with nothing left behind; the line.
    @discardableResult
    func refuse(
        _ verbs: String..., flags: [String] = [], status: Int = 1, location: SourceLocation = #_sourceLocation,
        edit: (inout Config) throws -> Void = { _ in }
    ) throws -> String {
        let bundle = try bundle(args: ["/probe"] + (verbs.isEmpty ? ["say:it ran"] : verbs), edit: edit)
        return try refused(try run(bundle, flags: flags), status: status, location: location)
    }

    /// Checks that an outcome is a clean refusal; its one line.
    @discardableResult
    func refused(_ outcome: Outcome, status: Int = 1, location: SourceLocation = #_sourceLocation) throws -> String {
        #expect(outcome.status == status, "\(outcome)", sourceLocation: location)
        #expect(!outcome.stdout.contains("it ran"), "it ran all the same", sourceLocation: location)
        let errors = outcome.complaints.filter { !$0.contains("warning") }
        #expect(errors.count == 1, "one line on stderr, not \(errors)", sourceLocation: location)
        expectNothingLeft(location: location)
        return errors.first ?? ""
    }

    // MARK: The end

    func expectNothingLeft(location: SourceLocation = #_sourceLocation) {
        let left = Leftovers.settle(of: self)
        #expect(left.isEmpty, "left on the host: \(left.joined(separator: "; "))", sourceLocation: location)
    }

    /// Ends what still runs, deletes the containers that a test leaves on purpose.
    func close() {
        for running in started where !running.hasEnded() {
            running.signal(SIGKILL)
            _ = running.wait(seconds: 5)
        }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        // A service first: it would make another container.
        for entry in services + entries where !entry.hasPrefix(".") {
            // Nobody deletes what is in somebody else's state root, root neither.
            var status = stat()
            let isMine = stat(root, &status) != 0 || status.st_uid == geteuid()
            _ = try? runtime(
                "delete", "--force", entry, with: Surroundings(prefix: isMine ? [] : OrdinaryUser.prefix))
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }
}

/// A bundle's folder: config.json and a root file system with busybox and the probe.
struct Bundle {
    let directory: String
    var rootfs: String { directory + "/rootfs" }
    var configPath: String { directory + "/config.json" }

    private static let applets = ["sh", "true", "false", "cat", "sleep", "id", "ls", "env"]

    init(directory: String) throws {
        self.directory = directory
        let manager = FileManager.default
        for folder in ["bin", "proc", "sys", "dev", "tmp", "etc", "home/service"] {
            try manager.createDirectory(atPath: directory + "/rootfs/" + folder, withIntermediateDirectories: true)
        }
        try Bundle.place(try Programs.probe.get(), at: rootfs + "/probe")
        try Bundle.place(try Bundle.busybox(), at: rootfs + "/bin/busybox")
        for applet in Bundle.applets { symlink("busybox", rootfs + "/bin/" + applet) }
        try write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nservice:x:1000:1000:service:/home/service:/bin/sh\n")
        try write("etc/group", "root:x:0:\nservice:x:1000:\n")
    }

    /// Gives the root file system to another owner: the root of a user namespace.
    func chown(to id: Int) throws {
        let all = FileManager.default.enumerator(atPath: rootfs)
        lchown(rootfs, uid_t(id), gid_t(id))
        while let path = all?.nextObject() as? String { lchown(rootfs + "/" + path, uid_t(id), gid_t(id)) }
    }

    func write(_ config: Config) throws { try config.data().write(to: URL(fileURLWithPath: configPath)) }

    func write(text: String) throws { try text.write(toFile: configPath, atomically: false, encoding: .utf8) }

    /// A file below the root file system.
    func write(_ path: String, _ content: String, mode: mode_t = 0o644) throws {
        try content.write(toFile: rootfs + "/" + path, atomically: false, encoding: .utf8)
        chmod(rootfs + "/" + path, mode)
    }

    private static func place(_ program: String, at path: String) throws {
        // A copy of its own: what a container does to it must not reach another one's.
        try FileManager.default.copyItem(atPath: program, toPath: path)
        chmod(path, 0o755)
    }

    private static func busybox() throws -> String {
        for path in ["/bin/busybox", "/usr/bin/busybox", "/usr/sbin/busybox"]
        where FileManager.default.fileExists(atPath: path) { return path }
        throw Trouble("busybox is missing: apt-get install busybox-static")
    }
}

final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0
    func next() -> Int {
        lock.withLock {
            value += 1; return value
        }
    }
}
