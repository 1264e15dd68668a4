import Foundation
import Glibc
import Testing

extension AllTests {
    /// A service is asked how it is, says that it is ready, and that it is alive
    @Suite struct ServicesHealth {
        private static let quiet = "trap 'exit 7' TERM; echo started >> /shared/log; while :; do sleep 0.05; done"

        private func health() throws -> String { try Sandbox.current.serviceState()["health"] as? String ?? "" }

        @Test(arguments: ["test -e /shared/well", #"["/bin/sh", "-c", "test -e /shared/well"]"#])
        func aCheckSaysHowItIs(command: String) throws {
            let box = try Sandbox.current
            try box.detached(
                try box.service(
                    ["health-cmd": command, "health-interval": "50ms", "health-retries": "2"], Self.quiet))
            #expect(eventually(10) { (try? self.health()) == "unhealthy" })
            #expect(box.serviceState()["ready"] as? Bool == false)
            #expect(try box.ok("list").stdout.contains("unhealthy"))
            try box.file("shared/well")
            #expect(eventually(10) { (try? self.health()) == "healthy" })
            #expect(box.serviceState()["ready"] as? Bool == true && box.serviceStatus == "healthy")
            #expect(box.restarts == 0, "nothing was to be done about it")
            try box.away()
        }

        @Test func anUnhealthyOneIsRestarted() throws {
            let box = try Sandbox.current
            let running = try box.detached(
                try box.service(
                    [
                        "health-cmd": "test ! -e /tmp/sick", "health-interval": "50ms", "health-action": "restart",
                        "restart-delay": "10ms",
                    ], Self.quiet))
            try box.ok("wait", "--healthy", "--timeout", "10", box.id)
            try box.ok("exec", box.id, "/bin/sh", "-c", ": > /tmp/sick")
            #expect(eventually(10) { box.restarts == 1 && box.serviceStatus == "healthy" })
            #expect(running.stderr.contains("is unhealthy, and is restarted: the check has ended with exit status 1"))
            try box.away()
        }

        /// From its first container to the end of the service, each change once.
        @Test func changesAreEvents() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                [
                    "restart": "always", "restart-delay": "10ms", "health-cmd": "[ ! -e /shared/bad ]",
                    "health-interval": "50ms", "health-retries": "2", "health-action": "restart",
                    "stop-timeout": "100ms",
                ], "rm -f /shared/bad; exec sleep 1000")
            try box.detached(bundle)
            let events = try box.begin(["--root", box.root, "events", "--interval", "1h", box.id])
            func says(_ status: String, restarts: Int) -> Bool {
                eventually(10) {
                    box.services(in: events.stdout).contains {
                        $0["status"] as? String == status && $0["restarts"] as? Int == restarts
                    }
                }
            }
            #expect(says("healthy", restarts: 0), "\(events.stdout)")
            try box.file("shared/bad")
            #expect(says("healthy", restarts: 1), "\(events.stdout)")
            try box.ok("stop", "--timeout", "0.2", box.id)
            let outcome = events.wait()
            #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome)")
            let all = box.services(in: outcome.stdout)
            #expect(all.last?["status"] as? String == "ended", "\(outcome)")
            for (one, next) in zip(all, all.dropFirst()) { #expect(!(one as NSDictionary).isEqual(next)) }
            try box.away()
        }

        @Test func anUnhealthyOneIsStopped() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.service(
                    ["health-cmd": "false", "health-interval": "20ms", "health-action": "stop", "restart": "always"],
                    Self.quiet))
            #expect(outcome.status == 7 && outcome.stderr.contains("is unhealthy, and is stopped"), "\(outcome)")
            box.expectNothingLeft()
        }

