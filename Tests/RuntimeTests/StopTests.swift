import Foundation
import Testing

extension AllTests {
    /// stop, what kill says to a person, and whose keyboard it is.
    @Suite struct Stopping {
        /// A container that runs and is nobody's child here.
        private static func started(
            _ box: Sandbox, _ verbs: String..., edit: (inout Config) throws -> Void = { _ in }
        ) throws {
            let created = try box.create(try box.bundle(args: ["/probe"] + verbs, edit: edit))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
        }

        private static func exitCode(_ box: Sandbox) throws -> Int? {
            (try box.state()["exit"] as? [String: Any])?["code"] as? Int
        }

        @Test func aServiceThatTakesTheSignalEndsByItself() throws {
            let box = try Sandbox.current
            try Self.started(box, "wait:TERM:7")
            let outcome = try box.ok("stop", box.id)
            #expect(outcome.stdout == "" && outcome.stderr == "", "\(outcome)")
            #expect(try box.status() == "stopped")
            #expect(try Self.exitCode(box) == 7)
            // Once more, as a script may.
            #expect(try box.ok("stop", box.id).stderr == "")
            try box.ok("delete", box.id)
        }

        @Test(arguments: [["--timeout", "200ms"], ["-t", "0"], ["--timeout=0.2"]])
        func whoDoesNotEndIsKilled(flags: [String]) throws {
            let box = try Sandbox.current
            try Self.started(box, "ignore:TERM", "hang")
            let outcome = try box.plain(["--root", box.root, "stop"] + flags + [box.id])
            #expect(outcome.status == 0 && outcome.stderr.contains("of SIGTERM, and is killed"), "\(outcome)")
            #expect(outcome.stderr.contains("ignores that signal"), "\(outcome)")
            #expect(try Self.exitCode(box) == 137)
        }

        /// Process 1 is deaf to what it has no handler for.
        @Test func theReasonIsSaid() throws {
            let box = try Sandbox.current
            try Self.started(box, "hang")
            let outcome = try box.runtime("stop", "-t", "100ms", box.id)
            #expect(outcome.status == 0 && outcome.stderr.contains("process 1 of a pid namespace"), "\(outcome)")
        }

        @Test(arguments: [("SIGUSR1", "USR1"), ("12", "USR2"), ("RTMIN+3", "37"), ("", "TERM")])
        func theAnnotationNamesTheSignal(text: String, waitsFor: String) throws {
            let box = try Sandbox.current
            try Self.started(box, "wait:\(waitsFor):5") {
                $0["annotations"] = ["org.opencontainers.image.stopSignal": text]
            }
            #expect(try box.ok("stop", box.id).stderr == "")
            #expect(try Self.exitCode(box) == 5)
        }

        @Test func theFlagWinsOverTheAnnotation() throws {
            let box = try Sandbox.current
            try Self.started(box, "wait:INT:5") {
                $0["annotations"] = ["org.opencontainers.image.stopSignal": "SIGNOTHING"]
            }
            let unknown = try box.runtime("stop", box.id)
            #expect(unknown.status == 1 && unknown.stderr.contains("unknown signal \"SIGNOTHING\""), "\(unknown)")
            #expect(unknown.stderr.contains("--signal"), "\(unknown)")
            #expect(try box.status() == "running")
            try box.ok("stop", "-s", "int", box.id)
            #expect(try Self.exitCode(box) == 5)
        }

        @Test func whatWasNeverStartedIsKilledAtOnce() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            let outcome = try box.ok("stop", box.id)
            #expect(outcome.stderr == "", "\(outcome)")
            #expect(try box.status() == "stopped")
        }

        @Test(.needsCgroupTree) func aPausedContainerRunsOnToTakeTheSignal() throws {
            let box = try Sandbox.current
            try Self.started(box, "wait:TERM:7") { $0["linux.cgroupsPath"] = "/\(box.id)" }
            try box.ok("pause", box.id)
            #expect(try box.ok("stop", box.id).stderr == "")
            #expect(try Self.exitCode(box) == 7)
        }

