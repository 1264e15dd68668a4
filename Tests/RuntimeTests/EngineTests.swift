import Foundation
import Glibc
import Testing

extension AllTests {
    /// Whole lives of containers in the very words of those who call a runtime: go-runc (containerd, BuildKit,
    /// Docker), conmon (Podman, CRI-O), CRI-O itself.
    @Suite struct Engines {
        /// A process document as containerd writes it for exec.
        private func process(_ box: Sandbox, _ args: [String], terminal: Bool = false) throws -> String {
            let object: [String: Any] = [
                "terminal": terminal, "user": ["uid": 0, "gid": 0], "args": args, "cwd": "/",
                "env": ["PATH=/bin"], "noNewPrivileges": true,
                "capabilities": ["bounding": Config.capabilities, "effective": Config.capabilities],
            ]
            let text = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
            return try box.file("process\(UInt32.random(in: 0...UInt32.max)).json", text)
        }

        private func json(_ text: String) throws -> Any { try JSONSerialization.jsonObject(with: Data(text.utf8)) }

        // MARK: containerd

        /// `runc` as go-runc calls it: the globals first, errors in a log of JSON lines.
        private func shim(_ box: Sandbox, _ words: [String], input: String? = nil) throws -> Outcome {
            let globals = ["--root", box.root, "--log", box.path("log.json"), "--log-format", "json"]
            return try box.plain(globals + words, Surroundings(input: input))
        }

        @Test func aContainerdTaskLivesToItsEnd() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("child", "hang")
            let pidFile = bundle.directory + "/init.pid"
            #expect(
                try shim(box, ["create", "--bundle", bundle.directory, "--pid-file", pidFile, box.id]).status == 0)
            let pid = try #require(Int(try String(contentsOfFile: pidFile, encoding: .utf8)), "R1")
            #expect(try state(box)["status"] as? String == "created", "R12, R13")
            #expect(try shim(box, ["start", box.id]).status == 0)
            #expect(try state(box)["status"] as? String == "running")
            #expect(try state(box)["pid"] as? Int == pid)

            let execFile = bundle.directory + "/e1.pid"
            let document = try process(box, ["/probe", "hang"])
            let exec = try shim(
                box, ["exec", "--process", document, "--detach", "--pid-file", execFile, box.id])
            #expect(exec.status == 0, "\(exec)")
            let second = try #require(Int(try String(contentsOfFile: execFile, encoding: .utf8)))

            let list = try json(try shim(box, ["ps", "--format", "json", box.id]).stdout) as? [Int]
            #expect(list?.contains(pid) == true && list?.contains(second) == true, "\(String(describing: list))")
            #expect(try shim(box, ["ps", "--format", "table", box.id, "-o", "pid,cmd"]).stdout.contains("PID CMD"))
            #expect(try shim(box, ["pause", box.id]).status == 0)
            #expect(try state(box)["status"] as? String == "paused")
            #expect(try shim(box, ["resume", box.id]).status == 0)
            #expect(
                try shim(box, ["update", "--resources=-", box.id], input: #"{"unknown": 1}"#).status == 0, "R10")
            let statistics = try json(try shim(box, ["events", "--stats", box.id]).stdout) as? [String: Any]
            #expect(statistics?["type"] as? String == "stats" && statistics?["id"] as? String == box.id)
            let all = try json(try shim(box, ["list", "--format=json"]).stdout) as? [[String: Any]]
            #expect(all?.first?["id"] as? String == box.id)

            #expect(try shim(box, ["delete", box.id]).status == 1, "R9")
            #expect(try shim(box, ["kill", box.id, "15"]).status == 0)
            #expect(try shim(box, ["kill", "--all", box.id, "9"]).status == 0)
            #expect(box.becomes("stopped"))
            #expect(try state(box)["pid"] as? Int == 0, "R13")
            let late = try shim(box, ["kill", box.id, "9"])
            #expect(late.status == 1 && late.stderr.lowercased().contains("container not running"), "R8: \(late)")
            #expect(try shim(box, ["delete", box.id]).status == 0)
            #expect(try shim(box, ["delete", "--force", box.id]).status == 0, "R9")
            #expect(try shim(box, ["state", box.id]).stderr.contains("does not exist"), "R6")
            box.expectNothingLeft()
        }

