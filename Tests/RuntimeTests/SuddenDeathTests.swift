import Foundation
import Glibc
import Testing

extension AllTests {
    /// kill -9 of the runtime at a random moment of a command: `delete --force` clears up what it left.
    @Suite struct SuddenDeath {
        /// Four commands of fifty rounds: two hundred deaths. In the virtual machines half of them with each manager
        /// of cgroups.
        static let rounds = ProcessInfo.processInfo.environment["RUNBOX_VM"] == nil ? 50 : 25
        /// Below systemd the containers are scopes of it.
        static let global = Systemd.isHere ? ["--systemd-cgroup"] : []

        /// A container with something of everything that leaves traces: deep cgroup, hooks, a filter to be cached,
        /// mounts.
        private func bundle(_ box: Sandbox, round: Int) throws -> Bundle {
            try box.bundle("hang") {
                $0["linux.cgroupsPath"] = Systemd.isHere ? ":\(box.name):\(round)" : "/\(box.name)-cgroup/\(round)/deep"
                $0["hooks.createRuntime"] = [["path": "/bin/true"]]
                $0["hooks.poststop"] = [["path": "/bin/true"]]
                $0.addMount("/volume", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"])
                // Another filter each time, so that none is in the cache.
                $0["linux.seccomp"] = [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [["names": ["mlock2"], "action": "SCMP_ACT_ERRNO", "errnoRet": round + 1]],
                ]
                if round % 2 == 1 { $0.userNamespace() }
            }
        }

        private func prepare(_ box: Sandbox, _ command: String, _ bundle: Bundle, _ id: String) throws -> [String] {
            if command == "create" { return Self.global + ["create", "--bundle", bundle.directory, id] }
            let create = Self.global + ["create", "--bundle", bundle.directory, id]
            #expect(try box.plain(["--root", box.root] + create).status == 0)
            if command != "start" { try box.ok("start", id) }
            switch command {
            case "exec": return ["exec", id, "/probe", "hang"]
            case "delete": return ["delete", "--force", id]
            default: return ["start", id]
            }
        }

        /// How long the command takes when it is left in peace, in microseconds; an exec, until its process runs.
        private func duration(_ box: Sandbox, _ command: String) throws -> UInt32 {
            let bundle = try bundle(box, round: Self.rounds)
            try bundle.chown(to: 100_000)
            let words = try prepare(box, command, bundle, box.id)
            let start = Date()
            let running = try box.begin(["--root", box.root] + words)
            if command == "exec" {
                #expect(running.says("ready"))
            } else {
                #expect(running.wait().status == 0)
            }
            let time = UInt32(Date().timeIntervalSince(start) * 1_000_000)
            try box.ok("delete", "--force", box.id)
            _ = running.wait()
            return time
        }

        @Test(arguments: ["create", "start", "exec", "delete"])
        func aRuntimeKilledAtAnyMomentLeavesARemovableContainer(command: String) throws {
            let box = try Sandbox.current
            let limit = try (0..<3).map { _ in try duration(box, command) }.min() ?? 0
            var cut = 0
            for round in 0..<Self.rounds {
                let bundle = try bundle(box, round: round)
                try bundle.chown(to: 100_000)
                let id = box.id("-\(round)")
                let words = try prepare(box, command, bundle, id)
                let delay = UInt32.random(in: 0...limit)
                let running = try box.begin(["--root", box.root] + words)
                usleep(delay)
                running.signal(SIGKILL)
                if running.wait().status == 137 { cut += 1 }
                let outcome = try box.runtime("delete", "--force", id)
                #expect(outcome.status == 0, "round \(round), after \(delay) µs of \(limit): \(outcome)")
                // Looking costs more than the rest of a round.
                if round % 5 == 4 {
                    let left = Leftovers.settle(of: box)
                    if Systemd.isHere { try box.expectNoUnit() }
                    try #require(left.isEmpty, "rounds to \(round), the last after \(delay) µs of \(limit): \(left)")
                }
                try FileManager.default.removeItem(atPath: bundle.directory)
            }
            #expect(cut >= Self.rounds / 10, "only \(cut) of \(Self.rounds) were in time")
            // Nor in what stays for later calls: a file that was being written.
            let kept = FileManager.default.enumerator(atPath: box.root)?.compactMap { $0 as? String } ?? []
            let cache = [".cache", ".cache/seccomp"]
            let odd = kept.filter { !cache.contains($0) && $0.wholeMatch(of: /\.cache\/seccomp\/[0-9a-f]+/) == nil }
            #expect(odd.isEmpty, "\(odd)")
            print("\(command): \(cut) of \(Self.rounds) runtimes killed in its midst")
        }
    }
}
