import Foundation
import Glibc
import Testing

extension AllTests {
    /// Whatever becomes of the supervisor, there is one payload or none, and nothing is left
    @Suite struct ServicesRobustness {
        private static let ticking =
            "n=0; echo started >> /shared/log; while :; do n=$((n+1)); echo tick $n; sleep 0.02; done"

        /// SIGKILL while the payload runs: the next run goes on with it, and the log as well.
        @Test func theNextRunAdoptsThePayload() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always", "restart-delay": "10ms"], Self.ticking)
            let first = try box.detached(bundle)
            let payload = box.payload
            #expect(first.says("tick 3"))
            box.killSupervisor()
            #expect(box.serviceStatus == "unsupervised")
            #expect(try box.ok("list").stdout.contains("unsupervised"))
            let second = try box.detached(bundle)
            #expect(box.payload == payload && box.sharedLines("log") == 1)
            #expect(second.stderr.contains("has lost its supervisor, and is adopted"), "\(second.stderr)")
            #expect(second.says("tick"))
            // No line twice, and none lost.
            let last = first.stdout.split(separator: "\n").last.flatMap { Int($0.dropFirst(5)) } ?? -1
            let next = second.stdout.split(separator: "\n").first.flatMap { Int($0.dropFirst(5)) } ?? -2
            #expect(next == last + 1, "\(last), then \(next)")
            // It is supervised as any other.
            try box.ok("kill", box.id, "KILL")
            #expect(eventually(10) { box.sharedLines("log") == 2 && box.serviceStatus == "running" })
            #expect((box.serviceState()["lastExit"] as? [String: Any])?["signal"] as? Int == 9)
            try box.away()
        }

