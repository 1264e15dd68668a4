import Foundation
import Testing

extension AllTests {
    /// SCMP_ACT_NOTIFY with an agent that answers; the numbers of the system calls are x86-64's.
    @Suite(.needsX8664) struct SeccompNotify {
        private static let sysinfo = "try:99:0x7fff00000000"

        /// A profile in which some calls ask the agent.
        private static func profile(
            _ box: Sandbox, notify: [String] = ["sysinfo"], default word: String = "SCMP_ACT_ALLOW",
            more: String = "", rules: String = ""
        ) -> String {
            let names = notify.map { "\"\($0)\"" }.joined(separator: ",")
            let rule = names.isEmpty ? "" : #"{"names": [\#(names)], "action": "SCMP_ACT_NOTIFY"}"#
            return
                #"{"defaultAction": "\#(word)", "listenerPath": "\#(box.path("agent.sock"))"\#(more), "syscalls": [\#(rule)\#(rules)]}"#
        }

        /// Starts an agent; the words say what it decides, see Tests/Probe/agent.py.
        private func agent(_ decisions: String..., socket: String = "agent.sock") throws -> Running {
            let box = try Sandbox.current
            let program = Programs.package + "/Tests/Probe/agent.py"
            let agent = try box.aside(["python3", program, box.path(socket)] + decisions)
            #expect(agent.says("listening"), "\(agent.stdout)\(agent.stderr)")
            return agent
        }

        private func end(_ agent: Running) {
            agent.signal(SIGKILL)
            _ = agent.wait()
        }

        private func states(_ agent: Running) throws -> [[String: Any]] {
            try agent.stdout.split(separator: "\n").filter { $0.hasPrefix("state ") }.map {
                try JSONSerialization.jsonObject(with: Data($0.dropFirst(6).utf8)) as? [String: Any] ?? [:]
            }
        }

        private func calls(_ agent: Running) -> [Int] {
            agent.stdout.split(separator: "\n").compactMap {
                $0.hasPrefix("call ") ? Int($0.dropFirst(5)) : nil
            }
        }

        // MARK: The hand-over

        @Test func theAgentDecides() throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let seen = try box.look(Self.sysinfo, "try:39", "seccomp") {
                try $0.set(
                    "linux.seccomp", json: Self.profile(box, more: #", "listenerMetadata": "a \"b\" \u00e9""#))
                $0["annotations"] = ["k": "v"]
            }
            #expect(seen["try.99"] == "EACCES" && seen["try.39"] == "ok" && seen["seccomp"] == "2", "\(seen)")
            #expect(agent.says("over"), "the listener is closed when the container has ended")
            #expect(calls(agent) == [99])
            #expect(agent.stdout.contains("descriptors 1\nclosed\n"))
            let state = try #require(try states(agent).first)
            #expect(try states(agent).count == 1)
            #expect(state["ociVersion"] as? String == "1.0.2" && state["metadata"] as? String == "a \"b\" é")
            #expect(state["fds"] as? [String] == ["seccompFd"])
            let container = try #require(state["state"] as? [String: Any])
            #expect(container["id"] as? String == box.id && container["status"] as? String == "created")
            #expect(container["pid"] as? Int == state["pid"] as? Int && (state["pid"] as? Int ?? 0) > 1)
            #expect((container["bundle"] as? String)?.hasPrefix("/") == true)
            #expect(container["annotations"] as? [String: String] == ["k": "v"])
        }

        @Test func theAgentDecidesAfterCreateAndStart() throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let made = try box.create(
                try box.bundle(Self.sysinfo) { try $0.set("linux.seccomp", json: Self.profile(box)) })
            let pid = try box.state()["pid"] as? Int
            #expect(!agent.stdout.contains("state"), "nothing is under the filter before the start")
            try box.ok("start", box.id)
            #expect(box.becomes("stopped") && made.facts["try.99"] == "EACCES", "\(made.stdout)\(made.stderr)")
            let state = try #require(try states(agent).first)
            #expect(state["pid"] as? Int == pid && state["metadata"] == nil)
            #expect((state["state"] as? [String: Any])?["status"] as? String == "created")
        }