        /// What go-runc decodes comes from both streams together.
        private func state(_ box: Sandbox) throws -> [String: Any] {
            let outcome = try shim(box, ["state", box.id])
            let merged = outcome.stdout + outcome.stderr
            return try #require(try json(merged) as? [String: Any], "\(outcome)")
        }

        @Test func anErrorIsTheLastLineOfTheLogAndOnStandardError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["nope"])
            let outcome = try shim(box, ["create", "--bundle", bundle.directory, "--pid-file", box.path("p"), box.id])
            #expect(outcome.status == 127)
            let lines = Leftovers.lines(box.path("log.json"))
            let entries = try lines.map { try #require(try json($0) as? [String: Any]) }
            let errors = entries.filter { $0["level"] as? String == "error" }
            #expect(errors.count == 1, "R4: \(lines)")
            let message = try #require(errors.last?["msg"] as? String)
            #expect(message.contains("executable file not found in $PATH") && outcome.stderr.contains(message), "R5")
            let time = try #require(errors.last?["time"] as? String)
            #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/) != nil, "\(time)")
            #expect(!FileManager.default.fileExists(atPath: box.path("p")))
            box.expectNothingLeft()
        }

        /// BuildKit: `run` in the foreground with --keep, its state polled, exec by document, and the step's status
        /// is the payload's.
        @Test func aBuildStepLivesToItsEnd() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["sh", "-c", "until test -e /tmp/go; do sleep 0.02; done; exit 42"])
            let running = try box.begin([
                "--root", box.root, "--log", box.path("runc-log.json"), "--log-format", "json", "run", "--bundle",
                bundle.directory, "--keep", box.id,
            ])
            #expect(box.becomes("running"))
            #expect(try box.state()["bundle"] as? String == bundle.directory)
            let touch = try process(box, ["/bin/busybox", "touch", "/tmp/go"])
            #expect(try shim(box, ["exec", "--process", touch, box.id]).status == 0)
            #expect(running.wait().status == 42, "R7")
            #expect(try box.status() == "stopped")
            #expect(try shim(box, ["delete", box.id]).status == 0)
            box.expectNothingLeft()
        }

        // MARK: conmon and Podman

        @Test func aContainerUnderConmonLivesToItsEnd() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("tty", "hang") { $0["process.terminal"] = true }
            let arguments = ["--log-format=json", "--log", box.path("oci-log"), "--root", box.root]
            // conmon is a subreaper that wants its children to die with it.
            let create = try box.plain(
                arguments + [
                    "create", "--bundle", bundle.directory, "--pid-file", box.path("pidfile"), "--no-new-keyring",
                    "--console-socket", socket.path, box.id,
                ], Surroundings(prefix: ["setpriv", "--pdeathsig", "KILL"]))
            #expect(create.status == 0, "R18: \(create)")
            let terminal = try socket.receive().terminal
            #expect(try box.plain(arguments + ["start", box.id]).status == 0)
            #expect(terminal.reads("ready"), "\(terminal.text)")
            #expect(terminal.facts["tty.controlling"] == "ok")

            let document = try process(box, ["sh", "-c", "echo from exec; exec /probe hang"], terminal: true)
            let exec = try box.plain(
                arguments + [
                    "exec", "--pid-file", box.path("execpid"), "--process", document, "--detach", "--console-socket",
                    socket.path, box.id,
                ], Surroundings(prefix: ["setpriv", "--pdeathsig", "KILL"]))
            #expect(exec.status == 0, "\(exec)")
            #expect(try socket.receive().terminal.reads("from exec"))
            let missing = try process(box, ["nope"])
            let failed = try box.plain(
                arguments + ["exec", "--pid-file", box.path("execpid2"), "--process", missing, "--detach", box.id])
            #expect(failed.status != 0 && !FileManager.default.fileExists(atPath: box.path("execpid2")))
            // Podman finds the class of an error by these words.
            #expect(failed.stderr.contains("executable file not found in"), "\(failed)")
            #expect(try box.plain(arguments + ["kill", box.id, "9"]).status == 0)
            #expect(box.becomes("stopped"))
            #expect(try box.plain(arguments + ["delete", "--force", box.id]).status == 0)
            box.expectNothingLeft()
        }

        /// Helpers that outlive a command must not hold the pipe that the engine reads to its end.
        @Test(arguments: ["create", "exec"])
        func noPipeStaysOpen(command: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let words =
                command == "create"
                ? "\"$0\" --root \(box.root) create --bundle \(bundle.directory) \(box.id) </dev/null >/dev/null"
                : "\"$0\" --root \(box.root) exec --detach \(box.id) sleep 1000 </dev/null >/dev/null 2>&3"
            if command == "exec" {
                _ = try box.create(bundle)
                try box.ok("start", box.id)
            }
            // `cat` ends when nobody has the other end any more; the container itself has its stderr elsewhere.
            let shell =
                command == "create" ? "\(words) 3>&1 2>\(box.path("err")) | cat" : "(\(words)) 3>/dev/null | cat"
            let running = try box.aside(["sh", "-c", shell, Programs.runtime])
            #expect(running.wait(seconds: 10).status == 0, "R15: \(running.stderr)")
            #expect(try box.status() == (command == "create" ? "created" : "running"))
        }

        @Test func podmansQuestionsAboutCheckpointsAreAnswered() throws {
            let box = try Sandbox.current
            #expect(try box.plain(["checkpoint", "--help"]).status == 0, "R16")
            let restore = try box.plain(["restore", "--lsm-mount-context"])
            #expect(restore.status == 1 && restore.stderr.contains("requires an argument"), "R16: \(restore)")
            // go-runc writes one dash only.
            let words = ["restore", "--detach", "-no-subreaper", "--bundle", box.directory, box.id]
            let outcome = try box.plain(["--root", box.root] + words)
            #expect(outcome.status == 1 && outcome.stderr.contains("config.json"), "R11: \(outcome)")
            #expect(outcome.complaints.count == 1)
            #expect((try? box.state()) == nil)
        }

        /// Whether CRIU works is a matter of the kernel: Tests/Checkpoint has the cases, for a machine where it does.
        @Test func aCheckpointIsTakenOrTheContainerGoesOn() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            let words = ["checkpoint", "--image-path", box.path("image"), "--work-path", box.path("work"), box.id]
            let early = try box.plain(["--root", box.root] + words)
            #expect(early.status == 1 && early.stderr.contains("cannot be checkpointed in created state"), "\(early)")
            try box.ok("start", box.id)
            let outcome = try box.plain(["--root", box.root] + words)
            if outcome.status == 0 {
                #expect((try? box.state()) == nil)
                return
            }
            #expect(outcome.status == 1 && outcome.stderr.contains("CRIU"), "\(outcome)")
            #expect(outcome.complaints.count == 1, "\(outcome)")
            #expect(try box.status() == "running")
            #expect(!FileManager.default.fileExists(atPath: box.path("image")), "half an image is left")
        }

        @Test(arguments: [
            ["--page-server", "nowhere"], ["--page-server", ":7000"], ["--page-server", "a:0"], ["--empty-ns", "ipc"],
            ["--manage-cgroups-mode", "hard"], ["--network-lock", "ebtables"], ["--pre-dump", "--lazy-pages"],
            ["--status-fd", "3"], ["--status-fd", "x"],
        ])
        func flagsOfCheckpointsThatMeanNothingAreErrors(flags: [String]) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root, "checkpoint"] + flags + [box.id])
            #expect(outcome.status == 1 && outcome.stderr.contains(flags[0]), "\(outcome)")
        }

        // MARK: CRI-O

        @Test func criosCallsAreAnswered() throws {
            let box = try Sandbox.current
            let features = try box.plain(["features"])
            let object = try json(features.stdout + features.stderr) as? [String: Any]
            #expect(object?["ociVersionMin"] != nil && object?["ociVersionMax"] != nil, "R3")
            _ = try box.create(try box.bundle("hang"))
            let root = ["--root", box.root]
            #expect(try box.plain(root + ["start", box.id]).status == 0)
            let update = try box.plain(
                root + ["update", "--resources", "-", box.id], Surroundings(input: #"{"devices": []}"#))
            #expect(update.status == 0, "\(update)")
            let document = try process(box, ["sh", "-c", "echo probe; exit 3"])
            let probe = try box.plain(root + ["exec", "--process", document, box.id])
            #expect(probe.status == 3 && probe.stdout == "probe\n", "exec-sync: \(probe)")
            #expect(try box.plain(root + ["kill", box.id, "KILL"]).status == 0)
            #expect(box.becomes("stopped"))
            #expect(try box.plain(root + ["delete", "--force", box.id]).status == 0)
        }

        // MARK: What they decode

        /// go-runc reads these into fields of fixed types, from `state` and from `list`; a key that is missing or of
        /// another type is an error there.
        @Test func stateAndListHaveTheTypesThatEnginesDecode() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang") { $0["annotations"] = ["note": "kept"] })
            let list = try json(try shim(box, ["list", "--format=json"]).stdout) as? [[String: Any]]
            for entry in [try state(box), try #require(list?.first)] {
                for key in ["ociVersion", "id", "status", "bundle", "rootfs", "created"] {
                    #expect((entry[key] as? String)?.isEmpty == false, "\(key): \(entry)")
                }
                #expect(entry["pid"] is Int && (entry["annotations"] as? [String: String])?["note"] == "kept")
                #expect(entry["owner"] is String, "\(entry)")
                let created = try #require(entry["created"] as? String)
                let form = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z/
                #expect(created.wholeMatch(of: form) != nil, "RFC 3339: \(created)")
            }
            try box.ok("delete", "--force", box.id)
            #expect(try shim(box, ["list", "--format=json"]).stdout.hasPrefix("["), "of none an empty list")
        }

        /// Docker takes the last line with the word `version`, go-runc and Podman the first line.
        @Test func oneLineHoldsTheWordVersion() throws {
            let outcome = try Sandbox.current.plain(["--version"])
            let lines = outcome.stdout.split(separator: "\n")
            #expect(lines.first?.wholeMatch(of: /runbox version \S+/) != nil && outcome.stderr.isEmpty, "\(outcome)")
            #expect(lines.filter { $0.contains("version") }.count == 1, "R2: \(lines)")
            #expect(lines.contains { $0.wholeMatch(of: /spec: 1\.\d+\.\d+.*/) != nil }, "R2: \(lines)")
        }

        /// From these containerd 2 and CRI-O tell whether pods can have user namespaces and recursive read-only
        /// mounts: of both streams together, one document.
        @Test func featuresSayWhatPodsCanHave() throws {
            let outcome = try Sandbox.current.plain(["features"])
            let features = try #require(try json(outcome.stdout + outcome.stderr) as? [String: Any], "R3")
            let linux = try #require(features["linux"] as? [String: Any])
            #expect((linux["namespaces"] as? [String])?.contains("user") == true)
            let idmap = (linux["mountExtensions"] as? [String: Any])?["idmap"] as? [String: Any]
            #expect(idmap?["enabled"] as? Bool == true, "\(linux)")
            #expect((features["mountOptions"] as? [String])?.contains("rro") == true)
        }
    }
}
