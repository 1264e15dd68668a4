import ContainerRuntime
import Foundation

/// `Supervisor ROOT BUNDLE...`: runs each bundle as a service under its folder's name, with its output in the bundle's
/// file `log`. A service that fails is started again, up to three times. SIGTERM and SIGINT end all of them. Needs
/// root.
@main
enum Supervisor {
    static func main() {
        let words = CommandLine.arguments
        guard words.count >= 3 else {
            complain("usage: Supervisor ROOT BUNDLE...")
            exit(2)
        }
        do throws(RuntimeError) {
            // First of all: from here on, no container can get at this program's own file (CVE-2019-5736).
            try SealedExecutable.ensure(arguments: words)
            exit(try supervise(words.dropFirst(2), root: words[1]) ? 0 : 1)
        } catch {
            complain("\(error)")
            exit(error.exitStatus)
        }
    }

    /// - Returns: whether every service ended well.
    private static func supervise(_ bundles: ArraySlice<String>, root: String) throws(RuntimeError) -> Bool {
        for number in [SIGTERM, SIGINT] { signal(number) { _ in stopRequested = true } }
        var services: [Service] = []
        // Whatever happens from here on, nothing of the containers stays behind.
        defer { for service in services { service.remove() } }
        for path in bundles {
            var service = try Service(path, root: root)
            try service.start()
            services.append(service)
        }
        while !stopRequested, services.contains(where: { $0.pidfd != nil }) {
            // One wait for all: a pidfd becomes readable when its process ends. A signal interrupts it.
            var waiting = services.map { pollfd(fd: $0.pidfd ?? -1, events: Int16(POLLIN), revents: 0) }
            guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { continue }
            for index in services.indices where waiting[index].revents != 0 { try services[index].ended() }
        }
        for index in services.indices { try services[index].stop() }
        return services.allSatisfy { $0.status == 0 || stopRequested }
    }

    static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    static func complain(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
}

/// Set by the handler of SIGTERM and SIGINT.
nonisolated(unsafe) private var stopRequested = false

/// One service: a bundle, and the container that it runs in at the moment.
struct Service {
    let bundle: ContainerBundle
    let container: Container
    private let log: Int32
    /// Of the running container; nil where the service does not run any more.
    private(set) var pidfd: Int32?
    /// What it ended with last.
    private(set) var status: Int32?
    private var restarts = 0

    init(_ path: String, root: String) throws(RuntimeError) {
        bundle = try ContainerBundle(path)
        let name = try ContainerID(URL(fileURLWithPath: bundle.path).lastPathComponent)
        container = Container(name, store: Store(root: root))
        log = open("\(bundle.path)/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    }

    mutating func start() throws(RuntimeError) {
        var options = LaunchOptions()
        options.streams = StandardStreamOptions(output: log, error: log)
        try container.create(bundle, options: options) { Supervisor.complain("warning: \($0)") }
        // Opened before the start: a service that ends at once is not missed.
        pidfd = try container.pidfd()
        try container.start()
        Supervisor.say("\(container.id) runs as process \(try container.state().pid)")
    }

    /// The service has ended: keeps its status, removes the container, and starts it again where it failed.
    mutating func ended() throws(RuntimeError) {
        let status = try container.wait(timeout: .seconds(10))
        closeHandle()
        let exit = try container.state().exit
        try container.delete()
        self.status = status
        Supervisor.say(
            "\(container.id) ended with \(status)\(exit?.wasKilledForMemory == true ? ", out of memory" : "")")
        guard status != 0, restarts < 3 else { return }
        restarts += 1
        try start()
    }

    /// Asks the service to end, and kills it when it has not within ten seconds.
    mutating func stop() throws(RuntimeError) {
        guard pidfd != nil else { return }
        do throws(RuntimeError) {
            try container.kill(.terminate)
            status = try container.wait(timeout: .seconds(10))
        } catch .timedOut {
            try container.kill(.kill, all: true)
        }
        closeHandle()
        try container.delete(force: true)
        Supervisor.say("\(container.id) was stopped")
    }

    private mutating func closeHandle() {
        if let pidfd { close(pidfd) }
        pidfd = nil
    }

    /// Best effort: of a container that is gone already nothing is left to remove.
    func remove() { try? container.delete(force: true) }
}
