import Foundation
import Glibc
import Testing

extension AllTests {
    /// A service whose supervisor is the main process of a unit with Type=notify
    @Suite(.needsSystemd)
    struct ServicesUnderSystemd {
        private static let polite =
            "trap 'echo bye >> /shared/log; exit 7' TERM; trap 'echo reloaded >> /shared/log' HUP; echo started >> /shared/log; while :; do sleep 0.05; done"

        /// Begins the unit, and returns when it is ready.
        private func begin(
            _ box: Sandbox, _ bundle: Bundle, _ properties: [String] = [], flags: [String] = []
        ) throws -> Outcome {
            let own = ["systemd-run"] + (Systemd.isUser ? ["--user"] : []) + ["--quiet", "--unit", box.name]
            // Mixed: the payload gets its signal from the supervisor, and not once more from systemd.
            let all =
                ["Type=notify", "NotifyAccess=main", "Delegate=yes", "TimeoutStopSec=20", "KillMode=mixed"] + properties
            return try box.aside(
                own + all.flatMap { ["-p", $0] } + [
                    Programs.runtime, "--root", box.root, "run", "--bundle", bundle.directory,
                ] + flags + [box.id], Systemd.surroundings
            ).wait(seconds: 60)
        }

        private func bundle(_ settings: [String: String], _ script: String = polite) throws -> Bundle {
            try Sandbox.current.service(settings, script) { $0["linux.cgroupsPath"] = nil }
        }

        private func end(_ box: Sandbox) throws {
            #expect(try box.systemctl("stop", box.name).status == 0)
            _ = try box.systemctl("reset-failed", box.name)
            box.expectNothingLeft()
        }

        @Test func readyStatusAndStopGoThrough() throws {
            let box = try Sandbox.current
            let begun = try begin(box, try bundle(["restart": "always", "restart-delay": "10ms"]))
            #expect(begun.status == 0, "\(begun)")
            let shown = try box.show(box.name, "MainPID", "StatusText", "ActiveState", "SubState")
            #expect(shown["ActiveState"] == "active" && shown["MainPID"] == "\(box.supervisor)", "\(shown)")
            #expect(shown["StatusText"]?.hasPrefix("running, pid \(box.payload)") == true, "\(shown)")
            try box.ok("kill", box.id, "KILL")
            #expect(
                eventually(10) {
                    (try? box.show(box.name, "StatusText")["StatusText"])??.contains("1 restart") == true
                })
            #expect(try box.show(box.name, "NRestarts")["NRestarts"] == "0", "systemd had nothing to do")
            try end(box)
            #expect(box.sharedText("log") == "started\nstarted\nbye\n")
        }

        /// The start of the unit lasts until the first check has succeeded.
        @Test func theUnitIsReadyWhenTheServiceIs() throws {
            let box = try Sandbox.current
            let bundle = try bundle(["health-cmd": "test -e /shared/well", "health-interval": "50ms"])
            let opener = try box.aside(["sh", "-c", "sleep 1; : > \(box.shared)/well"])
            let begun = try begin(box, bundle)
            #expect(begun.status == 0 && opener.wait().status == 0, "\(begun)")
            #expect(box.serviceStatus == "healthy")
            #expect(try box.show(box.name, "StatusText")["StatusText"]?.hasPrefix("healthy") == true)
            try end(box)
        }

