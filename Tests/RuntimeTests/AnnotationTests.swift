import Foundation
import Glibc
import Testing

extension AllTests {
    /// Annotations that ask something of the runtime, `--pidfd-socket`, and what hooks learn of a trace
    @Suite struct Annotations {
        private func annotate(_ annotations: [String: String]) -> (inout Config) -> Void {
            { $0["annotations"] = annotations }
        }

        @Test func hooksOutputGoesToFiles() throws {
            let box = try Sandbox.current
            let (output, errors) = (box.path("hooks.out"), try box.file("hooks.err", "before\n"))
            let kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
            let bundle = try box.bundle("say:payload") {
                $0["annotations"] = ["run.oci.hooks.stdout": output, "run.oci.hooks.stderr": errors]
                for kind in kinds {
                    $0["hooks.\(kind).+"] =
                        [
                            "path": kind == "startContainer" ? "/probe" : try Programs.probe.get(),
                            "args": ["hook", "say:out \(kind)", "complain:err \(kind)"],
                        ] as [String: Any]
                }
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout == "payload\n" && outcome.stderr == "", "\(outcome)")
            let lines = { (path: String) in
                try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
            }
            #expect(try lines(output) == kinds.map { "out \($0)" })
            #expect(try lines(errors) == ["before"] + kinds.map { "err \($0)" })
        }

        @Test func hooksOutputIsKeptThroughCreateStartAndDelete() throws {
            let box = try Sandbox.current
            let output = box.path("hooks.out")
            let bundle = try box.bundle("hang") {
                $0["annotations"] = ["run.oci.hooks.stdout": output]
                for kind in ["createRuntime", "startContainer", "poststart", "poststop"] {
                    $0["hooks.\(kind).+"] =
                        [
                            "path": kind == "startContainer" ? "/probe" : try Programs.probe.get(),
                            "args": ["hook", "say:\(kind)"],
                        ] as [String: Any]
                }
            }
            _ = try box.create(bundle)
            try box.ok("start", box.id)
            try box.ok("delete", "--force", box.id)
            #expect(
                try String(contentsOfFile: output, encoding: .utf8)
                    == "createRuntime\nstartContainer\npoststart\npoststop\n")
        }

        @Test func aHooksFileThatCannotBeOpenedIsAnError() throws {
            let line = try Sandbox.current.refuse {
                $0["annotations"] = ["run.oci.hooks.stderr": "/absent/file"]
                $0["hooks.createRuntime.+"] = ["path": "/bin/true"]
            }
            #expect(line.contains("/absent/file") && line.contains("not found"), "\(line)")
        }

        @Test(arguments: [("1", "4 27"), ("0", "")])
        func theCallersGroupsAreKeptWhenAsked(value: String, groups: String) throws {
            let seen = try Sandbox.current.look(
                "ids", with: Surroundings(prefix: ["setpriv", "--groups", "4,27"]),
                edit: annotate(["run.oci.keep_original_groups": value]))
            #expect(seen["groups"] == groups, "\(seen)")
        }

