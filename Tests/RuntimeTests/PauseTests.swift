import Foundation
import Testing

extension AllTests {
    /// pause, resume, and what a paused container allows
    @Suite struct Pausing {
        /// A container whose payload runs.
        private func running(
            _ box: Sandbox, _ verbs: String..., edit: (inout Config) throws -> Void = { _ in }
        ) throws -> Running {
            let created = try box.create(try box.bundle(args: ["/probe"] + verbs, edit: edit))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            return created
        }

        private func isThere(_ pid: Int) -> Bool { FileManager.default.fileExists(atPath: "/proc/\(pid)") }

        @Test func aContainerIsPausedAndResumed() throws {
            let box = try Sandbox.current
            let created = try running(box, "child", "wait:TERM:0")
            let before = try box.state()
            let paused = try box.ok("pause", box.id)
            #expect(paused.stdout == "" && paused.stderr == "", "\(paused)")
            let state = try box.state()
            #expect(state["status"] as? String == "paused" && state["pid"] as? Int == before["pid"] as? Int)
            let list = try box.ok("list").stdout
            #expect(list.contains(" paused "), "\(list)")
            // A signal waits for the payload as the payload waits for its time.
            try box.ok("kill", box.id, "TERM")
            #expect(!created.stdout.contains("got=15"))
            #expect(try box.status() == "paused")
            let resumed = try box.ok("resume", box.id)
            #expect(resumed.stdout == "" && resumed.stderr == "", "\(resumed)")
            #expect(created.says("got=15"))
            #expect(box.becomes("stopped"))
        }

        @Test func aSecondPauseIsRefused() throws {
            let box = try Sandbox.current
            _ = try running(box, "hang")
            try box.ok("pause", box.id)
            let line = try box.runtime("pause", box.id)
            #expect(line.status == 1 && line.stderr.contains("container not running"), "\(line)")
            #expect(line.complaints.count == 1 && line.stderr.contains("paused already"), "\(line)")
            try box.ok("resume", box.id)
            let second = try box.runtime("resume", box.id)
            #expect(second.status == 1 && second.stderr.contains("container not paused"), "\(second)")
            #expect(try box.status() == "running")
        }

        @Test func aCreatedContainerCanBePaused() throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("hang"))
            try box.ok("pause", box.id)
            #expect(try box.status() == "paused")
            // It would not answer.
            let outcome = try box.runtime("start", box.id)
            #expect(
                outcome.status == 1 && outcome.stderr.contains("cannot start a container in the paused state"),
                "\(outcome)")
            try box.ok("resume", box.id)
            #expect(try box.status() == "created")
            try box.ok("start", box.id)
            #expect(created.says("ready"))
        }

        @Test func aStoppedContainerCannotBePaused() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            let pause = try box.runtime("pause", box.id)
            #expect(pause.status == 1 && pause.stderr.contains("container not running"), "\(pause)")
            let resume = try box.runtime("resume", box.id)
            #expect(resume.status == 1 && resume.stderr.contains("container not paused"), "\(resume)")
        }

        @Test(arguments: ["pause", "resume", "ps", "update", "events"])
        func anUnknownContainerIsAnError(command: String) throws {
            let box = try Sandbox.current
            let outcome = try box.runtime(command, box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("container does not exist"), "\(outcome)")
            #expect(outcome.complaints.count == 1, "\(outcome)")
        }

        @Test func pauseNeedsACgroup() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let created = try box.plain([
                "--root", box.root, "--cgroup-manager", "disabled", "create", "--bundle", bundle.directory, box.id,
            ])
            #expect(created.status == 0, "\(created)")
            let outcome = try box.runtime("pause", box.id)
            #expect(
                outcome.status == 1
                    && outcome.stderr.contains("the container has no cgroup, which pausing needs"), "\(outcome)")
            #expect(try box.status() == "created")
        }

        // MARK: kill and delete of a paused one

        @Test(arguments: [["kill", "ID", "KILL"], ["kill", "ID", "9"], ["kill", "--all", "ID", "9"]])
        func aPausedContainerCanBeKilled(words: [String]) throws {
            let box = try Sandbox.current
            _ = try running(box, "child", "hang")
            let pid = try #require(try box.state()["pid"] as? Int)
            try box.ok("pause", box.id)
            let outcome = try box.plain(["--root", box.root] + words.map { $0 == "ID" ? box.id : $0 })
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(box.becomes("stopped"))
            #expect(eventually(5) { !self.isThere(pid) })
            let left = try box.ok("ps", "--format", "json", box.id)
            #expect(left.stdout == "[]\n", "\(left)")
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        @Test func aSignalToAllWaitsForTheResume() throws {
            let box = try Sandbox.current
            let created = try running(box, "wait:TERM:0") { $0.dropNamespace("pid") }
            try box.ok("pause", box.id)
            try box.ok("kill", "--all", box.id, "TERM")
            #expect(try box.status() == "paused", "a signal does not resume it")
            try box.ok("resume", box.id)
            #expect(created.says("got=15"))
            #expect(box.becomes("stopped"))
        }

        @Test func aPausedContainerIsDeletedByForceOnly() throws {
            let box = try Sandbox.current
            _ = try running(box, "child", "hang") { $0.dropNamespace("pid") }
            try box.ok("pause", box.id)
            let refused = try box.runtime("delete", box.id)
            #expect(refused.status == 1 && refused.stderr.contains("that is not stopped: paused"), "\(refused)")
            #expect(try box.status() == "paused")
            try box.ok("delete", "--force", box.id)
            box.expectNothingLeft()
        }

        /// What the init leaves behind without a pid namespace of its own still belongs to the container.
        @Test(arguments: ["KILL", "TERM"])
        func killAllReachesWhatAStoppedContainerLeft(signal: String) throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("child", "exit:0") { $0.dropNamespace("pid") })
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            let before = try box.ok("ps", "--format", "json", box.id).stdout
            #expect(before != "[]\n")
            let alone = try box.runtime("kill", box.id, signal)
            #expect(alone.status == 1 && alone.stderr.contains("container not running"), "\(alone)")
            try box.ok("kill", "--all", box.id, signal)
            #expect(eventually(5) { (try? box.runtime("ps", "--format", "json", box.id).stdout) == "[]\n" })
            // Again, with nobody left: engines expect success.
            try box.ok("kill", "--all", box.id, signal)
        }
    }
}