        /// A command that hangs fails by its time, and nothing of it stays.
        @Test func aCheckThatHangsIsEnded() throws {
            let box = try Sandbox.current
            let running = try box.detached(
                try box.service(
                    [
                        "health-cmd": "echo x >> /shared/checks; sleep 1000 & sleep 1000", "health-interval": "20ms",
                        "health-timeout": "100ms", "health-retries": "2",
                    ], Self.quiet))
            #expect(eventually(20) { (try? self.health()) == "unhealthy" && box.sharedLines("checks") > 4 })
            #expect(running.stderr.contains("took longer than 100 ms"), "\(running.stderr)")
            let inside = try box.ok("ps", "--format", "json", box.id).stdout
            let pids = (try? JSONSerialization.jsonObject(with: Data(inside.utf8))) as? [Int] ?? []
            #expect(pids.count < 8, "checks pile up: \(inside)")
            try box.away()
        }

        /// One that cannot be killed in time keeps nothing from being stopped.
        @Test func aHangingCheckDoesNotHoldAStopUp() throws {
            let box = try Sandbox.current
            let running = try box.runAside(
                try box.service(
                    ["health-cmd": "echo x >> /shared/checks; sleep 1000", "health-timeout": "1h"], Self.quiet))
            #expect(eventually(10) { box.sharedLines("checks") == 1 })
            running.signal(SIGTERM)
            #expect(running.wait().status == 7)
            box.expectNothingLeft()
        }

        @Test func aPausedOneIsNotUnhealthy() throws {
            try #require(CgroupTree.path != nil)
            let box = try Sandbox.current
            try box.detached(
                try box.service(
                    ["health-cmd": "true", "health-interval": "20ms", "health-retries": "1"], Self.quiet))
            try box.ok("wait", "--healthy", "--timeout", "10", box.id)
            try box.ok("pause", box.id)
            #expect(!eventually(0.5) { (try? self.health()) == "unhealthy" })
            try box.ok("resume", box.id)
            try box.away()
        }

        @Test func aCommandThatIsNotThereIsAFailure() throws {
            let box = try Sandbox.current
            let running = try box.detached(
                try box.service(
                    ["health-cmd": #"["/missing"]"#, "health-interval": "20ms", "health-retries": "1"], Self.quiet))
            #expect(eventually(10) { (try? self.health()) == "unhealthy" })
            #expect(running.stderr.contains("/missing"), "\(running.stderr)")
            try box.away()
        }

        // MARK: What the payload says

        private func manager() throws -> (NotifyListener, Surroundings) {
            let listener = try NotifyListener(path: try Sandbox.current.path("manager.sock"))
            return (listener, Surroundings(environment: ["NOTIFY_SOCKET": listener.path]))
        }

        private func speaking(_ verbs: String..., settings: [String: String]) throws -> Bundle {
            let box = try Sandbox.current
            let gate = try box.folder("gate")
            return try box.bundle(args: ["/probe"] + verbs) { config in
                config["annotations"] = Dictionary(
                    uniqueKeysWithValues: settings.map { ("org.runbox.service.\($0.key)", $0.value) })
                config.addMount("/tmp", type: "bind", source: gate, options: ["bind", "ro"])
            }
        }

        @Test func readyIsWhatThePayloadSays() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try manager()
            try box.detached(
                try speaking(
                    "notify:STATUS=warming", "until:/tmp/open", "notify:READY=1+STATUS=serving+MAINPID=1", "hang",
                    settings: ["ready": "notify"]), with: surroundings)
            #expect(eventually(10) { box.serviceState()["text"] as? String == "warming" })
            #expect(box.serviceState()["ready"] as? Bool == false)
            try box.file("gate/open")
            try box.ok("wait", "--ready", "--timeout", "10", box.id)
            #expect(manager.hears { $0 == "READY=1" })
            #expect(
                manager.hears { $0.hasPrefix("STATUS=running, pid ") && $0.hasSuffix("serving") }, "\(manager.messages)"
            )
            #expect(!manager.messages.contains { $0.contains("MAINPID") })
            try box.away()
            #expect(manager.hears { $0 == "STOPPING=1" })
            #expect(manager.messages.count { $0 == "READY=1" } == 1)
        }

        @Test func theManagerHearsOfRestartsAndNotOfTheirEnds() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try manager()
            let running = try box.runAside(
                try speaking(
                    "notify:STOPPING=1", "exit:3", settings: ["restart": "on-failure:2", "restart-delay": "1ms"]),
                with: surroundings)
            // The kernel keeps about ten messages for a manager that does not read.
            #expect(manager.hears { $0.contains("2 restarts") }, "\(manager.messages)")
            #expect(running.wait().status == 3)
            #expect(!manager.messages.contains("STOPPING=1"), "\(manager.messages)")
        }

