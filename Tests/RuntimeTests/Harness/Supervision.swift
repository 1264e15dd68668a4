import Foundation
import Glibc
import Testing

/// Services: containers with a supervisor.
extension Sandbox {
    /// The names in the state root's folder of services.
    var services: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: root + "/.services")) ?? []
    }

    /// A folder that the host and the payload of ``service(_:_:edit:)`` share; the payload has it as `/shared`.
    var shared: String { path("shared") }

    /// A bundle whose process is a shell script.
    func service(
        _ settings: [String: String] = [:], _ script: String, edit: (inout Config) throws -> Void = { _ in }
    ) throws -> Bundle {
        try folder("shared", mode: 0o777)
        return try bundle(args: ["/bin/sh", "-c", script]) { config in
            if !settings.isEmpty {
                config["annotations"] = Dictionary(
                    uniqueKeysWithValues: settings.map { ("org.runbox.service.\($0.key)", $0.value) })
            }
            config.addMount("/shared", type: "bind", source: self.shared, options: ["bind", "rw"])
            config.addMount("/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"])
            try edit(&config)
        }
    }

    /// `run --detach`, which must succeed.
    @discardableResult
    func detached(
        _ bundle: Bundle, _ flags: [String] = [], with surroundings: Surroundings = Surroundings(),
        location: SourceLocation = #_sourceLocation
    ) throws -> Running {
        let running = try runAside(bundle, flags: ["--detach", "--log", "inherit"] + flags, with: surroundings)
        let outcome = running.wait()
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: location)
        return running
    }

    /// The object `service` of the state; empty where there is none.
    func serviceState(of id: String? = nil) -> [String: Any] {
        (try? state(id))?["service"] as? [String: Any] ?? [:]
    }

    /// What lines of `events` say of services.
    func services(in text: String) -> [[String: Any]] {
        text.split(separator: "\n").compactMap { line in
            let event = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            return event?["type"] as? String == "service" ? event?["data"] as? [String: Any] : nil
        }
    }

    var serviceStatus: String { serviceState()["status"] as? String ?? "" }
    var restarts: Int { serviceState()["restarts"] as? Int ?? -1 }

    func serviceBecomes(_ status: String, seconds: Double = 10) -> Bool {
        eventually(seconds) { self.serviceStatus == status }
    }

    func hasRestarted(_ times: Int, seconds: Double = 20) -> Bool {
        eventually(seconds) { self.restarts >= times && self.serviceStatus == "running" }
    }

    /// The supervisor's process, by what is written down.
    var supervisor: pid_t {
        pid_t((serviceState()["supervisor"] as? [String: Any])?["pid"] as? Int ?? -1)
    }

    var payload: pid_t { pid_t((try? state())?["pid"] as? Int ?? 0) }

    /// Kills the supervisor, and waits until it is gone.
    func killSupervisor(location: SourceLocation = #_sourceLocation) {
        let pid = supervisor
        guard pid > 1 else {
            Issue.record("there is no supervisor", sourceLocation: location)
            return
        }
        kill(pid, SIGKILL)
        #expect(
            eventually(5) { self.serviceStatus != "running" && !Self.lives(pid) }, "it is gone",
            sourceLocation: location)
    }

    /// Whether a process is there and no zombie.
    static func lives(_ pid: pid_t) -> Bool {
        guard let status = Leftovers.lines("/proc/\(pid)/stat").first else { return false }
        return !status.contains(") Z ") && !status.contains(") X ")
    }

    /// `stop` and `delete`: what remains is nothing.
    func away(location: SourceLocation = #_sourceLocation) throws {
        try ok("stop", "--timeout", "0.2", id, location: location)
        try ok("delete", "--force", id, location: location)
        expectNothingLeft(location: location)
    }

    func sharedText(_ name: String) -> String {
        (try? String(contentsOfFile: shared + "/" + name, encoding: .utf8)) ?? ""
    }

    func sharedLines(_ name: String) -> Int { sharedText(name).split(separator: "\n").count }
}
