import Foundation
import Glibc
import Testing

extension AllTests {
    /// hooks: the six kinds
    @Suite struct Hooks {
        static let kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]

        /// A folder that has the same path on the host and in the container, where all hooks write.
        private func log(_ box: Sandbox) throws -> String { try box.folder("log", mode: 0o777) }

        private func bundle(
            _ box: Sandbox, kinds: [String] = kinds, verbs: [String], edit: (inout Config) throws -> Void = { _ in }
        ) throws -> Bundle {
            let log = try log(box)
            let probe = try Programs.probe.get()
            return try box.bundle("say:the payload", "save:\(log)/order", "say:payload") {
                $0.addMount(log, type: "none", source: log, options: ["bind"])
                for kind in kinds {
                    let own = verbs.map {
                        $0.replacingOccurrences(of: "KIND", with: kind).replacingOccurrences(of: "LOG", with: log)
                    }
                    $0["hooks.\(kind).+"] =
                        ["path": kind == "startContainer" ? "/probe" : probe, "args": ["hook"] + own] as [String: Any]
                }
                try edit(&$0)
            }
        }

        private func read(_ box: Sandbox, _ name: String) -> Facts {
            Facts((try? String(contentsOfFile: box.path("log/" + name), encoding: .utf8)) ?? "")
        }

        /// A moment that `features` names has to be tried here.
        @Test func everyMomentIsTried() throws {
            let text = try Sandbox.current.plain(["features"]).stdout
            let features = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(features["hooks"] as? [String] == Self.kinds, "\(text)")
        }

        @Test func hooksRunInTheSpecifiedOrder() throws {
            let box = try Sandbox.current
            let outcome = try box.run(try bundle(box, verbs: ["save:LOG/order", "say:KIND"]))
            #expect(outcome.status == 0 && outcome.stdout == "the payload\n" && outcome.stderr == "", "\(outcome)")
            let order = read(box, "order").text.split(separator: "\n").map(String.init)
            // The payload and the poststart hooks run at the same time.
            #expect(order.filter { $0 != "payload" } == Self.kinds, "\(order)")
            let payload = try #require(order.firstIndex(of: "payload"))
            #expect(
                try payload > #require(order.firstIndex(of: "startContainer"))
                    && payload < #require(order.firstIndex(of: "poststop")), "\(order)")
        }

        @Test func hooksOfAKindRunInTheConfigsOrder() throws {
            let box = try Sandbox.current
            let log = try log(box)
            let probe = try Programs.probe.get()
            let bundle = try box.bundle("say:hello") {
                for number in 1...3 {
                    $0["hooks.createRuntime.+"] =
                        ["path": probe, "args": ["hook", "save:\(log)/order", "say:\(number)"]] as [String: Any]
                }
            }
            #expect(try box.run(bundle).status == 0)
            #expect(read(box, "order").text == "1\n2\n3\n")
        }