        /// One filter has one listener, which its hooks ask too.
        @Test(arguments: ["run", "create"])
        func theAgentDecidesForHooksInTheContainer(mode: String) throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let folder = try box.folder("log", mode: 0o777)
            let bundle = try box.bundle(Self.sysinfo) {
                $0.addMount(folder, type: "none", source: folder, options: ["bind"])
                $0["hooks.startContainer"] =
                    [["path": "/probe", "args": ["hook", "save:\(folder)/hook", Self.sysinfo, "seccomp"]]]
                    as [[String: Any]]
                try $0.set("linux.seccomp", json: Self.profile(box))
            }
            if mode == "run" {
                let outcome = try box.run(bundle)
                #expect(outcome.status == 0 && outcome["try.99"] == "EACCES", "\(outcome)")
            } else {
                let made = try box.create(bundle)
                try box.ok("start", box.id)
                #expect(box.becomes("stopped") && made.facts["try.99"] == "EACCES", "\(made.stdout)\(made.stderr)")
            }
            let seen = Facts(try String(contentsOfFile: folder + "/hook", encoding: .utf8))
            #expect(seen["try.99"] == "EACCES" && seen["seccomp"] == "2", "\(seen)")
            #expect(try states(agent).count == 1 && calls(agent) == [99, 99])
        }