        /// What a manager does not hear it would wait for until its time is over.
        @Test func aBusyManagerHearsThatTheServiceIsReady() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try manager()
            manager.fill()
            let running = try box.runAside(try box.service(["restart": "no"], "exec sleep 1000"), with: surroundings)
            #expect(eventually(10) { box.payload > 0 })
            Thread.sleep(forTimeInterval: 0.2)
            #expect(manager.hears { $0 == "READY=1" }, "\(manager.messages.suffix(3))")
            try box.ok("stop", "--timeout", "0", box.id)
            _ = running.wait()
        }

        @Test func aSilentPayloadIsEndedByItsWatchdog() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["watchdog": "300ms", "restart": "on-failure:1", "restart-delay": "1ms"],
                "echo usec=$WATCHDOG_USEC; echo started >> /shared/log; exec sleep 1000")
            let outcome = try box.run(bundle, flags: ["--stop-timeout", "200ms"])
            #expect(outcome.stdout == "usec=300000\nusec=300000\n", "\(outcome)")
            #expect(outcome.stderr.contains("has not said WATCHDOG=1 within 300 ms"), "\(outcome)")
            #expect(outcome.status == 134 || outcome.status == 137, "\(outcome)")
            box.expectNothingLeft()
        }

        @Test func aPayloadThatGivesUpIsEndedAtOnce() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try speaking("notify:WATCHDOG=trigger", "hang", settings: ["watchdog": "1h", "stop-timeout": "100ms"]))
            #expect(outcome.status >= 128, "\(outcome)")
        }

        /// Any user of the container may say how it is.
        @Test func anotherUserMayNotify() throws {
            let box = try Sandbox.current
            let bundle = try speaking("notify:READY=1", "hang", settings: ["ready": "notify"])
            var config = Config(args: ["/probe", "notify:READY=1", "hang"])
            config["annotations"] = ["org.runbox.service.ready": "notify"]
            config["process.user"] = ["uid": 1000, "gid": 1000]
            try bundle.write(config)
            var surroundings = Surroundings()
            surroundings.prefix = ["sh", "-c", "umask 077; exec \"$@\"", "sh"]
            try box.detached(bundle, with: surroundings)
            try box.ok("wait", "--ready", "--timeout", "10", box.id)
            try box.away()
        }

        @Test func outputOfAnotherUserIsPassedOn() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.service(["restart": "no"], "echo one; echo two > /dev/stdout; echo three > /dev/stderr") {
                    $0["process.user"] = ["uid": 1000, "gid": 1000]
                })
            #expect(outcome.stdout == "one\ntwo\n" && outcome.stderr == "three\n", "\(outcome)")
        }

        @Test func aSlowReaderGetsAllOfIt() throws {
            let box = try Sandbox.current
            var surroundings = Surroundings()
            surroundings.prefix = ["sh", "-c", "\"$@\" | { sleep 1; cat; }", "sh"]
            let outcome = try box.run(
                try box.service(["restart": "no"], "head -c 390000 /dev/zero | tr '\\0' x; echo; echo last"),
                with: surroundings)
            #expect(outcome.stdout.utf8.count == 390_006 && outcome.stdout.hasSuffix("x\nlast\n"))
        }

        @Test func muchOutputIsWhole() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.service(
                    ["restart": "no"], "i=0; while [ $i -lt 20000 ]; do echo \"line $i of many\"; i=$((i+1)); done"))
            #expect(outcome.status == 0)
            let lines = outcome.stdout.split(separator: "\n")
            #expect(lines.count == 20000 && lines.last == "line 19999 of many", "\(lines.count)")
        }
    }
}