        @Test func createStartAndDeleteRunTheirOwnHooks() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, verbs: ["save:LOG/order", "say:KIND"]) {
                $0["process.args"] = ["/probe", "hang"]
            }
            func order() -> [String] { read(box, "order").text.split(separator: "\n").map(String.init) }
            _ = try box.create(bundle)
            #expect(order() == ["prestart", "createRuntime", "createContainer"])
            try box.ok("start", box.id)
            #expect(order() == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"])
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            #expect(order().last == "poststart")
            try box.ok("delete", box.id)
            #expect(order().last == "poststop")
        }

        @Test(arguments: kinds)
        func hooksReadTheStateOnStandardInput(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["save:LOG/KIND", "stdin", "process"]) {
                $0["annotations"] = ["org.example.key": "value"]
            }
            #expect(try box.run(bundle).status == 0)
            let facts = read(box, kind)
            let state =
                try JSONSerialization.jsonObject(with: Data((facts["stdin"] ?? "").utf8)) as? [String: Any] ?? [:]
            #expect(state["id"] as? String == box.id && state["bundle"] as? String == bundle.directory, "\(facts)")
            #expect((state["ociVersion"] as? String)?.hasPrefix("1.") == true, "\(facts)")
            #expect((state["annotations"] as? [String: String])?["org.example.key"] == "value", "\(facts)")
            let statuses = [
                "prestart": "created", "startContainer": "created", "poststart": "running", "poststop": "stopped",
            ]
            #expect(state["status"] as? String == statuses[kind] ?? "creating", "\(facts)")
            let pid = state["pid"] as? Int
            switch kind {
            case "createContainer", "startContainer": #expect(pid == 1, "as the container sees it: \(facts)")
            case "poststop": #expect(pid == nil || pid == 0, "\(facts)")
            default: #expect((pid ?? 0) > 1, "\(facts)")
            }
        }

        @Test(arguments: kinds)
        func hooksRunInTheSpecifiedNamespaces(kind: String) throws {
            let box = try Sandbox.current
            let host = try box.aside([try Programs.probe.get(), "ns"]).wait()
            let bundle = try bundle(box, kinds: [kind], verbs: ["save:LOG/KIND", "ns"])
            #expect(try box.run(bundle).status == 0)
            let seen = read(box, kind)
            let inside = kind == "createContainer" || kind == "startContainer"
            #expect((seen["ns.mnt"] != host["ns.mnt"]) == inside, "\(seen)")
            #expect(
                (seen["ns.net"] != host["ns.net"]) == inside && (seen["ns.uts"] != host["ns.uts"]) == inside, "\(seen)")
        }

        @Test func createContainerComesBeforeThePivot() throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, kinds: ["createContainer"],
                verbs: ["save:LOG/KIND", "stat:\(try Programs.probe.get())", "mount:/"])
            #expect(try box.run(bundle).status == 0)
            #expect(read(box, "createContainer")["stat.\(try Programs.probe.get())"]?.hasPrefix("file") == true)
        }

        @Test func startContainerSeesTheContainersFiles() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["startContainer"], verbs: ["save:LOG/KIND", "list:/", "uts"])
            #expect(try box.run(bundle).status == 0)
            let seen = read(box, "startContainer")
            #expect(seen.words("list./").contains("probe") && seen["hostname"] == "runbox", "\(seen)")
        }

        @Test(arguments: kinds)
        func aHooksEnvironmentIsOnlyItsOwn(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["save:LOG/KIND", "env", "fds", "args"]) {
                $0["hooks.\(kind).0.env"] = ["MINE=yes", "OTHER=a=b"]
            }
            let outcome = try box.run(bundle, with: Surroundings(environment: ["LEAK": "host"]))
            #expect(outcome.status == 0, "\(outcome)")
            let seen = read(box, kind)
            #expect(seen["env.MINE"] == "yes" && seen["env.OTHER"] == "a=b" && seen["env"] == "2", "\(seen)")
            #expect(seen["fds"] == "0 1 2" && seen["argv.0"] == "hook", "\(seen)")
        }

        @Test(arguments: ["prestart", "createRuntime", "createContainer", "poststart", "poststop"])
        func withoutEnvAHookHasTheRuntimes(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["save:LOG/KIND", "env"]) {
                $0["process.env"] = ["PATH=/bin", "PAYLOAD=yes"]
            }
            let surroundings = Surroundings(environment: ["MINE": "host", "PATH": "/usr/bin:/bin"])
            #expect(try box.run(bundle, with: surroundings).status == 0)
            let seen = read(box, kind)
            #expect(seen["env.MINE"] == "host" && seen["env.PATH"] == "/usr/bin:/bin", "\(seen)")
            #expect(seen["env.PAYLOAD"] == nil, "\(seen)")
        }

        /// The program is the image's, and so is its environment.
        @Test func withoutEnvAStartContainerHookHasThePayloads() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["startContainer"], verbs: ["save:LOG/KIND", "env"]) {
                $0["process.env"] = ["PATH=/bin", "PAYLOAD=yes"]
            }
            #expect(try box.run(bundle, with: Surroundings(environment: ["LEAK": "host"])).status == 0)
            let seen = read(box, "startContainer")
            #expect(seen["env.PAYLOAD"] == "yes" && seen["env.LEAK"] == nil, "\(seen)")
        }

        @Test(arguments: kinds)
        func anEmptyEnvIsOne(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["save:LOG/KIND", "env"]) {
                $0["hooks.\(kind).0.env"] = [String]()
            }
            let outcome = try box.run(
                bundle, with: Surroundings(environment: ["LEAK": "host", "TRACEPARENT": "00-ab-cd-01"]))
            #expect(outcome.status == 0, "\(outcome)")
            #expect(read(box, kind)["env"] == "0")
        }

        @Test(arguments: kinds)
        func hooksBeginWhereTheOthersRunThem(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["save:LOG/KIND", "cwd"]) {
                $0["process.cwd"] = "/tmp"
            }
            #expect(try box.run(bundle, with: Surroundings(directory: "/")).status == 0)
            let places = ["createContainer": bundle.directory + "/rootfs", "startContainer": "/tmp"]
            let seen = read(box, kind)
            #expect(seen["cwd"] == places[kind] ?? bundle.directory, "\(seen)")
        }

        @Test func poststopHooksRunWithoutTheirBundle() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["poststop"], verbs: ["save:LOG/KIND", "cwd"])
            _ = try box.create(bundle)
            try FileManager.default.removeItem(atPath: bundle.directory)
            #expect(try box.runtime("delete", box.id, with: Surroundings(directory: "/")).status == 0)
            #expect(read(box, "poststop")["cwd"] == "/", "\(read(box, "poststop"))")
        }

        // MARK: Under the filter

        /// What runs a hook need not be allowed: the hook's own process loads the filter.
        @Test(.needsX8664, arguments: ["run", "create"], [true, false])
        func startContainerHooksRunUnderTheFilter(mode: String, noNewPrivileges: Bool) throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, kinds: ["startContainer"], verbs: ["save:LOG/KIND", "seccomp", "try:99", "ids", "status:CapEff"]
            ) {
                $0["process.noNewPrivileges"] = noNewPrivileges
                $0["process.user"] = ["uid": 1000, "gid": 1000]
                $0.capabilities([])
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}, {"names": ["memfd_create", "clone3", "poll", "ppoll", "waitid", "close_range", "pidfd_send_signal"], "action": "SCMP_ACT_KILL_PROCESS"}]}"#
                )
            }
            if mode == "run" {
                let outcome = try box.run(bundle)
                #expect(outcome.status == 0 && outcome.stdout == "the payload\n", "\(outcome)")
            } else {
                _ = try box.create(bundle)
                try box.ok("start", box.id)
            }
            let seen = read(box, "startContainer")
            #expect(seen["seccomp"] == "2" && seen["try.99"] == "EACCES" && seen["uid"] == "1000", "\(seen)")
            #expect(seen["status.CapEff"] == "0000000000000000", "\(seen)")
        }

        @Test(.needsX8664) func aHookThatTheFilterKillsIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["startContainer"], verbs: ["syscall:99"]) {
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_KILL_PROCESS"}]}"#
                )
            }
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("killed by SIGSYS; linux.seccomp forbids a system call of it"), "\(line)")
        }

        /// Under a filter that forbids to say so, too.
        @Test(.needsX8664) func aMissingHookUnderAFilterIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refuse {
                $0["hooks.startContainer"] = [["path": "/absent/hook"]]
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["write", "openat"], "action": "SCMP_ACT_ERRNO"}]}"#
                )
            }
            #expect(line.contains("startContainer hook #0: /absent/hook: cannot be executed: not found"), "\(line)")
            #expect(line.contains("it is not in the container"), "\(line)")
        }

        @Test func withoutArgsThePathIsTheName() throws {
            let box = try Sandbox.current
            let log = try log(box)
            let script = try box.file("hook.sh", "#!/bin/sh\necho \"$0 $#\" > \(log)/name\n", mode: 0o755)
            #expect(try box.run(try box.bundle("say:hello") { $0["hooks.prestart"] = [["path": script]] }).status == 0)
            #expect(read(box, "name").text == "\(script) 0\n")
        }

        // MARK: Failures

        @Test(arguments: ["prestart", "createRuntime", "createContainer", "startContainer"])
        func aFailureBeforeThePayloadEndsTheCreation(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["exit:3"]) {
                $0["process.args"] = ["/probe", "say:it ran"]
                $0["hooks.\(kind).+"] =
                    [
                        "path": try Programs.probe.get(),
                        "args": ["hook", "save:\(try self.log(box))/second", "say:ran"],
                    ] as [String: Any]
            }
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains(kind) && line.contains("3"), "the kind and its exit code: \(line)")
            #expect(read(box, "second").text == "", "the hooks after it do not run")
        }

        @Test func aFailureInCreateLeavesNothing() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["createRuntime"], verbs: ["exit:3"])
            let line = try box.refused(try box.runtime("create", "--bundle", bundle.directory, box.id))
            #expect(line.contains("createRuntime"), "\(line)")
        }

        @Test func aFailureOfStartContainerFailsTheStart() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["startContainer"], verbs: ["exit:3"]) {
                $0["process.args"] = ["/probe", "say:it ran"]
            }
            let created = try box.create(bundle)
            let outcome = try box.runtime("start", box.id)
            #expect(outcome.status != 0 && outcome.stderr.contains("startContainer"), "\(outcome)")
            #expect(!created.stdout.contains("it ran"))
        }

        @Test func aFailureAfterTheStartStopsTheContainer() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["poststart"], verbs: ["exit:3"]) {
                $0["process.args"] = ["/probe", "hang"]
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status != 0 && outcome.stderr.contains("poststart"), "\(outcome)")
            box.expectNothingLeft()
        }

        /// Specification, runtime.md, "Lifecycle": step 9 leads to step 12. Later poststart hooks do not run.
        @Test(arguments: ["exit:3", "sleep:60000"])
        func aFailureAfterTheStartDeletesTheContainer(verb: String) throws {
            let box = try Sandbox.current
            let probe = try Programs.probe.get()
            let bundle = try bundle(box, kinds: ["poststart"], verbs: [verb]) {
                $0["process.args"] = ["/probe", "hang"]
                $0["hooks.poststart.0.timeout"] = 1
                for kind in ["poststart", "poststop"] {
                    $0["hooks.\(kind).+"] =
                        ["path": probe, "args": ["hook", "save:\(try self.log(box))/order", "say:\(kind)"]]
                        as [String: Any]
                }
            }
            _ = try box.create(bundle)
            let outcome = try box.runtime("start", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("error running poststart hook #0"), "\(outcome)")
            #expect(read(box, "order").text == "poststop\n")
            let state = try box.runtime("state", box.id)
            #expect(state.status == 1 && state.stderr.contains("does not exist"), "\(state)")
            box.expectNothingLeft()
        }

        @Test func failingHooksAreReportedInTheWordsThatEnginesKnow() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") {
                $0["hooks.poststop"] =
                    [
                        ["path": "/bin/sh", "args": ["sh", "-c", "echo why >&2; exit 3"]],
                        ["path": "/bin/sh", "args": ["sh", "-c", "kill -9 $$"]],
                        ["path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1],
                        ["path": "/absent/hook"],
                        ["path": "/bin/sh", "args": ["sh", "-c", "echo ran > \(try self.log(box))/last"]],
                    ] as [[String: Any]]
            }
            _ = try box.create(bundle)
            let outcome = try box.runtime("delete", box.id)
            #expect(outcome.status == 0, "\(outcome)")
            for words in [
                "error running poststop hook #0: exit status 3: error executing hook `/bin/sh` (exit code: 3): why",
                "error running poststop hook #1: killed by SIGKILL: error executing hook `/bin/sh` (exit code: 137)",
                "error running poststop hook #2: hook ran past specified timeout of 1.0s: timeout expired for `/bin/sleep`",
                "error running poststop hook #3: /absent/hook: cannot be executed: not found",
            ] {
                #expect(outcome.stderr.contains("warning: \(words)"), "\(words): \(outcome)")
            }
            #expect(read(box, "last").text == "ran\n")
        }

        @Test func aFailureAfterTheEndIsAWarning() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: ["poststop"], verbs: ["exit:3"]) {
                $0["process.args"] = ["/probe", "exit:5"]
                $0["hooks.poststop.+"] =
                    [
                        "path": try Programs.probe.get(),
                        "args": ["hook", "save:\(try self.log(box))/second", "say:ran"],
                    ] as [String: Any]
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 5 && outcome.stderr.contains("poststop"), "\(outcome)")
            #expect(read(box, "second").text == "ran\n", "the others run all the same")
        }

        @Test(arguments: ["prestart", "createContainer", "startContainer", "poststart"])
        func aHookBeyondItsTimeoutIsKilled(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, kinds: [kind], verbs: ["sleep:60000"]) {
                $0["hooks.\(kind).0.timeout"] = 1
                $0["process.args"] = ["/probe", kind == "poststart" ? "hang" : "say:it ran"]
            }
            let begin = Date()
            let outcome = try box.run(bundle)
            #expect(Date().timeIntervalSince(begin) < 25, "the hook was waited for")
            #expect(outcome.status != 0 && outcome.stderr.contains(kind), "\(outcome)")
            #expect(
                outcome.stderr.lowercased().contains("timeout") || outcome.stderr.lowercased().contains("timed out"),
                "\(outcome)")
            box.expectNothingLeft()
        }

        @Test(arguments: ["prestart", "createRuntime", "createContainer", "startContainer"])
        func aMissingHookIsAnError(kind: String) throws {
            let line = try Sandbox.current.refuse { $0["hooks.\(kind)"] = [["path": "/absent/hook"]] }
            #expect(line.contains(kind) && line.contains("/absent/hook"), "\(line)")
        }

        @Test func aRelativePathIsRefused() throws {
            let line = try Sandbox.current.refuse { $0["hooks.prestart"] = [["path": "bin/true"]] }
            #expect(line.contains("hooks.prestart[0].path"), "\(line)")
        }

        /// Signals that end nothing do not prolong the time.
        @Test func signalsDoNotProlongATimeout() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0["hooks.createRuntime.+"] =
                    ["path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1] as [String: Any]
            }
            let running = try box.runAside(bundle)
            // Not before the runtime reads its signals.
            #expect(eventually(10) { (try? box.status()) != nil })
            #expect(
                eventually(15) {
                    running.signal(SIGURG)
                    usleep(50_000)
                    return running.hasEnded()
                })
            let line = try box.refused(running.wait(seconds: 1))
            #expect(line.contains("hook ran past specified timeout"), "\(line)")
        }

        /// A hook plays the process of a shared pid namespace that stops the init itself, before its program runs.
        @Test(arguments: ["createContainer", "startContainer"])
        func aStoppedInitIsAnError(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0.dropNamespace("pid")
                $0["hooks.\(kind).+"] = ["path": "/bin/sh", "args": ["sh", "-c", "kill -STOP $PPID"]] as [String: Any]
            }
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("stopped by a signal or a tracer and has not gone on"), "\(line)")
            guard kind == "startContainer" else { return }
            _ = try box.create(bundle)
            let started = try box.runtime("start", box.id)
            #expect(started.status == 1 && started.stderr.contains("has not gone on"), "\(started)")
            #expect(try box.status() == "stopped")
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        /// In a shared pid namespace a process of another container can stop what is not its own.
        @Test(arguments: ["createContainer", "startContainer"])
        func aStoppedHookIsAnError(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0["hooks.\(kind).+"] = ["path": "/bin/sh", "args": ["sh", "-c", "kill -STOP $$"]] as [String: Any]
            }
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("it was stopped by a signal and has not gone on"), "\(line)")
        }

        @Test(arguments: [0, -1])
        func aTimeoutBelowOneIsRefused(timeout: Int) throws {
            let line = try Sandbox.current.refuse {
                $0["hooks.poststop"] = [["path": "/bin/true", "timeout": timeout] as [String: Any]]
            }
            #expect(line.contains("hooks.poststop[0].timeout"), "\(line)")
        }
    }
}
