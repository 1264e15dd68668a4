import Foundation
import Glibc
import Testing

/// The systemd of this host that answers this user: root's is the system's.
enum Systemd {
    static let isUser = geteuid() != 0

    static let isHere: Bool = {
        guard FileManager.default.fileExists(atPath: "/run/systemd/system") else { return false }
        let output = NSTemporaryDirectory() + "rbt-systemd-\(getpid())"
        defer { for end in [".out", ".err"] { unlink(output + end) } }
        let outcome = try? spawn(command(["show", "-p", "Version"]), output: output, surroundings).wait()
        return outcome?.status == 0
    }()

    /// A user's manager is found by the environment.
    static var surroundings: Surroundings {
        var surroundings = Surroundings()
        let all = ProcessInfo.processInfo.environment
        for name in ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"] { surroundings.environment[name] = all[name] }
        return surroundings
    }

    static func command(_ words: [String]) -> [String] { ["systemctl"] + (isUser ? ["--user"] : []) + words }
}

extension Sandbox {
    func systemctl(_ words: String...) throws -> Outcome {
        try aside(Systemd.command(words), Systemd.surroundings).wait()
    }

    /// Properties of a unit, as `systemctl show` prints them.
    func show(_ unit: String, _ names: String...) throws -> [String: String] {
        let outcome = try systemctl("show", unit, "-p", names.joined(separator: ","))
        var values: [String: String] = [:]
        for line in outcome.stdout.split(separator: "\n") {
            let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { values[String(pair[0])] = String(pair[1]) }
        }
        return values
    }

    func scope(_ words: [String]) throws -> Outcome {
        try plain(["--root", root, "--systemd-cgroup"] + words, Systemd.surroundings)
    }

    /// A bundle that this user can run.
    func scoped(_ verbs: String..., edit: (inout Config) throws -> Void = { _ in }) throws -> Bundle {
        try bundle(args: ["/probe"] + verbs) { config in
            config["linux.cgroupsPath"] = ":rbt:\(self.id)"
            try edit(&config)
        }
    }

    /// `create` and `start`; the scope's cgroup.
    func begun(_ bundle: Bundle) throws -> String {
        let running = try begin(
            ["--root", root, "--systemd-cgroup", "create", "--bundle", bundle.directory, id], Systemd.surroundings)
        let outcome = running.wait()
        guard outcome.status == 0 else { throw Trouble(outcome.description) }
        try ok("start", id)
        return try show(unit, "ControlGroup")["ControlGroup"] ?? ""
    }

    var unit: String { "rbt-\(id).scope" }

    func expectNoUnit(location: SourceLocation = #_sourceLocation) throws {
        let units = try systemctl("list-units", "--all", "--no-legend", "--plain", "*\(id)*").stdout
        #expect(units == "", "units are left", sourceLocation: location)
    }
}