        @Test func aForegroundRunGoesOnToDeleteItsContainer() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("wait:TERM:7"))
            #expect(running.says("ready"))
            #expect(try box.ok("stop", box.id).stderr == "")
            #expect(running.wait().status == 7)
            #expect(try box.runtime("state", box.id).status == 1)
        }

        @Test(arguments: [
            ["stop", "absent"], ["stop", "--timeout", "soon", "absent"], ["stop", "--signal", "LOUD", "absent"],
            ["stop", "--signal", "0", "absent"], ["stop"],
        ])
        func mistakesAreErrors(words: [String]) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root] + words)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
        }

        // MARK: kill

        @Test func killExplainsOnATerminalThatNothingHappens() throws {
            let box = try Sandbox.current
            try Self.started(box, "ignore:TERM", "hang")
            let terminal = try Terminal()
            let outcome = try box.plain(
                ["--root", box.root, "kill", box.id, "TERM"], Surroundings(terminal: terminal.path))
            #expect(outcome.status == 0)
            #expect(terminal.reads("SIGTERM changes nothing"), "\(terminal.text)")
            #expect(terminal.text.contains("runbox stop \(box.id)"), "\(terminal.text)")
            // Engines read what is said elsewhere, and go on by themselves.
            #expect(try box.ok("kill", box.id, "TERM").stderr == "")
        }

        @Test(arguments: ["TERM", "KILL"]) func killOfWhoTakesTheSignalSaysNothing(signal: String) throws {
            let box = try Sandbox.current
            try Self.started(box, "wait:TERM:0")
            let terminal = try Terminal()
            let outcome = try box.plain(
                ["--root", box.root, "kill", box.id, signal], Surroundings(terminal: terminal.path))
            terminal.pump()
            #expect(outcome.status == 0 && terminal.text == "", "\(terminal.text)")
            #expect(box.becomes("stopped"))
        }

        // MARK: The keyboard

        /// The payload of `run --detach`, of `create` and of `exec --detach` leaves the terminal's input to the caller,
        /// and writes to it all the same.
        @Test func whoIsLeftBehindReadsNoKeyboard() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let surroundings = Surroundings(terminal: terminal.path)
            let bundle = try box.bundle("stdin", "say:it goes on", "hang")
            let flags = ["--root", box.root]
            _ = try box.plain(flags + ["run", "--detach", "-b", bundle.directory, box.id("a")], surroundings)
            #expect(terminal.reads("it goes on"), "\(terminal.text)")
            #expect(terminal.facts["stdin"] == "", "\(terminal.text)")
            _ = try box.plain(
                flags + ["exec", "--detach", box.id("a"), "/probe", "stdin", "say:exec too"], surroundings)
            #expect(terminal.reads("exec too"), "\(terminal.text)")
            _ = try box.plain(flags + ["create", "-b", bundle.directory, box.id("b")], surroundings)
            _ = try box.plain(flags + ["start", box.id("b")], surroundings)
            #expect(
                eventually(10) {
                    terminal.pump()
                    return terminal.text.components(separatedBy: "it goes on").count == 3
                }, "\(terminal.text)")
        }

        /// Pipes and files are an engine's.
        @Test func filesAndPipesArePassedOn() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stdin", "say:done", "hang")
            let running = try box.runAside(bundle, flags: ["--detach"], with: Surroundings(input: "typed\n"))
            #expect(running.wait().status == 0)
            #expect(running.says("done") && running.facts["stdin"] == "typed\n", "\(running.stdout)")
        }

        @Test func inTheForegroundTheKeyboardIsThePayloads() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let running = try box.runAside(
                try box.bundle("say:ready", "cat"), with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("ready"))
            terminal.type("typed\n\u{4}")
            #expect(running.wait().status == 0)
            #expect(terminal.text.contains("typed") || terminal.reads("typed"), "\(terminal.text)")
        }
    }
}