        @Test func execKeepsTheCallersGroupsWhenAsked() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang", edit: annotate(["run.oci.keep_original_groups": "1"])))
            try box.ok("start", box.id)
            let outcome = try box.plain(
                ["--root", box.root, "exec", box.id, "/probe", "ids"],
                Surroundings(prefix: ["setpriv", "--groups", "4,27"]))
            #expect(outcome["groups"] == "4 27", "\(outcome)")
            try box.ok("delete", "--force", box.id)
        }

        // MARK: The pidfd

        /// The process that a pidfd of this process stands for.
        private func process(_ pidfd: Int32) -> Int? {
            Leftovers.lines("/proc/self/fdinfo/\(pidfd)").first { $0.hasPrefix("Pid:") }
                .flatMap { Int($0.dropFirst(4).trimmingCharacters(in: .whitespaces)) }
        }

        @Test(arguments: ["flag", "annotation"])
        func theInitsPidfdIsSent(way: String) throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("pidfd.sock"))
            let bundle = try box.bundle(
                "hang", edit: annotate(way == "annotation" ? ["run.oci.pidfd_receiver": socket.path] : [:]))
            _ = try box.create(bundle, flags: way == "flag" ? ["--pidfd-socket", socket.path] : [])
            let (text, holder) = try socket.receive()
            #expect(text == "standard")
            #expect(try process(holder.master) == box.state()["pid"] as? Int)
            try box.ok("delete", "--force", box.id)
        }

        @Test func thePidfdOfExecIsSent() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("pidfd.sock"))
            _ = try box.create(try box.bundle("hang"))
            try box.ok("start", box.id)
            let outcome = try box.runtime(
                "exec", "--detach", "--pidfd-socket", socket.path, "--pid-file", box.path("pid"), box.id, "/probe",
                "hang")
            #expect(outcome.status == 0, "\(outcome)")
            let (text, holder) = try socket.receive()
            #expect(text == "setns")
            #expect(try process(holder.master) == Int(String(contentsOfFile: box.path("pid"), encoding: .utf8)))
            try box.ok("delete", "--force", box.id)
        }

        @Test func aPidfdSocketWithoutAListenerIsAnError() throws {
            let line = try Sandbox.current.refuse(flags: ["--pidfd-socket", "/absent.sock"])
            #expect(line.contains("pidfd") && line.contains("/absent.sock"), "\(line)")
        }

        // MARK: seccomp

        /// Refuses mkdir with EBUSY (16) and allows the rest.
        private static let program: [UInt8] =
            [0x20, 0, 0, 0, 0, 0, 0, 0] + [0x15, 0, 0, 1, 83, 0, 0, 0] + [0x06, 0, 0, 0, 16, 0, 5, 0]
            + [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]

        @Test(arguments: [true, false])
        func aReadyFilterReplacesTheProfile(besideASection: Bool) throws {
            let seen = try Sandbox.current.look("mkdir:/tmp/new", "seccomp") {
                $0["annotations"] = ["run.oci.seccomp_bpf_data": Data(Self.program).base64EncodedString()]
                if besideASection { $0["linux.seccomp"] = ["defaultAction": "SCMP_ACT_KILL_PROCESS"] }
            }
            #expect(seen.text.contains("EBUSY"), "\(seen)")
        }

        @Test(arguments: [
            ("no base64!", "base64"), ("BgAA", "8 bytes"), (Data(program.dropLast(8)).base64EncodedString(), "jumps"),
            (Data(program.prefix(8)).base64EncodedString(), "return"), ("", "0 bytes"),
        ])
        func aMalformedFilterIsRefused(text: String, word: String) throws {
            let line = try Sandbox.current.refuse(edit: annotate(["run.oci.seccomp_bpf_data": text]))
            #expect(line.contains("run.oci.seccomp_bpf_data") && line.contains(word), "\(line)")
        }

        @Test func unknownCallsAreErrors() throws {
            let box = try Sandbox.current
            let profile: (inout Config) -> Void = {
                $0["linux.seccomp"] =
                    [
                        "defaultAction": "SCMP_ACT_ALLOW",
                        "syscalls": [["names": ["mkdir", "frobnicate"], "action": "SCMP_ACT_ERRNO"] as [String: Any]],
                    ] as [String: Any]
            }
            _ = try box.look("say:fine", edit: profile)
            let line = try box.refused(
                try box.run(
                    try box.bundle("say:it ran") {
                        profile(&$0)
                        $0["annotations"] = ["run.oci.seccomp_fail_unknown_syscall": "1"]
                    }))
            #expect(line.contains("frobnicate") && line.contains("names[1]"), "\(line)")
        }

        // MARK: cgroups

        @Test(.needsCgroupTree) func aDelegatedCgroupBelongsToTheUser() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("read:/proc/self/cgroup", "hang") {
                $0.namespace("cgroup")
                $0["linux.cgroupsPath"] = "/\(box.name)"
                $0["process.user"] = ["uid": 1000, "gid": 1000]
                $0["annotations"] = ["run.oci.delegate-cgroup": "/payload/own"]
            }
            let running = try box.runAside(bundle)
            #expect(running.says("ready"))
            #expect(running.stdout.contains("0::/payload/own"), "\(running.stdout)")
            let pid = try #require(try box.state()["pid"] as? Int)
            #expect(CgroupTree.read("/\(box.name)/payload/own/cgroup.procs") == "\(pid)")
            var status = stat()
            let tree = try #require(CgroupTree.path)
            #expect(stat("\(tree)/\(box.name)/payload/own", &status) == 0 && status.st_uid == 1000)
            #expect(stat("\(tree)/\(box.name)", &status) == 0 && status.st_uid == 0)
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
            #expect(!CgroupTree.exists("/\(box.name)"))
        }

        @Test(arguments: ["../other", "a/../../b"])
        func aDelegatedCgroupElsewhereIsRefused(name: String) throws {
            let line = try Sandbox.current.refuse(edit: annotate(["run.oci.delegate-cgroup": name]))
            #expect(line.contains("run.oci.delegate-cgroup"), "\(line)")
        }

        // MARK: What there is not

        @Test(arguments: ["krun", "wasm", "mono"])
        func unknownHandlersAreRefused(name: String) throws {
            let line = try Sandbox.current.refuse(edit: annotate(["run.oci.handler": name]))
            #expect(line.contains("no handler \"\(name)\""), "\(line)")
        }

        @Test func handlersAreNotForThePausedSandbox() throws {
            _ = try Sandbox.current.look(
                "say:pause",
                edit: annotate(["run.oci.handler": "krun", "io.kubernetes.cri.container-type": "sandbox"]))
        }

        @Test func webAssemblyIsRefused() throws {
            let box = try Sandbox.current
            let line = try box.refuse {
                $0["annotations"] = ["module.wasm.image/variant": "compat"]
                $0["process.args"] = ["/app.wasm"]
            }
            #expect(line.contains("WebAssembly") && line.contains("/app.wasm"), "\(line)")
            _ = try box.look("say:native", edit: annotate(["module.wasm.image/variant": "compat-smart"]))
        }

        @Test(arguments: [
            ("run.oci.systemd.subgroup", "--systemd-cgroup"), ("run.oci.systemd.force_cgroup_v1", "cgroup v2 only"),
            ("org.systemd.property.KillMode", "--systemd-cgroup"), ("krun.cpus", "krun"),
            ("run.oci.hook.stdout", "did you mean run.oci.hooks.stdout"),
        ])
        func annotationsWithoutEffectAreWarnings(name: String, word: String) throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.bundle("say:fine", edit: annotate([name: "/value"])))
            #expect(outcome.status == 0 && outcome.stdout == "fine\n", "\(outcome)")
            #expect(outcome.stderr.contains(name) && outcome.stderr.contains(word), "\(outcome)")
        }

        // MARK: Traces

        @Test(arguments: ["createRuntime", "createContainer", "poststart"])
        func hooksGetTheTraceparent(kind: String) throws {
            let box = try Sandbox.current
            let folder = try box.folder("log", mode: 0o777)
            let bundle = try box.bundle("env") {
                $0.addMount(folder, type: "none", source: folder, options: ["bind"])
                for (name, env) in [("bare", nil), ("own", ["TRACEPARENT=mine", "A=b"])] as [(String, [String]?)] {
                    var hook: [String: Any] = [
                        "path": try Programs.probe.get(), "args": ["hook", "save:\(folder)/\(name)", "env"],
                    ]
                    hook["env"] = env
                    $0["hooks.\(kind).+"] = hook
                }
            }
            let outcome = try box.run(
                bundle,
                with: Surroundings(environment: ["TRACEPARENT": "00-ab-cd-01", "TRACESTATE": "x=y", "OTHER": "no"]))
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome["env.TRACEPARENT"] == nil, "not for the payload: \(outcome)")
            func facts(_ name: String) throws -> Facts {
                Facts(try String(contentsOfFile: folder + "/" + name, encoding: .utf8))
            }
            let (bare, own) = (try facts("bare"), try facts("own"))
            #expect(bare["env.TRACEPARENT"] == "00-ab-cd-01" && bare["env.TRACESTATE"] == "x=y", "\(bare)")
            #expect(own["env.TRACEPARENT"] == "mine" && own["env"] == "2", "what is written, and no more: \(own)")
        }
    }
}
