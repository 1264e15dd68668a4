import Foundation
import Glibc
import Testing

extension Sandbox {
    /// A container whose probe hangs, with what other programs of it may look at.
    @discardableResult
    func service(
        _ verbs: String..., flags: [String] = [], edit: (inout Config) throws -> Void = { _ in }
    ) throws -> Running {
        let bundle = try bundle(args: ["/probe"] + verbs + ["hang"]) { config in
            config["process.env.+"] = "FROM=container"
            try edit(&config)
        }
        if try String(contentsOfFile: bundle.configPath, encoding: .utf8).contains("uidMappings") {
            try bundle.chown(to: 100_000)
        }
        let created = try create(bundle, flags: flags)
        try ok("start", id)
        guard created.says("ready") else { throw Trouble("the service does not start: \(created.stderr)") }
        return created
    }

    /// `exec [FLAGS] ID WORDS…`, to its end.
    func exec(
        _ words: String..., flags: [String] = [], with surroundings: Surroundings = Surroundings()
    ) throws -> Outcome {
        try plain(["--root", root, "exec"] + flags + [id] + words, surroundings)
    }

    /// Runs the probe in the service; it must end with 0.
    func probe(
        _ verbs: String..., flags: [String] = [], with surroundings: Surroundings = Surroundings(),
        location: SourceLocation = #_sourceLocation
    ) throws -> Facts {
        let outcome = try plain(["--root", root, "exec"] + flags + [id, "/probe"] + verbs, surroundings)
        #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)", sourceLocation: location)
        return outcome.facts
    }

    /// Runs an `exec` that must fail by one line; the line.
    @discardableResult
    func execRefused(
        _ words: String..., flags: [String] = [], status: Int = 255, location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try plain(["--root", root, "exec"] + flags + [id] + words)
        #expect(outcome.status == status, "\(outcome)", sourceLocation: location)
        let errors = outcome.complaints.filter { !$0.contains("warning") }
        #expect(errors.count == 1, "one line on stderr, not \(errors)", sourceLocation: location)
        return errors.first ?? ""
    }
}

extension AllTests {
    /// exec: where the program runs, as whom, and how it ends
    @Suite struct Exec {
        // MARK: Output and ends

        @Test func outputInputAndExitCodeArePassed() throws {
            let box = try Sandbox.current
            try box.service()
            let outcome = try box.exec(
                "sh", "-c", "cat; echo err >&2; exit 7", with: Surroundings(input: "in\n"))
            #expect(outcome.status == 7 && outcome.stdout == "in\n" && outcome.stderr == "err\n", "\(outcome)")
            #expect(try box.status() == "running")
        }

        @Test func anEndBySignalIsAnExitCode() throws {
            let box = try Sandbox.current
            try box.service()
            #expect(try box.exec("sh", "-c", "kill -KILL $$").status == 137)
        }

        @Test func signalsArePassedOn() throws {
            let box = try Sandbox.current
            try box.service()
            let running = try box.begin([
                "--root", box.root, "exec", box.id, "sh", "-c",
                "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done",
            ])
            #expect(running.says("ready"))
            running.signal(SIGTERM)
            let outcome = running.wait()
            #expect(outcome.status == 9 && outcome.stdout.contains("caught"), "\(outcome)")
        }

        @Test func whatFollowsTheContainerBelongsToTheProgram() throws {
            let box = try Sandbox.current
            try box.service()
            let outcome = try box.exec("sh", "-c", "echo $0 $*", "-t", "--detach", "--", "-u")
            #expect(outcome.stdout == "-t --detach -- -u\n", "\(outcome)")
            #expect(try box.exec("--", "sh", "-c", "echo apart").stdout == "apart\n")
        }

        @Test func detachedExecReturnsAtOnce() throws {
            let box = try Sandbox.current
            let service = try box.service()
            let file = box.path("pid")
            let outcome = try box.exec("/probe", "hang", flags: ["--detach", "--pid-file", file])
            #expect(outcome.status == 0, "\(outcome)")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(!text.isEmpty && text.allSatisfy(\.isNumber), "digits and nothing else: \"\(text)\"")
            let program = try String(contentsOfFile: "/proc/\(text)/cmdline", encoding: .utf8)
            #expect(program == "/probe\0hang\0", "the program runs when the file is there")
            let initial = try #require(try box.state()["pid"] as? Int)
            #expect(try cgroup(of: try #require(Int(text))) == cgroup(of: initial))
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            #expect(eventually(5) { kill(pid_t(text) ?? 0, 0) != 0 }, "it ends with its pid namespace")
            #expect(!service.stderr.contains("error"))
        }

        // MARK: Where it is