        @Test func aStopIsNoFailure() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always"], "echo started >> /shared/log; exec sleep 1000") {
                $0["linux.cgroupsPath"] = nil
                $0.dropNamespace("pid")
            }
            #expect(try begin(box, bundle, ["RemainAfterExit=no", "CollectMode=inactive"]).status == 0)
            #expect(try box.systemctl("stop", box.name).status == 0)
            #expect(try box.show(box.name, "Result")["Result"] == "success")
            box.expectNothingLeft()
        }

        @Test func aFirstStartThatFailsFailsTheUnit() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/missing"]) {
                $0["annotations"] = ["org.runbox.service.restart": "always"]
                $0["linux.cgroupsPath"] = nil
            }
            #expect(try begin(box, bundle).status != 0)
            _ = try box.systemctl("reset-failed", box.name)
            box.expectNothingLeft()
        }

        @Test func reloadGoesThrough() throws {
            let box = try Sandbox.current
            #expect(
                try begin(box, try bundle(["restart": "always"]), ["ExecReload=/bin/kill -HUP $MAINPID"]).status == 0)
            #expect(try box.systemctl("reload", box.name).status == 0)
            #expect(eventually(5) { box.sharedText("log") == "started\nreloaded\n" })
            #expect(try box.show(box.name, "ActiveState")["ActiveState"] == "active")
            try end(box)
        }

        /// systemd's own watchdog is the payload's while that runs, and the supervisor's in between.
        @Test func theManagersWatchdogIsFed() throws {
            let box = try Sandbox.current
            let begun = try begin(
                box, try bundle(["restart": "always", "restart-delay": "3s..3s"], "sleep 0.3; exit 1"),
                ["WatchdogSec=1"])
            #expect(begun.status == 0, "\(begun)")
            #expect(eventually(20) { box.restarts >= 1 })
            #expect(try box.show(box.name, "NRestarts", "ActiveState")["ActiveState"] == "active")
            try end(box)
        }

        /// With limits the container needs a cgroup of its own with controllers; each start is in the unit.
        @Test(.needsControllers(geteuid() == 0 ? "hugetlb" : "pids")) func eachContainerIsInTheUnit() throws {
            let box = try Sandbox.current
            // systemd gives users only the controllers that it knows itself.
            let limits =
                geteuid() == 0 ? #""hugepageLimits": [{"pageSize": "2MB", "limit": 0}]"# : #""pids": {"limit": 50}"#
            let bundle = try box.service(["restart": "always", "restart-delay": "10ms"], Self.polite) {
                $0["linux.cgroupsPath"] = nil
                try $0.set("linux.resources", json: "{\(limits)}")
            }
            #expect(try begin(box, bundle).status == 0)
            for round in 1...3 {
                let place = Leftovers.lines("/proc/\(box.payload)/cgroup").first { $0.hasPrefix("0::") } ?? ""
                #expect(place.contains("/\(box.name).service/\(box.id)"), "\(place)")
                try box.ok("kill", box.id, "KILL")
                #expect(box.hasRestarted(round))
            }
            try end(box)
        }

        /// SIGKILL of the supervisor ends the unit, and with it the payload; Restart= begins it anew.
        @Test func aKilledSupervisorIsRestartedBySystemd() throws {
            let box = try Sandbox.current
            let begun = try begin(
                box, try bundle(["restart": "always"]), ["Restart=on-failure", "RestartSec=100ms"])
            #expect(begun.status == 0, "\(begun)")
            let first = box.supervisor
            kill(first, SIGKILL)
            #expect(eventually(20) { box.supervisor != first && box.serviceStatus == "running" })
            #expect(try box.show(box.name, "NRestarts")["NRestarts"] == "1")
            // systemd has ended the first one as what is left of a unit.
            let log = { box.sharedText("log").split(separator: "\n").filter { $0 == "started" } }
            #expect(eventually(5) { log().count == 2 }, "\(box.sharedText("log"))")
            try end(box)
        }

        /// The same with KillMode=process: the payload lives on, and is adopted.
        @Test func aPayloadThatSystemdLeavesIsAdopted() throws {
            let box = try Sandbox.current
            let begun = try begin(
                box, try bundle(["restart": "always"]),
                ["Restart=on-failure", "RestartSec=100ms", "KillMode=process"])
            #expect(begun.status == 0, "\(begun)")
            let (first, payload) = (box.supervisor, box.payload)
            kill(first, SIGKILL)
            #expect(eventually(20) { box.supervisor != first && box.serviceStatus == "running" })
            #expect(box.payload == payload && box.sharedText("log") == "started\n")
            try end(box)
        }

        @Test func theContainersScopeIsMadeAnew() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always", "restart-delay": "10ms"], Self.polite) {
                $0["linux.cgroupsPath"] = ":rbt:\(box.id)"
            }
            let outcome = try box.plain(
                [
                    "--root", box.root, "--systemd-cgroup", "run", "--detach", "--log", "inherit", "--bundle",
                    bundle.directory, box.id,
                ],
                Systemd.surroundings)
            #expect(outcome.status == 0, "\(outcome)")
            for round in 1...3 {
                #expect(eventually(10) { box.sharedLines("log") == round })
                try box.ok("kill", box.id, "KILL")
                #expect(box.hasRestarted(round))
            }
            try box.away()
            // systemd looks at the table of mounts now and then only.
            _ = eventually(5) { (try? box.systemctl("list-units", "--no-legend", "*\(box.id)*").stdout) == "" }
            try box.expectNoUnit()
        }
    }
}
