import Foundation
import Glibc
import Testing

extension AllTests {
    /// wait, and the exit record in state
    @Suite struct Waiting {
        private static func exit(_ box: Sandbox) throws -> [String: Any] {
            try #require(try box.state()["exit"] as? [String: Any])
        }

        /// A container that runs and is nobody's child here.
        private static func started(_ box: Sandbox, _ verbs: String...) throws -> Running {
            let created = try box.create(try box.bundle(args: ["/probe"] + verbs))
            try box.ok("start", box.id)
            return created
        }

        @Test(arguments: [0, 7, 255])
        func waitExitsWithThePayloadsCode(code: Int) throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "say:begun", "sleep:300", "exit:\(code)")
            #expect(created.says("begun"))
            #expect(try box.runtime("wait", box.id).status == code)
            // Again, and by the record.
            #expect(try box.runtime("wait", box.id).status == code)
            let exit = try Self.exit(box)
            #expect(exit["code"] as? Int == code && exit["signal"] == nil && exit["unknown"] == nil)
            #expect(exit["observedBy"] as? String == "wait")
            let times = [try box.state()["created"], exit["startedAt"], exit["finishedAt"]].map { $0 as? String ?? "" }
            #expect(times == times.sorted() && !times.contains(""), "\(times)")
        }

        @Test func anEndBySignalIsRecorded() throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "hang")
            #expect(created.says("ready"))
            let waiting = try box.begin(["--root", box.root, "wait", box.id])
            try box.ok("kill", box.id, "KILL")
            #expect(waiting.wait().status == 137)
            let exit = try Self.exit(box)
            #expect(exit["code"] as? Int == 137 && exit["signal"] as? Int == 9)
        }

        @Test func theEndIsPrintedAsJSON() throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "hang")
            #expect(created.says("ready"))
            try box.ok("kill", box.id, "KILL")
            let outcome = try box.runtime("wait", "--format", "json", box.id)
            #expect(outcome.status == 137 && outcome.stderr == "", "\(outcome)")
            let report = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any] ?? [:]
            #expect(report["version"] as? Int == 1 && report["id"] as? String == box.id, "\(report)")
            #expect(report["code"] as? Int == 137 && report["timedOut"] as? Bool == false, "\(report)")
            #expect((report["exit"] as? [String: Any])?["signal"] as? Int == 9, "\(report)")
            #expect(try box.runtime("wait", box.id).stdout == "", "nothing without the flag")
            #expect(try box.runtime("wait", "--format", "xml", box.id).stderr.contains("text or json"))
        }

        @Test func aTimeoutIsPrintedAsJSON() throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "hang")
            #expect(created.says("ready"))
            let outcome = try box.runtime("wait", "--timeout", "10ms", "--format=json", box.id)
            #expect(outcome.status == 124, "\(outcome)")
            let report = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any] ?? [:]
            #expect(report["timedOut"] as? Bool == true && report["code"] == nil && report["exit"] == nil, "\(report)")
        }

        /// One that the clock cannot count to is none.
        @Test(arguments: ["9223372036854775807ms", "9223372036854775s"])
        func aTimeoutOfZeroWaitsToTheEnd(text: String) throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "hang")
            #expect(created.says("ready"))
            let waiting = try box.begin(["--root", box.root, "wait", "--timeout", text, box.id])
            #expect(!eventually(0.3) { waiting.hasEnded() })
            try box.ok("kill", box.id, "KILL")
            #expect(waiting.wait().status == 137)
        }

        @Test func aTimeoutEndsTheWait() throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "hang")
            #expect(created.says("ready"))
            let outcome = try box.runtime("wait", "--timeout", "50ms", box.id)
            #expect(outcome.status == 124 && outcome.stderr.contains("has not ended within 50 ms"), "\(outcome)")
            #expect(try box.status() == "running")
            #expect(try box.state()["exit"] == nil && box.state()["started"] != nil)
        }

        @Test(arguments: [
            "", "x", "1x", "-1", "1.", ".5s", "1s2", "1 s", "1e3", "99999999999999999999", "9223372036854775h",
            "9223372036854775.999s", "9223372036854775807s", "2562047788015.999h",
        ])
        func malformedTimeoutsAreRefused(text: String) throws {
            let outcome = try Sandbox.current.runtime("wait", "--timeout", text, "x")
            #expect(outcome.status == 1 && outcome.stderr.contains("for flag --timeout"), "\(outcome)")
        }

        @Test(arguments: ["90", "1.5", "1.5s", "500ms", "1h30m", "0.25s", "2m"])
        func everyUnitOfATimeoutIsTaken(text: String) throws {
            let outcome = try Sandbox.current.runtime("wait", "--timeout", text, "runbox-none")
            #expect(outcome.status == 1 && outcome.stderr.contains("container does not exist"), "\(outcome)")
        }

        @Test func waitBeginsBeforeTheStart() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:5"))
            let waiting = try [
                box.begin(["--root", box.root, "wait", box.id]), box.begin(["--root", box.root, "wait", box.id]),
            ]
            #expect(try box.runtime("wait", "--timeout=20ms", box.id).status == 124)
            try box.ok("start", box.id)
            #expect(waiting.map { $0.wait().status } == [5, 5])
        }

        @Test func waitEndsWhenTheContainerIsDeleted() throws {
            let box = try Sandbox.current
            let created = try Self.started(box, "hang")
            #expect(created.says("ready"))
            let waiting = try box.begin(["--root", box.root, "wait", box.id])
            #expect(!eventually(0.1) { waiting.hasEnded() })
            try box.ok("delete", "--force", box.id)
            #expect(waiting.wait().status == 137)
            box.expectNothingLeft()
        }

        @Test func waitWorksBesideAForegroundRun() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("say:begun", "sleep:300", "exit:6"))
            #expect(running.says("begun"))
            #expect(try box.runtime("wait", box.id).status == 6)
            #expect(running.wait().status == 6)
        }

        // MARK: The record, by the command that sees the end

        @Test func aKeptRunRecordsItsEnd() throws {
            let box = try Sandbox.current
            #expect(try box.run(try box.bundle("exit:9"), flags: ["--keep"]).status == 9)
            let exit = try Self.exit(box)
            #expect(exit["code"] as? Int == 9 && exit["observedBy"] as? String == "run" && exit["finishedAt"] != nil)
            #expect(try box.runtime("wait", box.id).status == 9)
        }

        /// Nobody waited: the kernel kept it with the pinned pidfd, from Linux 6.15 on.
        @Test(
            .needsKernel(6, 15, "a pidfd shows how a reaped process ended"), arguments: ["state", "list", "kill"])
        func anUnseenEndIsRecordedByTheNextCommand(command: String) throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.bundle("exit:11"), flags: ["--detach"])
            #expect(outcome.status == 0)
            let pid = try Self.pid(box)
            #expect(eventually(10) { !FileManager.default.fileExists(atPath: "/proc/\(pid)") || Self.isZombie(pid) })
            _ = try box.runtime(command, command == "list" ? "--quiet" : box.id)
            let exit = try Self.exit(box)
            #expect(exit["code"] as? Int == 11 && exit["observedBy"] as? String == command, "\(exit)")
            #expect(exit["finishedAt"] == nil && exit["finishedBefore"] != nil)
            #expect(try box.runtime("wait", box.id).status == 11)
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        /// Engines ask for the pid file and reap the init themselves; until they do, it shows its end.
        @Test func aZombiesEndIsRecorded() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:12")
            // Adopts the init and never waits for it.
            let engine = """
                import ctypes, subprocess, sys, time
                ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
                runtime = sys.argv[1:4]
                subprocess.run(runtime + ["create", "--bundle", sys.argv[4], "--pid-file", sys.argv[6], sys.argv[5]], check=True)
                subprocess.run(runtime + ["start", sys.argv[5]], check=True)
                print("started", flush=True)
                time.sleep(60)
                """
            let parent = try box.aside([
                "python3", "-c", engine, Programs.runtime, "--root", box.root, bundle.directory, box.id,
                box.path("pid"),
            ])
            #expect(parent.says("started"))
            #expect(box.becomes("stopped"))
            let mounts = Leftovers.lines("/proc/self/mountinfo").filter { $0.contains(box.name) }
            #expect(mounts.isEmpty, "engines are spared the mount: \(mounts)")
            let exit = try Self.exit(box)
            #expect(exit["code"] as? Int == 12 && exit["observedBy"] as? String == "state", "\(exit)")
        }

        @Test(.needsReapingInit) func anEndThatNobodySawIsUnknown() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"), flags: ["--pid-file", box.path("pid")])
            let pid = try Self.pid(box)
            try box.ok("kill", box.id, "KILL")
            #expect(eventually(10) { !FileManager.default.fileExists(atPath: "/proc/\(pid)") })
            let exit = try Self.exit(box)
            #expect(exit["code"] == nil && (exit["unknown"] as? String)?.contains("was reaped by its parent") == true)
            let outcome = try box.runtime("wait", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("could not be learnt"), "\(outcome)")
        }

        // MARK: Helpers

        private static func pid(_ box: Sandbox) throws -> Int {
            let record = try Data(contentsOf: URL(fileURLWithPath: "\(box.root)/\(box.id)/state.json"))
            let object = try JSONSerialization.jsonObject(with: record) as? [String: Any]
            return try #require(object?["pid"] as? Int)
        }

        private static func isZombie(_ pid: Int) -> Bool {
            Leftovers.lines("/proc/\(pid)/stat").first?.contains(") Z ") == true
        }
    }
}
