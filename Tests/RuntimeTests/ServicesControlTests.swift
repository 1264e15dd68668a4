import Foundation
import Glibc
import Testing

extension AllTests {
    /// A service is stopped, restarted, reloaded and waited for
    @Suite struct ServicesControl {
        /// Ends at TERM with 7, says what HUP does.
        private static let polite =
            "trap 'echo bye >> /shared/log; exit 7' TERM; trap 'echo reloaded >> /shared/log' HUP; echo started >> /shared/log; while :; do sleep 0.05; done"
        private static let stubborn = "trap '' TERM; echo started >> /shared/log; while :; do sleep 0.05; done"

        private func begun(_ script: String, _ settings: [String: String] = [:]) throws -> Sandbox {
            let box = try Sandbox.current
            try box.detached(try box.service(settings.merging(["restart": "always"]) { a, _ in a }, script))
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            return box
        }

        @Test func stopLetsThePayloadEndAndDoesNotRestartIt() throws {
            let box = try begun(Self.polite)
            let pid = box.supervisor
            try box.ok("stop", box.id)
            #expect(box.sharedText("log") == "started\nbye\n")
            #expect(!Sandbox.lives(pid))
            #expect(box.serviceStatus == "ended")
            #expect((box.serviceState()["lastExit"] as? [String: Any])?["code"] as? Int == 7)
            try box.ok("stop", box.id)
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        /// When `run --detach` has ended, everybody sees what it has begun; when `stop` has, that it is gone.
        @Test(arguments: ["restart", "on-demand"])
        func whatWasDoneIsSeenAtOnce(by setting: String) throws {
            let box = try Sandbox.current
            let socket = ["listen": "unix:" + box.path("socket"), "on-demand": "true"]
            let bundle = try box.service(setting == "restart" ? ["restart": "no"] : socket, "exec sleep 1000")
            for _ in 0..<8 {
                try box.detached(bundle)
                #expect(box.serviceStatus == (setting == "restart" ? "running" : "sleeping"))
                let pid = box.supervisor
                try box.ok("stop", "--timeout", "0", box.id)
                #expect(!Sandbox.lives(pid))
                try box.ok("delete", box.id)
            }
            box.expectNothingLeft()
        }

        @Test func whatDoesNotEndIsKilled() throws {
            let box = try begun(Self.stubborn)
            try box.ok("stop", "--timeout", "200ms", box.id)
            #expect((box.serviceState()["lastExit"] as? [String: Any])?["signal"] as? Int == 9)
            try box.ok("delete", box.id)
        }

        @Test func theSettingsSayTheTime() throws {
            let box = try begun(Self.stubborn, ["stop-timeout": "200ms"])
            try box.ok("stop", box.id)
            try box.ok("delete", box.id)
        }

        @Test(arguments: [true, false])
        func theStopSignalIsTheImagesOrTheSettings(fromImage: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always"], "trap 'exit 9' USR1; echo started >> /shared/log; while :; do sleep 0.05; done"
            ) {
                let name = fromImage ? "org.opencontainers.image.stopSignal" : "org.runbox.service.stop-signal"
                $0["annotations"] = ["org.runbox.service.restart": "always"].merging([name: "SIGUSR1"]) { $1 }
            }
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            try box.ok("stop", box.id)
            #expect((box.serviceState()["lastExit"] as? [String: Any])?["code"] as? Int == 9)
            try box.ok("delete", box.id)
        }

        @Test func aPausedPayloadIsStopped() throws {
            try #require(CgroupTree.path != nil)
            let box = try begun(Self.polite)
            try box.ok("pause", box.id)
            #expect(try box.ok("list").stdout.contains("paused"))
            try box.ok("stop", box.id)
            #expect(box.sharedText("log").hasSuffix("bye\n"))
            try box.ok("delete", box.id)
        }

        // MARK: Signals to the supervisor

