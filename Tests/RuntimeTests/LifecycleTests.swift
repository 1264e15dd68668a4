import Foundation
import Glibc
import Testing

extension AllTests {
    /// create, start, state, kill, delete, list
    @Suite struct Lifecycle {
        @Test func aContainerGoesFromCreatedToGone() throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("say:hello", "hang"))
            #expect(try box.status() == "created")
            #expect(created.stdout == "", "the payload waits for start")
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            #expect(try box.status() == "running")
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            #expect(try box.state()["pid"] as? Int == 0)
            try box.ok("delete", box.id)
            let outcome = try box.runtime("state", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("container does not exist"), "\(outcome)")
            box.expectNothingLeft()
        }

        @Test func theStateHasEveryField() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { $0["annotations"] = ["a.b/c": "d", "empty": ""] }
            _ = try box.create(bundle)
            let state = try box.state()
            #expect((state["ociVersion"] as? String)?.hasPrefix("1.") == true)
            #expect(state["id"] as? String == box.id && state["bundle"] as? String == bundle.directory)
            #expect(state["rootfs"] as? String == bundle.rootfs)
            #expect(state["annotations"] as? [String: String] == ["a.b/c": "d", "empty": ""])
            let pid = try #require(state["pid"] as? Int)
            #expect(FileManager.default.fileExists(atPath: "/proc/\(pid)"))
            let created = try #require(state["created"] as? String)
            let format = ISO8601DateFormatter()
            format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
            let short = created.replacing(/\.(\d{3})\d*/) { "." + $0.1 }
            let date = try #require(
                format.date(from: short) ?? ISO8601DateFormatter().date(from: created), "\(created)")
            #expect(abs(date.timeIntervalSinceNow) < 600 && created.hasSuffix("Z"), "\(created)")
            #expect(state["owner"] != nil)
        }

        @Test func stateAndItsErrorsKeepStandardErrorClean() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            let outcome = try box.runtime("state", box.id)
            // An engine reads both streams as one JSON object.
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
        }

        // MARK: What a status does not allow

        @Test func aSecondStartIsRefused() throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("hang"))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let outcome = try box.runtime("start", box.id)
            #expect(
                outcome.status == 1 && outcome.stderr.contains("cannot start an already running container"),
                "\(outcome)")
            #expect(try box.status() == "running")
        }

        @Test func aStoppedContainerCannotBeStarted() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            let outcome = try box.runtime("start", box.id)
            #expect(
                outcome.status == 1 && outcome.stderr.contains("cannot start a container that has stopped"),
                "\(outcome)")
        }

        @Test func aStoppedContainerCannotBeKilled() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            for words in [["kill", box.id], ["kill", box.id, "9"], ["kill", box.id, "TERM"]] {
                let outcome = try box.plain(["--root", box.root] + words)
                #expect(outcome.status == 1 && outcome.stderr.contains("container not running"), "\(outcome)")
            }
        }

        @Test func aRunningContainerCannotBeDeleted() throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("hang"))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let outcome = try box.runtime("delete", box.id)
            #expect(
                outcome.status == 1
                    && outcome.stderr.contains("cannot delete container \(box.id) that is not stopped: running"),
                "\(outcome)")
            #expect(try box.status() == "running")
            try box.ok("delete", "--force", box.id)
            box.expectNothingLeft()
        }

        @Test func aCreatedContainerCanBeDeleted() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("say:it ran"))
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        @Test(arguments: ["state", "start", "kill", "delete", "wait"])
        func anUnknownContainerIsAnError(command: String) throws {
            let box = try Sandbox.current
            let outcome = try box.runtime(command, box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("container does not exist"), "\(outcome)")
            #expect(outcome.complaints.count == 1, "\(outcome)")
        }

        @Test(arguments: [["delete", "--force"], ["delete", "-f"]])
        func aForcedDeleteOfNothingSucceeds(words: [String]) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root] + words + [box.id])
            #expect(outcome.status == 0, "\(outcome)")
        }

        @Test func twoContainersCannotHaveOneName() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            let second = try box.bundle("say:it ran")
            for command in ["create", "run"] {
                let outcome = try box.runtime(command, "--bundle", second.directory, box.id)
                #expect(outcome.status == 1 && outcome.stderr.contains("already exists"), "\(outcome)")
                #expect(outcome.complaints.count == 1 && outcome.stdout == "", "\(outcome)")
            }
            #expect(try box.status() == "created", "the first one is unharmed")
        }

        @Test func theNameCanBeUsedAgain() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            for _ in 0..<3 { #expect(try box.run(bundle).stdout == "hello\n") }
        }

        @Test func aHalfMadeContainerCanBeDeleted() throws {
            let box = try Sandbox.current
            try box.folder("root/" + box.id)
            let list = try box.runtime("list", "-q")
            #expect(list.status == 0 && list.stdout == "", "\(list)")
            try box.ok("delete", "--force", box.id)
            #expect(!FileManager.default.fileExists(atPath: box.root + "/" + box.id))
        }

        @Test func aPlainDeleteRemovesAHalfMadeContainer() throws {
            let box = try Sandbox.current
            try box.folder("root/" + box.id)
            _ = try box.runtime("delete", box.id)
            #expect(!FileManager.default.fileExists(atPath: box.root + "/" + box.id))
        }

        @Test func aRuntimeThatDiesInCreateLeavesNothingRunning() throws {
            let box = try Sandbox.current
            let script = try box.file(
                "hook.sh",
                "#!/bin/sh\necho $$ > \(box.path("draft"))\nmv \(box.path("draft")) \(box.path("in-hook"))\nexec sleep 1000\n",
                mode: 0o755)
            let bundle = try box.bundle("say:it ran") { $0["hooks.createRuntime"] = [["path": script]] }
            let running = try box.begin(["--root", box.root, "create", "--bundle", bundle.directory, box.id])
            #expect(eventually(10) { FileManager.default.fileExists(atPath: box.path("in-hook")) })
            running.signal(SIGKILL)
            _ = running.wait()
            // The hook may live on, it is the host's program; the container must go.
            let hook = try #require(
                Int32(try String(contentsOfFile: box.path("in-hook"), encoding: .utf8).prefix { $0.isNumber }))
            kill(hook, SIGKILL)
            #expect(try box.runtime("delete", "--force", box.id).status == 0)
        }

        @Test func changesOfTheConfigAfterCreateDoNotMatter() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:first")
            let created = try box.create(bundle)
            try bundle.write(Config(args: ["/probe", "say:second"]))
            try box.ok("start", box.id)
            #expect(created.says("first") && !created.stdout.contains("second"))
            try FileManager.default.removeItem(atPath: bundle.configPath)
            #expect(box.becomes("stopped"))
            try box.ok("delete", box.id)
        }

        // MARK: Pid files

        @Test func createWritesThePidFile() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"), flags: ["--pid-file", box.path("pid")])
            let text = try String(contentsOfFile: box.path("pid"), encoding: .utf8)
            #expect(try text == String(#require(try box.state()["pid"] as? Int)), "digits only, no newline")
            let others = try FileManager.default.contentsOfDirectory(atPath: box.directory).filter {
                $0.contains("pid")
            }
            #expect(others == ["pid"], "its draft is gone: \(others)")
        }

        @Test func runWritesThePidFile() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("hang"), flags: ["--pid-file=" + box.path("pid")])
            #expect(running.says("ready"))
            #expect(
                try String(contentsOfFile: box.path("pid"), encoding: .utf8)
                    == String(#require(try box.state()["pid"] as? Int)))
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
        }

        @Test func aPidFileThatCannotBeWrittenIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refuse(flags: ["--pid-file", box.path("absent/pid")])
            #expect(line.contains(box.path("absent/")), "\(line)")
            // An engine takes these words for a container that is gone.
            #expect(!line.contains("does not exist"), "\(line)")
        }

        // MARK: list

        @Test func listShowsEveryContainer() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            for suffix in ["b", "a"] { _ = try box.create(bundle, id: box.id(suffix)) }
            try box.ok("kill", box.id("a"), "KILL")
            #expect(box.becomes("stopped", id: box.id("a")))
            let table = try box.ok("list").stdout.split(separator: "\n").map {
                $0.split(separator: " ").map(String.init)
            }
            #expect(table.first == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], "\(table)")
            #expect(table.dropFirst().map { $0[0] } == [box.id("a"), box.id("b")], "\(table)")
            #expect(table.dropFirst().map { $0[2] } == ["stopped", "created"] && table[1][1] == "0", "\(table)")
            #expect(table[1][3] == bundle.directory, "\(table)")
            #expect(try box.ok("list", "--quiet").stdout == "\(box.id("a"))\n\(box.id("b"))\n")
            let json =
                try JSONSerialization.jsonObject(with: Data(try box.ok("list", "--format", "json").stdout.utf8))
                as? [[String: Any]]
            #expect(json?.count == 2)
            for entry in json ?? [] {
                for key in ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner"] {
                    #expect(entry[key] != nil, "\(key)")
                }
            }
        }

        @Test func aBrokenEntryDoesNotStopTheList() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            try box.file("root/broken/state.json", "{")
            try box.file("root/broken/status", "{")
            let outcome = try box.runtime("list", "-q")
            #expect(outcome.status == 0 && outcome.stdout.contains(box.id), "\(outcome)")
            try FileManager.default.removeItem(atPath: box.root + "/broken")
        }

        // MARK: kill

        @Test(arguments: ["TERM", "SIGTERM", "15", "term", "sigterm", ""])
        func signalsAreTakenByNameAndNumber(word: String) throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("wait:TERM:0"))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let outcome = try box.plain(["--root", box.root, "kill", box.id] + (word.isEmpty ? [] : [word]))
            #expect(outcome.status == 0 && outcome.stdout == "" && outcome.stderr == "", "\(outcome)")
            #expect(created.says("got=15"))
            #expect(box.becomes("stopped"))
        }

        @Test(arguments: ["FOO", "SIG", "0x9", "-1", "999"])
        func unknownSignalsAreRefused(word: String) throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            let outcome = try box.runtime("kill", box.id, word)
            #expect(outcome.status == 1, "\(outcome)")
            if word == "FOO" { #expect(outcome.stderr.contains(#"unknown signal "FOO""#), "\(outcome)") }
            #expect(try box.status() == "created")
        }

        @Test(arguments: ["RTMIN+3", "SIGRTMIN+3", "37"])
        func realTimeSignalsAreSent(word: String) throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("wait:37:0"))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            try box.ok("kill", box.id, word)
            #expect(created.says("got=37"))
        }

        @Test func aCreatedContainerCanBeKilled() throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("say:it ran"))
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            #expect(created.stdout == "")
            try box.ok("delete", box.id)
        }
    }

    /// `run`
    @Suite struct Run {
        @Test(arguments: [0, 1, 5, 42, 126, 127, 255])
        func runExitsWithThePayloadsStatus(code: Int) throws {
            let box = try Sandbox.current
            #expect(try box.run(try box.bundle("exit:\(code)")).status == code)
        }

        @Test(arguments: [("KILL", 137), ("SEGV", 139), ("ABRT", 134)])
        func anEndBySignalIsAnExitStatus(name: String, status: Int) throws {
            let box = try Sandbox.current
            // The first process of a pid namespace cannot kill itself; a child of the host's namespace can.
            let bundle = try box.bundle("kill:\(name)") { $0.dropNamespace("pid") }
            #expect(try box.run(bundle).status == status)
        }

        @Test func aDetachedRunReturnsAtOnce() throws {
            let box = try Sandbox.current
            for flag in ["--detach", "-d"] {
                let outcome = try box.run(try box.bundle("hang"), id: box.id(flag), flags: [flag])
                #expect(outcome.status == 0, "\(outcome)")
                #expect(try box.status(box.id(flag)) == "running")
                try box.ok("kill", box.id(flag), "KILL")
                #expect(box.becomes("stopped", id: box.id(flag)))
            }
        }

        @Test func aDetachedOneHoldsNoPipeOfTheCaller() throws {
            let box = try Sandbox.current
            // The payload closes its own; a helper of the runtime that kept them open would keep the reader waiting.
            let bundle = try box.bundle(args: ["sh", "-c", "exec sleep 1000 <&- >&- 2>&-"])
            let script =
                "( \"$0\" --root \"$1\" run --detach --bundle \"$2\" \"$3\"; echo status $? ) 2>&1 | cat; echo done"
            let running = try box.aside(["sh", "-c", script, Programs.runtime, box.root, bundle.directory, box.id])
            let outcome = running.wait(seconds: 15)
            #expect(outcome.stdout == "status 0\ndone\n", "\(outcome)")
        }

        @Test func keepKeepsTheContainer() throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.bundle("exit:4"), flags: ["--keep"])
            #expect(outcome.status == 4)
            #expect(try box.status() == "stopped")
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        @Test func withoutKeepNothingStays() throws {
            let box = try Sandbox.current
            #expect(try box.run(try box.bundle("exit:4")).status == 4)
            box.expectNothingLeft()
        }

        @Test func theStateIsRunningWhileItRuns() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("hang"))
            #expect(running.says("ready"))
            #expect(try box.status() == "running")
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
        }

        @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGCONT])
        func signalsAreForwarded(number: Int32) throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("record"))
            #expect(running.says("ready"))
            running.signal(number)
            #expect(running.says("signal=\(number)\n"), "\(running.stdout)")
            if number != SIGTERM { running.signal(SIGTERM) }
            #expect(running.wait().status == 0)
        }

        @Test func aSignalBeforeThePayloadHandlesItLeavesNothing() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("sleep:200", "exit:6"))
            running.signal(SIGUSR1)
            // Lost or delivered, to the payload or to a runtime that does not handle it yet; nothing may stay, which
            // is searched for.
            let outcome = running.wait()
            #expect([6, 128 + Int(SIGUSR1)].contains(outcome.status), "\(outcome)")
        }

        @Test func orphansComeToTheRuntimeAndAreReaped() throws {
            let box = try Sandbox.current
            let running = try box.runAside(
                try box.bundle("orphan:50", "sleep:300", "say:end") { $0.dropNamespace("pid") })
            #expect(running.says("orphan.parent="))
            #expect(running.facts["orphan.parent"] == String(running.pid), "\(running.stdout)")
            #expect(running.wait().status == 0)
        }

        @Test func withoutASubreaperOrphansGoElsewhere() throws {
            let box = try Sandbox.current
            let running = try box.runAside(
                try box.bundle("orphan:50", "sleep:300", "say:end") { $0.dropNamespace("pid") },
                flags: ["--no-subreaper"])
            #expect(running.says("orphan.parent="))
            #expect(running.facts["orphan.parent"] != String(running.pid), "\(running.stdout)")
            #expect(running.wait().status == 0)
        }

        @Test func createTakesNoSubreaper() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"), flags: ["-no-subreaper"])
            #expect(try box.status() == "created")
            try box.ok("delete", box.id)
        }

        @Test func theStatusIsThePayloadsNotAnOrphans() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["sh", "-c", "(sleep 0.05; exit 9) & (exit 8) & sleep 0.2; exit 7"]) {
                $0.dropNamespace("pid")
            }
            #expect(try box.run(bundle).status == 7)
        }

        @Test func theContainerOutlivesAKilledRuntime() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("hang"))
            #expect(running.says("ready"))
            running.signal(SIGKILL)
            _ = running.wait()
            #expect(try box.status() == "running")
            try box.ok("delete", "--force", box.id)
        }

        @Test func aParentDeathSignalIsNotInherited() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("process"), with: Surroundings(prefix: ["setpriv", "--pdeathsig", "KILL"]))
            #expect(outcome.status == 0 && outcome["pdeathsig"] == "0", "\(outcome)")
        }

        @Test func closedStandardStreamsAreReplaced() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("fds", "save:/fds", "fds"),
                with: Surroundings(prefix: ["sh", "-c", "exec \"$0\" \"$@\" <&- 2>&-"]))
            #expect(outcome.status == 0, "\(outcome)")
        }
    }
}