        @Test(arguments: ["plain", "user namespace", "time namespace", "the host's mounts and processes"])
        func execJoinsAllNamespacesOfTheInit(kind: String) throws {
            let box = try Sandbox.current
            let service = try box.service("ns", "userns", "keyring") {
                $0.namespace("cgroup")
                switch kind {
                case "user namespace": $0.userNamespace()
                case "time namespace": $0.namespace("time")
                case "plain": break
                default:
                    $0.dropNamespace("pid")
                    $0.dropNamespace("ipc")
                }
            }
            let seen = try box.probe("ns", "userns", "keyring", "cwd")
            for name in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
                #expect(seen["ns." + name] == service.facts["ns." + name], "\(name): \(seen)")
            }
            #expect(seen["keyring.id"] == service.facts["keyring.id"] && seen["keyring.id"] != nil)
            #expect(seen["keyring"]?.hasPrefix("_ses." + box.id + ".") == true, "\(seen)")
            #expect(seen["cwd"] == "/")
        }

        @Test func withoutAMountNamespaceTheRootIsTheContainersAllTheSame() throws {
            let box = try Sandbox.current
            try box.service {
                $0.dropNamespace("mount")
                $0["mounts"] = []
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
            }
            let outcome = try box.exec("ls", "/")
            #expect(outcome.stdout.contains("probe\n") && !outcome.stdout.contains("boot\n"), "\(outcome)")
        }

        @Test func execWorksInACreatedContainer() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            #expect(try box.probe("ids")["uid"] == "0")
            #expect(try box.status() == "created")
        }

        @Test func execJoinsACgroupBelow() throws {
            let box = try Sandbox.current
            try box.service()
            let pid = try #require(try box.state()["pid"] as? Int)
            let own = try cgroup(of: pid)
            try CgroupTree.make(own + "/sub")
            let file = box.path("pid")
            _ = try box.exec("/probe", "hang", flags: ["-d", "--cgroup", "sub", "--pid-file", file])
            let program = try #require(Int(try String(contentsOfFile: file, encoding: .utf8)))
            #expect(try cgroup(of: program) == own + "/sub")
            for path in ["../sub", "sub/../..", ".."] {
                let line = try box.execRefused("true", flags: ["--cgroup", path])
                #expect(line.contains("bad sub cgroup path \(path): must lie below"), "\(line)")
            }
            #expect(try box.execRefused("true", flags: ["--cgroup", "/nope"]).contains("nope not found"))
        }

        /// As systemd in a container does with its cgroup.
        @Test(.needsControllers("hugetlb"))
        func execWorksWhereTheContainerManagesItsCgroup() throws {
            let box = try Sandbox.current
            try box.service { $0["linux.resources.hugepageLimits"] = [["pageSize": "2MB", "limit": 1 << 30]] }
            let pid = try #require(try box.state()["pid"] as? Int)
            let own = try cgroup(of: pid)
            try CgroupTree.make(own + "/leaf")
            try CgroupTree.write("\(pid)", into: own + "/leaf/cgroup.procs")
            try CgroupTree.write("+hugetlb", into: own + "/cgroup.subtree_control")
            let file = box.path("pid")
            let outcome = try box.exec("/probe", "hang", flags: ["-d", "--pid-file", file])
            #expect(outcome.status == 0, "\(outcome)")
            let program = try #require(Int(try String(contentsOfFile: file, encoding: .utf8)))
            #expect(try cgroup(of: program) == own + "/leaf")
        }

        /// Somebody has moved it, as service managers do with what they adopt.
        @Test(.needsRoot, arguments: [true, false])
        func execFollowsAnInitThatWasMoved(isGone: Bool) throws {
            let box = try Sandbox.current
            try box.service()
            let pid = try #require(try box.state()["pid"] as? Int)
            let own = try cgroup(of: pid)
            let other = own + "-moved"
            try CgroupTree.make(other)
            try CgroupTree.write("\(pid)", into: other + "/cgroup.procs")
            if isGone { CgroupTree.remove(own) }
            #expect(CgroupTree.exists(own) != isGone)
            let file = box.path("pid")
            let outcome = try box.exec("/probe", "hang", flags: ["-d", "--pid-file", file])
            #expect(outcome.status == 0, "\(outcome)")
            let program = try #require(Int(try String(contentsOfFile: file, encoding: .utf8)))
            // As long as it is there, the container's own is the place.
            #expect(try cgroup(of: program) == (isGone ? other : own))
            kill(pid_t(program), SIGKILL)
            try box.ok("delete", "--force", box.id)
            let isRemoved = eventually(10) {
                CgroupTree.remove(other)
                return !CgroupTree.exists(other)
            }
            #expect(isRemoved, "\(other)")
        }

        private func cgroup(of pid: Int) throws -> String {
            let line = try #require(Leftovers.lines("/proc/\(pid)/cgroup").first { $0.hasPrefix("0::") })
            return String(line.dropFirst(3))
        }
    }
}