        @Test(arguments: [SIGTERM, SIGINT])
        func aSignalToTheSupervisorStopsTheService(signal: Int32) throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.service(["restart": "always"], Self.polite))
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            running.signal(signal)
            #expect(running.wait().status == 7)
            #expect(box.sharedText("log") == "started\nbye\n")
            box.expectNothingLeft()
        }

        @Test func aSecondSignalShortensIt() throws {
            let box = try Sandbox.current
            let running = try box.runAside(
                try box.service(["restart": "always", "stop-timeout": "1h"], Self.stubborn))
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            running.signal(SIGTERM)
            #expect(box.serviceBecomes("stopping"))
            running.signal(SIGTERM)
            #expect(running.wait().status == 137)
            box.expectNothingLeft()
        }

        /// What it was asked to do it has done.
        @Test func endingByTheStopSignalIsSuccess() throws {
            let box = try Sandbox.current
            // Without a pid namespace the signal's default action ends it.
            let running = try box.runAside(
                try box.service(["restart": "always"], "echo started >> /shared/log; exec sleep 1000") {
                    $0.dropNamespace("pid")
                })
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            running.signal(SIGTERM)
            #expect(running.wait().status == 0)
            box.expectNothingLeft()
        }

        @Test func otherSignalsReachThePayload() throws {
            let box = try Sandbox.current
            let running = try box.runAside(
                try box.service(
                    ["restart": "no"],
                    "trap 'exit 11' USR2; echo started >> /shared/log; while :; do sleep 0.05; done"))
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            running.signal(SIGUSR2)
            #expect(running.wait().status == 11)
        }

        /// The payload runs before its supervisor knows: a hook holds up whoever makes the container.
        @Test func signalsAreKeptForAPayloadThatIsBeingStarted() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "no"], "trap 'exit 11' USR2; echo started >> /shared/log; while :; do sleep 0.05; done"
            ) {
                $0["hooks.poststart"] = [["path": "/bin/sh", "args": ["sh", "-c", "sleep 0.5"]]]
            }
            let running = try box.runAside(bundle)
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            running.signal(SIGUSR2)
            #expect(running.wait().status == 11)
        }

        @Test func aStartIsInterrupted() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always"], "echo it ran") {
                $0["hooks.createRuntime"] = [
                    ["path": "/bin/sh", "args": ["sh", "-c", ": > \(box.shared)/hook; exec sleep 1000"]]
                ]
            }
            let running = try box.runAside(bundle)
            #expect(eventually(10) { FileManager.default.fileExists(atPath: box.shared + "/hook") })
            running.signal(SIGTERM)
            let outcome = running.wait()
            #expect(outcome.status == 143 && outcome.stdout == "", "\(outcome)")
            box.expectNothingLeft()
        }

        @Test func aDelayIsInterrupted() throws {
            let box = try Sandbox.current
            let running = try box.runAside(
                try box.service(["restart": "always", "restart-delay": "1h"], "exit 3"))
            #expect(box.serviceBecomes("waiting"))
            running.signal(SIGTERM)
            #expect(running.wait().status == 3)
            box.expectNothingLeft()
        }

        // MARK: Reload and restart

        @Test func reloadSendsItsSignal() throws {
            let box = try begun(Self.polite)
            try box.ok("reload", box.id)
            #expect(eventually(5) { box.sharedText("log") == "started\nreloaded\n" })
            kill(box.supervisor, SIGHUP)
            #expect(eventually(5) { box.sharedText("log") == "started\nreloaded\nreloaded\n" })
            #expect(box.restarts == 0)
            try box.away()
        }

        @Test func reloadNeedsAPayload() throws {
            let box = try Sandbox.current
            try box.detached(try box.service(["restart": "always", "restart-delay": "1h"], "exit 3"))
            #expect(box.serviceBecomes("waiting"))
            let outcome = try box.runtime("reload", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("is waiting: nothing to reload"), "\(outcome)")
            try box.away()
        }

        @Test func restartMakesAnotherContainer() throws {
            let box = try begun(Self.polite)
            let payload = box.payload
            try box.ok("restart", box.id)
            #expect(eventually(5) { box.sharedText("log") == "started\nbye\nstarted\n" })
            #expect(box.payload != payload && box.restarts == 1)
            try box.away()
        }

        @Test func aRestartThatFailsSaysWhy() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always", "restart-delay": "1h"], Self.polite)
            try box.detached(bundle)
            #expect(eventually(10) { box.sharedText("log").contains("started") })
            try bundle.write(text: "{")
            let outcome = try box.runtime("restart", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("could not be started"), "\(outcome)")
            try box.away()
        }

        // MARK: Waiting

        @Test func waitReturnsWhenItIsReady() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["health-cmd": "test -e /shared/well", "health-interval": "50ms"], Self.polite)
            try box.detached(bundle)
            let late = try box.runtime("wait", "--ready", "--timeout", "200ms", box.id)
            #expect(late.status == 124 && late.stderr.contains("has not become ready within 200 ms"), "\(late)")
            let waiting = try box.begin(["--root", box.root, "wait", "--healthy", box.id])
            try box.file("shared/well")
            #expect(waiting.wait().status == 0)
            try box.ok("wait", "--ready", box.id)
            let json = try box.ok("wait", "--ready", "--format", "json", box.id).stdout
            #expect(json.contains("\"timedOut\": false"))
            try box.away()
        }

        @Test func waitEndsWithTheService() throws {
            let box = try begun(Self.polite, ["health-cmd": "false", "health-interval": "50ms"])
            let waiting = try box.begin(["--root", box.root, "wait", "--healthy", box.id])
            #expect(!eventually(0.3) { waiting.hasEnded() })
            try box.ok("stop", box.id)
            let outcome = waiting.wait()
            #expect(outcome.status == 1 && outcome.stderr.contains("has ended"), "\(outcome)")
            try box.ok("delete", box.id)
        }

        @Test func whatCannotComeIsNotWaitedFor() throws {
            let box = try begun(Self.polite)
            let health = try box.runtime("wait", "--healthy", box.id)
            #expect(health.status == 1 && health.stderr.contains("has no health check"), "\(health)")
            let both = try box.runtime("wait", "--healthy", "--ready", box.id)
            #expect(both.status == 1, "\(both)")
            let none = try box.runtime("wait", "--ready", "other")
            #expect(none.status == 1 && none.stderr.contains("has no supervisor"), "\(none)")
            try box.away()
        }

        /// A caller that says nothing, or leaves at once, is in nobody's way.
        @Test func callersThatSayNothingAreInNobodysWay() throws {
            let box = try begun(Self.polite)
            let script = """
                import socket, sys, os
                os.chdir("\(box.root)/.services/\(box.id)")
                kept = []
                for i in range(200):
                    s = socket.socket(socket.AF_UNIX)
                    s.settimeout(0.2)
                    try: s.connect("control")
                    except OSError: continue
                    if i % 4 == 0: s.send(b"nonsense\\n")
                    if i % 4 == 1: s.send(b"stop")
                    if i % 4 == 2: s.send(b"x" * 1000)
                    if i % 8 == 3: s.close()
                    else: kept.append(s)
                print(len(kept))
                for s in kept: s.close()
                """
            let outcome = try box.aside(["python3", "-c", script]).wait()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(eventually(5) { (try? box.runtime("reload", box.id).status) == 0 })
            #expect(box.serviceStatus == "running")
            try box.away()
        }

        // MARK: One service a name

        @Test func aSecondSupervisorIsRefused() throws {
            let box = try begun(Self.polite)
            let bundle = try box.service(["restart": "no"], "echo it ran")
            for flags in [[], ["--detach"]] {
                let outcome = try box.run(bundle, flags: flags)
                #expect(outcome.status == 1 && outcome.stderr.contains("already exists"), "\(outcome)")
                #expect(outcome.stderr.contains("runbox stop \(box.id) ends it"), "\(outcome)")
            }
            #expect(box.sharedText("log") == "started\n")
            try box.away()
        }

        @Test func manyThatBeginAtOnceAreOne() throws {
            let box = try Sandbox.current
            let bundle = try box.service(["restart": "always"], Self.polite)
            let all = try (0..<6).map { _ in
                try box.runAside(bundle, flags: ["--detach", "--log", "inherit"])
            }
            let outcomes = all.map { $0.wait() }
            #expect(outcomes.count { $0.status == 0 } == 1, "\(outcomes)")
            #expect(eventually(5) { box.sharedText("log") == "started\n" })
            try box.away()
        }

        @Test func aContainerOfTheNameIsSomebodyElses() throws {
            let box = try Sandbox.current
            try box.ok("run", "--detach", "--bundle", try box.bundle("hang").directory, box.id)
            let outcome = try box.run(try box.service(["restart": "no"], "echo it ran"))
            #expect(outcome.status == 1 && outcome.stderr.contains("already exists"), "\(outcome)")
            #expect(try box.status() == "running")
            try box.ok("delete", "--force", box.id)
        }

        @Test func replaceTakesTheNameOver() throws {
            let box = try begun(Self.polite)
            let first = box.supervisor
            try box.detached(try box.service(["restart": "always"], Self.polite), ["--replace"])
            #expect(!Sandbox.lives(first) && box.supervisor != first)
            try box.away()
        }

        @Test func deleteNeedsForce() throws {
            let box = try begun(Self.stubborn)
            let outcome = try box.runtime("delete", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("cannot delete service"), "\(outcome)")
            #expect(box.serviceStatus == "running")
            try box.ok("delete", "--force", box.id)
            box.expectNothingLeft()
        }

        @Test func deleteTakesServicesByTheirNames() throws {
            let box = try begun(Self.stubborn)
            try box.ok("delete", "--force", "--regex", "^\(box.id)$")
            box.expectNothingLeft()
        }

        /// The supervisor may hang: it is killed.
        @Test func deleteDoesNotDependOnTheSupervisor() throws {
            let box = try begun(Self.stubborn)
            kill(box.supervisor, SIGSTOP)
            let outcome = try box.begin(["--root", box.root, "delete", "--force", box.id]).wait(seconds: 60)
            #expect(outcome.status == 0, "\(outcome)")
            box.expectNothingLeft()
        }
    }
}