        @Test func theNextRunEndsThePayload() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always", "leftover": "end"],
                "trap 'echo bye >> /shared/log; exit 0' TERM; \(Self.ticking)")
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedLines("log") == 1 })
            let payload = box.payload
            box.killSupervisor()
            let second = try box.detached(bundle)
            #expect(second.stderr.contains("has lost its supervisor, and is ended"), "\(second.stderr)")
            #expect(eventually(5) { box.sharedText("log") == "started\nbye\nstarted\n" })
            #expect(!Sandbox.lives(payload) && box.payload != payload)
            try box.away()
        }

        /// Its writes go on into the pipe: no SIGPIPE, no error.
        @Test func aPayloadSurvivesItsSupervisorsEnd() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "no"],
                "until [ -e /shared/go ]; do sleep 0.02; done; echo one; echo two >&2 && echo well >> /shared/log; sleep 1000"
            )
            try box.detached(bundle)
            box.killSupervisor()
            try box.file("shared/go")
            #expect(eventually(10) { box.sharedText("log") == "well\n" })
            let second = try box.detached(bundle)
            #expect(second.says("one"))
            #expect(eventually(5) { second.stderr.contains("two") })
            try box.away()
        }

        @Test func anEndThatNobodySawIsNoObstacle() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "no"], "echo started >> /shared/log; exec sleep 1000")
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedLines("log") == 1 })
            let payload = box.payload
            box.killSupervisor()
            try box.ok("kill", box.id, "KILL")
            #expect(eventually(10) { !Sandbox.lives(payload) })
            let second = try box.detached(bundle)
            #expect(second.stderr.contains("what was left of"), "\(second.stderr)")
            #expect(eventually(10) { box.sharedLines("log") == 2 })
            try box.away()
        }

        /// SIGKILL in the midst of a start: what was half made is taken back, or taken down by the next run.
        @Test func aSupervisorKilledInTheMidstOfAStart() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always"], "echo started >> /shared/log; exec sleep 1000") {
                let script = "[ -e \(box.shared)/slow ] || exit 0; : > \(box.shared)/hook; exec sleep 1000"
                $0["hooks.createRuntime"] = [["path": "/bin/sh", "args": ["sh", "-c", script]]]
            }
            try box.file("shared/slow")
            let running = try box.runAside(bundle, flags: ["--detach"])
            #expect(eventually(10) { FileManager.default.fileExists(atPath: box.shared + "/hook") })
            let record = try String(contentsOfFile: "\(box.root)/.services/\(box.id)/service.json", encoding: .utf8)
            let match = try #require(record.firstMatch(of: /"supervisor":\{"pid":([0-9]+)/))
            kill(pid_t(match.1) ?? 0, SIGKILL)
            #expect(running.wait().status == 1, "the caller learns it")
            unlink(box.shared + "/slow")
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedLines("log") == 1 && box.serviceStatus == "running" })
            try box.away()
        }

        @Test func aSupervisorKilledWhileItStops() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always", "stop-timeout": "1h"],
                "trap '' TERM; echo started >> /shared/log; while :; do sleep 0.05; done")
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedLines("log") == 1 })
            kill(box.supervisor, SIGTERM)
            #expect(box.serviceBecomes("stopping"))
            box.killSupervisor()
            let second = try box.detached(bundle)
            #expect(second.stderr.contains("is adopted") && box.sharedLines("log") == 1)
            try box.away()
        }

        @Test func aSupervisorKilledWhileItWaits() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always", "restart-delay": "1h"],
                "echo started >> /shared/log; [ -e /shared/stay ] && exec sleep 1000; exit 3")
            try box.detached(bundle)
            #expect(box.serviceBecomes("waiting"))
            box.killSupervisor()
            try box.file("shared/stay")
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedLines("log") == 2 && box.serviceStatus == "running" })
            try box.away()
        }

        /// `delete` takes away what a killed supervisor has left.
        @Test func deleteTakesAPayloadWithoutSupervisor() throws {
            let box = try Sandbox.current
            try box.detached(try box.service(["restart": "always"], Self.ticking))
            box.killSupervisor()
            #expect(try box.runtime("delete", box.id).status == 1, "it runs")
            try box.ok("delete", "--force", box.id)
            box.expectNothingLeft()
        }

        @Test func aSupervisorKilledAtAnyMoment() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always", "restart-delay": "0s..0s"],
                "echo started >> /shared/log; sleep 0.3; [ -e /shared/stay ] && exec sleep 1000; exit 3")
            var adopted = 0
            for round in 0..<30 {
                let running = try box.runAside(bundle, flags: ["--detach", "--log", "inherit"])
                let outcome = running.wait()
                #expect(outcome.status == 0, "round \(round): \(outcome)")
                if outcome.stderr.contains("adopted") { adopted += 1 }
                usleep(UInt32.random(in: 0...150_000))
                kill(box.supervisor, SIGKILL)
            }
            try box.file("shared/stay")
            try box.detached(bundle)
            #expect(eventually(10) { box.serviceStatus == "running" })
            try box.away()
            print("\(adopted) of 30 payloads were adopted")
        }

        // MARK: Nothing leaks

        /// What a process holds, by /proc.
        private struct Holdings: CustomStringConvertible {
            let descriptors: Int
            let anonymous: Int
            let zombies: Int
            let cgroups: Int
            let mounts: Int

            init(_ pid: pid_t, _ box: Sandbox) {
                descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? -1
                let line = Leftovers.lines("/proc/\(pid)/status").first { $0.hasPrefix("RssAnon:") } ?? ""
                anonymous = line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? -1
                let children = Leftovers.lines("/proc/\(pid)/task/\(pid)/children").first ?? ""
                zombies = children.split(separator: " ").count { child in
                    Leftovers.lines("/proc/\(child)/stat").first?.contains(") Z ") == true
                }
                let tree = CgroupTree.path.flatMap { FileManager.default.enumerator(atPath: $0) }
                cgroups =
                    tree?.count {
                        ($0 as? String)?.contains(box.name) == true && ($0 as? String)?.contains("cgroup.procs") == true
                    } ?? 0
                mounts = Leftovers.lines("/proc/self/mountinfo").count { $0.contains(box.name) }
            }

            var description: String {
                "\(descriptors) descriptors, \(anonymous) kB, \(zombies) zombies, \(cgroups) cgroups, \(mounts) mounts"
            }
        }

        @Test func threeHundredRestartsLeaveNothing() throws {
            let box = try Sandbox.current
            try box.detached(
                try box.service(
                    ["restart": "always", "restart-delay": "0s..0s", "health-cmd": "true", "health-interval": "10ms"],
                    "[ -e /shared/stay ] && exec sleep 1000; exit 3"))
            let pid = box.supervisor
            func settled(_ times: Int, wanted: Int = 0) throws -> Holdings {
                #expect(eventually(120) { box.restarts >= times }, "\(box.restarts)")
                try box.file("shared/stay")
                #expect(box.serviceBecomes("healthy"))
                // A check that is just being made has a descriptor.
                var least = Holdings(pid, box)
                for _ in 0..<200 where least.descriptors > wanted {
                    usleep(wanted == 0 ? 2000 : 20_000)
                    let now = Holdings(pid, box)
                    if now.descriptors < least.descriptors { least = now }
                }
                unlink(box.shared + "/stay")
                return least
            }
            let before = try settled(30)
            try box.ok("kill", box.id, "KILL")
            let after = try settled(330, wanted: before.descriptors)
            #expect(after.descriptors <= before.descriptors, "\(before), then \(after)")
            #expect(after.anonymous <= before.anonymous + 64, "\(before), then \(after)")
            #expect(
                after.zombies == 0 && after.cgroups <= before.cgroups && after.mounts <= before.mounts,
                "\(before), then \(after)")
            print("before: \(before); after 300 restarts: \(after)")
            try box.away()
        }

        /// The date may change: nothing is counted by it.
        @Test func aChangeOfTheDateChangesNothing() throws {
            guard ProcessInfo.processInfo.environment["RUNBOX_VM"] != nil else {
                return print("skipped: the date is this host's; Tests/VM runs it")
            }
            let box = try Sandbox.current
            try box.detached(
                try box.service(
                    [
                        "restart": "always", "restart-delay": "1s..1s", "health-cmd": "true",
                        "health-interval": "100ms",
                        "watchdog": "1h",
                    ], "echo started >> /shared/log; [ -e /shared/stay ] && exec sleep 1000; exit 3"))
            #expect(box.serviceBecomes("waiting"))
            for jump in ["+10 years", "-20 years", "+10 years"] {
                _ = try box.aside(["sh", "-c", "date -s \"$(date -d '\(jump)')\""]).wait()
                let runs = box.sharedLines("log")
                #expect(eventually(10) { box.sharedLines("log") > runs }, "after \(jump)")
            }
            try box.file("shared/stay")
            #expect(box.serviceBecomes("healthy"))
            try box.away()
        }
    }
}