        @Test func aFailingHookUnderANotifyingFilterIsAnError() throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let bundle = try box.bundle("say:it ran") {
                $0["hooks.startContainer"] = [["path": "/probe", "args": ["hook", "exit:3"]]] as [[String: Any]]
                try $0.set("linux.seccomp", json: Self.profile(box))
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 1 && outcome.stdout == "", "\(outcome)")
            #expect(outcome.stderr.contains("error running startContainer hook #0: exit status 3"), "\(outcome)")
            end(agent)
            box.expectNothingLeft()
        }

        @Test func theAgentDecidesForADetachedRun() throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let bundle = try box.bundle(Self.sysinfo, "sleep:100000") {
                try $0.set("linux.seccomp", json: Self.profile(box))
            }
            #expect(try box.run(bundle, flags: ["--detach"]).status == 0)
            #expect(agent.says("call 99"))
            #expect(try states(agent).first?["pid"] as? Int == box.state()["pid"] as? Int)
        }

        /// Every call from execve on waits for the agent, and so would each that could bring it the descriptor.
        @Test func aDefaultOfNotifyAsksTheAgentForEveryCall() throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let seen = try box.look(Self.sysinfo) {
                try $0.set(
                    "linux.seccomp",
                    json: Self.profile(
                        box, notify: [], default: "SCMP_ACT_NOTIFY",
                        more: #", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]"#))
            }
            #expect(seen["try.99"] == "EACCES")
            #expect(calls(agent).first == 59 && calls(agent).contains(99))
        }

        /// What runc refuses, because its own hand-over needs these calls.
        @Test(arguments: [true, false])
        func theListenerIsSentWhateverElseIsForbidden(inRun: Bool) throws {
            let box = try Sandbox.current
            _ = try agent("99=13")
            let killed =
                #", {"names": ["sendmsg", "sendto", "recvmsg", "recvfrom", "sched_yield", "pidfd_getfd", "clone3", "rt_sigreturn", "accept4"], "action": "SCMP_ACT_KILL_PROCESS"}"#
            let bundle = try box.bundle(Self.sysinfo) {
                try $0.set(
                    "linux.seccomp",
                    json: Self.profile(box, notify: ["sysinfo", "close", "execve"], rules: killed))
            }
            if inRun {
                let outcome = try box.run(bundle)
                #expect(outcome.status == 0 && outcome["try.99"] == "EACCES", "\(outcome)")
            } else {
                let made = try box.create(bundle)
                try box.ok("start", box.id)
                #expect(box.becomes("stopped") && made.facts["try.99"] == "EACCES", "\(made.stdout)\(made.stderr)")
            }
        }

        @Test func theAgentDecidesWithoutNoNewPrivileges() throws {
            let box = try Sandbox.current
            _ = try agent("99=13")
            let seen = try box.look(Self.sysinfo, "process") {
                $0["process.noNewPrivileges"] = false
                $0.capabilities([])
                $0["process.user"] = ["uid": 1000, "gid": 1000]
                try $0.set("linux.seccomp", json: Self.profile(box))
            }
            #expect(seen["try.99"] == "EACCES" && seen["nnp"] == "0", "\(seen)")
        }

        @Test func theAgentDecidesInAUserNamespace() throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let bundle = try box.bundle(Self.sysinfo) {
                $0.userNamespace()
                try $0.set("linux.seccomp", json: Self.profile(box))
            }
            try bundle.chown(to: 100_000)
            let made = try box.create(bundle)
            let pid = try box.state()["pid"] as? Int
            try box.ok("start", box.id)
            #expect(box.becomes("stopped") && made.facts["try.99"] == "EACCES", "\(made.stdout)\(made.stderr)")
            #expect(try states(agent).first?["pid"] as? Int == pid)
        }

        /// Each process is under a filter of its own, and the agent gets a descriptor for each.
        @Test(arguments: ["running", "created"])
        func execHasAListenerOfItsOwn(status: String) throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let bundle = try box.bundle("sleep:100000") { try $0.set("linux.seccomp", json: Self.profile(box)) }
            _ = try box.create(bundle)
            if status == "running" { try box.ok("start", box.id) }
            let outcome = try box.runtime("exec", box.id, "/probe", Self.sysinfo, "seccomp")
            #expect(outcome.status == 0 && outcome["try.99"] == "EACCES" && outcome["seccomp"] == "2", "\(outcome)")
            let states = try states(agent)
            #expect(states.count == (status == "running" ? 2 : 1))
            let last = try #require(states.last)
            let container = try #require(last["state"] as? [String: Any])
            #expect(container["status"] as? String == status)
            #expect(container["pid"] as? Int == (try box.state()["pid"] as? Int))
            #expect(last["pid"] as? Int != container["pid"] as? Int)
            #expect(calls(agent) == [99])
        }

        // MARK: Who listens

        @Test(arguments: ["annotation", "variable", "both", "all"])
        func theAgentIsNamedByAnnotationOrVariable(way: String) throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let (right, wrong) = (box.path("agent.sock"), box.path("wrong.sock"))
            var surroundings = Surroundings()
            if way != "annotation" {
                surroundings.environment["RUN_OCI_SECCOMP_RECEIVER"] = way == "variable" ? right : wrong
            }
            let outcome = try box.run(
                try box.bundle(Self.sysinfo) {
                    try $0.set("linux.seccomp", json: Self.profile(box))
                    if way != "all" { $0["linux.seccomp.listenerPath"] = nil }
                    if way != "variable" {
                        $0["annotations"] = ["run.oci.seccomp.receiver": way == "all" ? wrong : right]
                    }
                }, with: surroundings)
            #expect(outcome["try.99"] == "EACCES" && outcome.stderr == "", "\(outcome)")
            #expect(try states(agent).count == 1)
        }

        // MARK: Without a rule that asks

        /// As in crun; exec's listener too.
        @Test(arguments: [true, false])
        func anAgentThatIsNotAskedGetsItsListener(inRun: Bool) throws {
            let box = try Sandbox.current
            let agent = try agent("99=13")
            let bundle = try box.bundle(Self.sysinfo, "until:/go") {
                try $0.set("linux.seccomp", json: Self.profile(box, notify: [], more: #", "listenerMetadata": "m""#))
            }
            if inRun {
                #expect(try box.run(bundle, flags: ["--detach"]).status == 0)
            } else {
                _ = try box.create(bundle)
                try box.ok("start", box.id)
            }
            #expect(try box.exec("true").status == 0)
            #expect(eventually(10) { (try? states(agent).count) == 2 }, "\(agent.stdout)")
            #expect(try states(agent).allSatisfy { $0["metadata"] as? String == "m" })
            try bundle.write("go", "")
            #expect(calls(agent).isEmpty)
        }

        /// As in runc; where there is nothing, and where a socket has been left.
        @Test(arguments: [false, true], [true, false])
        func anAgentThatIsNotAskedNeedNotBeThere(isLeft: Bool, inRun: Bool) throws {
            let box = try Sandbox.current
            if isLeft { end(try agent()) }
            let bundle = try box.bundle("say:it runs", "until:/go") {
                try $0.set("linux.seccomp", json: Self.profile(box, notify: []))
            }
            if inRun {
                let outcome = try box.run(bundle, flags: ["--detach"])
                #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            } else {
                _ = try box.create(bundle)
                try box.ok("start", box.id)
            }
            let outcome = try box.exec("true")
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            try bundle.write("go", "")
        }

        @Test func noAgentDecidesOnWriting() throws {
            let box = try Sandbox.current
            let line = try box.refuse { try $0.set("linux.seccomp", json: Self.profile(box, notify: ["write"])) }
            #expect(line.contains("SCMP_ACT_NOTIFY cannot be used for the write syscall"), "\(line)")
        }

        /// Reported before anything of the container is made, not only when it starts.
        @Test(arguments: ["absent", "file", "deaf", "datagram"])
        func withoutAnAgentNothingIsMade(kind: String) throws {
            let box = try Sandbox.current
            switch kind {
            case "file": try box.file("agent.sock")
            case "deaf", "datagram":
                let type = kind == "deaf" ? "SOCK_STREAM" : "SOCK_DGRAM"
                let script =
                    "import socket,sys; s = socket.socket(socket.AF_UNIX, socket.\(type)); s.bind(sys.argv[1])"
                _ = try box.aside(["python3", "-c", script, box.path("agent.sock")]).wait()
            default: break
            }
            let line = try box.refuse { try $0.set("linux.seccomp", json: Self.profile(box)) }
            let words = [
                "absent": "not found; is the agent running?", "file": "not a socket",
                "deaf": "no process listens; is the agent running?", "datagram": "no process listens",
            ]
            #expect(line.contains(box.path("agent.sock")) && line.contains(words[kind] ?? "?"), "\(line)")
            #expect(line.contains("failed to connect with seccomp agent: the agent's socket"), "\(line)")
        }

        @Test func startCanBeTriedAgainWhenTheAgentIsThere() throws {
            let box = try Sandbox.current
            let first = try agent()
            let made = try box.create(
                try box.bundle(Self.sysinfo) { try $0.set("linux.seccomp", json: Self.profile(box)) })
            end(first)
            let refused = try box.runtime("start", box.id)
            #expect(refused.status == 1 && refused.stderr.contains("no process listens"), "\(refused)")
            #expect(refused.stderr.contains("failed to connect with seccomp agent: the agent's socket"), "\(refused)")
            #expect(try box.status() == "created")
            unlink(box.path("agent.sock"))
            _ = try agent("99=13")
            try box.ok("start", box.id)
            #expect(box.becomes("stopped") && made.facts["try.99"] == "EACCES")
        }

        @Test func withoutNotifyTheListenerIsIgnored() throws {
            let box = try Sandbox.current
            let seen = try box.look(Self.sysinfo) {
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/nowhere", "listenerMetadata": "m", "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_ERRNO"}]}"#
                )
            }
            #expect(seen["try.99"] == "EPERM")
        }

        // MARK: Agents that say no, or nothing

        @Test(arguments: [true, false])
        func anAgentThatRefusesExecveIsAnError(inRun: Bool) throws {
            let box = try Sandbox.current
            let agent = try agent("59=13")
            let bundle = try box.bundle("say:it ran") {
                try $0.set("linux.seccomp", json: Self.profile(box, notify: ["execve"]))
            }
            if inRun {
                let outcome = try box.run(bundle)
                end(agent)
                let line = try box.refused(outcome, status: 126)
                #expect(line.contains("permission denied"), "\(line)")
            } else {
                _ = try box.create(bundle)
                let outcome = try box.runtime("start", box.id)
                #expect(outcome.status == 126 && outcome.stderr.contains("permission denied"), "\(outcome)")
            }
        }

        @Test func anAgentThatDoesNotAnswerDoesNotDeafenTheRuntime() throws {
            let box = try Sandbox.current
            let agent = try agent("59?")
            let running = try box.runAside(
                try box.bundle("say:it ran") {
                    try $0.set("linux.seccomp", json: Self.profile(box, notify: ["execve"]))
                })
            #expect(agent.says("call 59"))
            running.signal(SIGTERM)
            let outcome = running.wait()
            end(agent)
            let line = try box.refused(outcome, status: 143)
            #expect(line.contains("interrupted by SIGTERM"), "\(line)")
        }

        @Test(arguments: [
            (
                #"{"defaultAction": "SCMP_ACT_NOTIFY"}"#,
                "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY needs an agent"
            ),
            (
                #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_NOTIFY"}]}"#,
                "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs an agent"
            ),
            (
                #"{"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "agent.sock"}"#,
                "linux.seccomp.listenerPath: must be an absolute path"
            ),
            (
                #"{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}"#,
                "linux.seccomp.listenerMetadata: must not be set without"
            ),
            (
                #"{"defaultAction": "SCMP_ACT_NOTIFY", "defaultErrnoRet": 1, "listenerPath": "/x"}"#,
                "linux.seccomp.defaultErrnoRet"
            ),
        ])
        func mistakesNameTheirField(json: String, words: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("linux.seccomp", json: json) }
            #expect(line.contains(words), "\(line)")
        }

        @Test func pluginsAreRefusedByName() throws {
            let line = try Sandbox.current.refuse {
                $0["annotations"] = ["run.oci.seccomp.plugins": "/usr/lib/a.so:b.so"]
            }
            #expect(
                line.contains("run.oci.seccomp.plugins") && line.contains("no loader for plugins")
                    && line.contains("linux.seccomp.listenerPath"), "\(line)")
        }
    }
}
