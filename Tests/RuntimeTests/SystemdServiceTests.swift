import Foundation
import Glibc
import Testing

extension AllTests {
    /// A runtime that systemd has started as a service, with systemd itself
    @Suite(.needsSystemd)
    struct SystemdServices {
        private static let limits = #"{"memory": {"limit": 67108864}, "pids": {"limit": 23}}"#

        /// Begins `runbox WORDS` as the main process of a unit. A payload that is the first process of its namespace
        /// takes no notice of SIGTERM; SIGKILL follows.
        private func begin(_ box: Sandbox, _ properties: [String], _ words: [String]) throws -> Outcome {
            let own = ["systemd-run"] + (Systemd.isUser ? ["--user"] : []) + ["--quiet", "--unit", box.name]
            return try box.aside(
                own + (["TimeoutStopSec=1"] + properties).flatMap { ["-p", $0] } + [
                    Programs.runtime, "--root", box.root,
                ] + words,
                Systemd.surroundings
            ).wait()
        }

        private func cgroup(_ box: Sandbox) throws -> String {
            let pid = try box.state()["pid"] as? Int ?? 0
            return Leftovers.lines("/proc/\(pid)/cgroup").first { $0.hasPrefix("0::") } ?? ""
        }

        private func stop(_ box: Sandbox) throws {
            let pid = pid_t(try box.state()["pid"] as? Int ?? 0)
            #expect(try box.systemctl("stop", box.name).status == 0)
            #expect(kill(pid, 0) == -1, "the payload has ended with the unit")
            _ = try box.systemctl("reset-failed", box.name)
            try box.ok("delete", "--force", box.id)
        }

        @Test(arguments: ["no", "yes"], [nil, limits] as [String?])
        func thePayloadEndsWithTheUnit(delegate: String, limits: String?) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { config in
                config["linux.cgroupsPath"] = nil
                if let limits { try config.set("linux.resources", json: limits) }
            }
            let isInside = limits == nil || delegate == "yes"
            let begun = try begin(box, ["Delegate=\(delegate)"], ["run", "--bundle", bundle.directory, box.id])
            #expect(begun.status == 0, "\(begun)")
            #expect(box.becomes("running"))
            let place = try cgroup(box)
            #expect(place.contains("/\(box.name).service/") == isInside, "\(place)")
            if isInside {
                try stop(box)
            } else {
                try box.ok("delete", "--force", box.id)
                _ = try box.systemctl("stop", box.name)
            }
        }

        /// `Type=forking` with a detached run, and a start in what the last one has left.
        @Test func aDetachedServiceCanBeStartedAgain() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") {
                $0["linux.cgroupsPath"] = nil
                try $0.set("linux.resources", json: Self.limits)
            }
            for _ in 0..<2 {
                let begun = try begin(
                    box, ["Delegate=yes", "Type=forking", "RemainAfterExit=yes"],
                    ["run", "--detach", "--replace", "--bundle", bundle.directory, box.id])
                #expect(begun.status == 0, "\(begun)")
                #expect(box.becomes("running"))
                #expect(try cgroup(box).contains("/\(box.name).service/"))
                #expect(try box.systemctl("restart", box.name).status == 0)
                #expect(box.becomes("running"))
                #expect(try cgroup(box).contains("/\(box.name).service/"))
                try stop(box)
            }
        }

        @Test func aScopeIsOutsideAndSaysSo() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { $0["linux.cgroupsPath"] = nil }
            let log = box.path("log")
            let begun = try begin(
                box, [], ["--log", log, "--systemd-cgroup", "run", "--bundle", bundle.directory, box.id])
            #expect(begun.status == 0, "\(begun)")
            #expect(box.becomes("running"))
            let said = try String(contentsOfFile: log, encoding: .utf8)
            #expect(said.contains("outside of \(box.name).service"), "\(said)")
            try box.ok("delete", "--force", box.id)
            _ = try box.systemctl("stop", box.name)
        }
    }
}
