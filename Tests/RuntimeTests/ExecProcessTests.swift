import Foundation
import Glibc
import Testing

extension AllTests {
    /// exec: what the process is like, by the container's own, by flags and by --process
    @Suite struct ExecProcess {
        // MARK: As the container's own

        @Test func execRunsAsTheContainersProcess() throws {
            let box = try Sandbox.current
            try box.service {
                $0["process.user"] = ["uid": 1000, "gid": 1001, "additionalGids": [5], "umask": 0o027]
                $0["process.cwd"] = "/home/service"
                $0["process.rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 100, "hard": 200]]
                $0["process.oomScoreAdj"] = 500
                $0["process.scheduler"] = ["policy": "SCHED_BATCH", "nice": 5]
                $0["process.ioPriority"] = ["class": "IOPRIO_CLASS_BE", "priority": 6]
                $0["linux.personality"] = ["domain": "LINUX32"]
            }
            let seen = try box.probe(
                "ids", "umask", "cwd", "limits", "read:/proc/self/oom_score_adj", "sched", "ioprio", "env", "caps",
                "personality", "status:NoNewPrivs")
            let expected = [
                "uid": "1000", "gid": "1001", "groups": "5", "umask": "0027", "cwd": "/home/service",
                "rlimit.NOFILE": "100:200", "read./proc/self/oom_score_adj": "500", "sched.policy": "BATCH",
                "ioprio": "BE:6", "env.FROM": "container", "env.HOME": "/home/service",
                "cap.bounding": "0000000020000420", "cap.effective": "0000000000000000",
            ]
            for (key, value) in expected { #expect(seen[key] == value, "\(key): \(seen)") }
            #expect(seen["status.NoNewPrivs"]?.contains("1") == true, "\(seen)")
            #expect(seen["personality"]?.contains("8") == true, "\(seen)")
        }

        @Test func theSeccompProfileHolds() throws {
            let box = try Sandbox.current
            try box.service {
                $0["linux.seccomp"] = [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38]],
                ]
            }
            let seen = try box.probe("seccomp", "mkdir:/tmp/x")
            #expect(seen["seccomp"] == "2" && seen["mkdir./tmp/x"] == "ENOSYS", "\(seen)")
        }

        @Test func nothingOfTheHostsIsOpen() throws {
            let box = try Sandbox.current
            try box.service()
            let leak = open("/", O_RDONLY | O_DIRECTORY)
            defer { close(leak) }
            let seen = try box.probe(
                "fds", "fdescape", with: Surroundings(descriptors: [nil, nil, nil, leak, leak, leak]))
            #expect(seen["fds"] == "0 1 2" && seen["fdescape"] == "0", "\(seen)")
        }

        // MARK: By flags

        @Test func flagsChangeUserEnvironmentAndCapabilities() throws {
            let box = try Sandbox.current
            try box.service { $0["process.noNewPrivileges"] = false }
            let seen = try box.probe(
                "ids", "cwd", "env", "caps", "status:NoNewPrivs",
                flags: [
                    "--user", "1000:5", "-g", "7", "--additional-gids=8", "--cwd", "/home/service", "-e", "NEW=1",
                    "--env", "FROM=flag", "--cap", "CAP_SYS_PTRACE", "-c", "net_raw", "--no-new-privs",
                ])
            let expected = [
                "uid": "1000", "gid": "5", "groups": "7 8", "cwd": "/home/service", "env.NEW": "1", "env.FROM": "flag",
                "env.HOME": "/home/service", "cap.bounding": "0000000020082420",
                "cap.inheritable": "0000000000000000", "cap.ambient": "0000000000000000",
            ]
            for (key, value) in expected { #expect(seen[key] == value, "\(key): \(seen)") }
            #expect(seen["status.NoNewPrivs"]?.contains("1") == true, "\(seen)")
        }

        @Test func addedCapabilitiesAreRootsAndNeverInheritable() throws {
            let box = try Sandbox.current
            try box.service()
            let seen = try box.probe("caps", flags: ["--cap", "CAP_SYS_PTRACE"])
            for set in ["bounding", "permitted", "effective"] {
                #expect(seen["cap." + set] == "0000000020080420", "\(set)")
            }
            for set in ["inheritable", "ambient"] { #expect(seen["cap." + set] == "0000000000000000", "\(set)") }
        }

        @Test func aUserWithoutAGroupKeepsTheContainers() throws {
            let box = try Sandbox.current
            try box.service { $0["process.user"] = ["uid": 1, "gid": 44] }
            let seen = try box.probe("ids", flags: ["-u", "1000"])
            #expect(seen["uid"] == "1000" && seen["gid"] == "44", "\(seen)")
        }

        @Test(arguments: [
            "", "root", "1000:", ":5", "1x", "-1", "+1", " 1", "1:2:3", "4294967295", "4294967296", "0x10", "1:-2", "١",
        ])
        func malformedUsersAreRefused(text: String) throws {
            let box = try Sandbox.current
            try box.service()
            let outcome = try box.exec("sh", "-c", "echo it ran", flags: ["--user=" + text])
            #expect(outcome.status == 1 && outcome.stdout == "", "\(outcome)")
            #expect(outcome.stderr.contains("flag --user") && outcome.complaints.count == 1, "\(outcome)")
        }

        @Test func aUserWithoutAMappingIsRefused() throws {
            let box = try Sandbox.current
            try box.service { $0.userNamespace() }
            #expect(try box.execRefused("id", flags: ["-u", "70000"]).contains("70000 is not mapped"))
        }

        @Test func execRunsOnTheConfiguredCPUs() throws {
            let box = try Sandbox.current
            try box.service { $0["process.execCPUAffinity"] = ["initial": "0", "final": "0"] }
            #expect(try box.probe("affinity")["affinity"] == "1")
            // The init itself keeps them all.
            let pid = try #require(try box.state()["pid"] as? Int)
            let list = Leftovers.lines("/proc/\(pid)/status").first { $0.hasPrefix("Cpus_allowed_list") } ?? ""
            let own = Leftovers.lines("/proc/self/status").first { $0.hasPrefix("Cpus_allowed_list") } ?? ""
            #expect(list == own)
        }

        @Test func preservedDescriptorsReachTheProgram() throws {
            let box = try Sandbox.current
            try box.service()
            let one = open(try box.file("one", "first"), O_RDONLY)
            defer { close(one) }
            let seen = try box.probe(
                "fds", "fdread:3", flags: ["--preserve-fds", "1"],
                with: Surroundings(descriptors: [nil, nil, nil, one, one]))
            #expect(seen["fds"] == "0 1 2 3" && seen["fdread.3"] == "first", "\(seen)")
            let two = open(box.path("one"), O_RDONLY)
            defer { close(two) }
            let holes = try box.probe(
                "fds", "fdread:6", flags: ["--preserve-fds", "9"],
                with: Surroundings(descriptors: [nil, nil, nil, nil, nil, nil, two]))
            #expect(holes["fds"] == "0 1 2 6" && holes["fdread.6"] == "first", "\(holes)")
        }

        /// An init of its own choice of capabilities would be none that somebody asked for.
        @Test(arguments: [["--cap", "CAP_COFFEE"], ["--cap", "kill", "--cap", "net_raww"], ["--cap", ""]])
        func aCapabilityThatIsTypedMustBeKnown(flags: [String]) throws {
            let box = try Sandbox.current
            try box.service()
            let line = try box.execRefused("true", flags: flags)
            #expect(line.contains("--cap: no capability is called \"CAP_"), "\(line)")
            #expect(
                line.contains("COFFEE") || line.contains("(did you mean CAP_NET_RAW?)") || flags[1].isEmpty, "\(line)")
        }

        /// An unknown name in a document is the specification's warning.
        @Test func aCapabilityOfADocumentMayBeUnknown() throws {
            let box = try Sandbox.current
            try box.service()
            let file = try box.file(
                "process.json",
                #"{"cwd":"/","user":{"uid":0},"args":["/probe","caps"],"capabilities":{"bounding":["CAP_COFFEE"]}}"#)
            let outcome = try box.runtime("exec", "--process", file, box.id)
            #expect(outcome.status == 0 && outcome.complaints.count == 2, "\(outcome)")
            #expect(
                outcome.stderr.contains("CAP_COFFEE") && outcome.stderr.contains("\"gid\" is missing; 0 is taken"),
                "\(outcome)")
        }

        // MARK: The working directory

        /// Whose home it is, and who the program runs as: with the runtime's rights, or with the user's own.
        @Test(.needsRoot, arguments: ["--cwd", "--process"])
        func aPrivateHomeIsEnteredWithTheRuntimesRights(way: String) throws {
            let box = try Sandbox.current
            try box.service()
            let home = try #require(try box.state()["rootfs"] as? String) + "/private"
            #expect(mkdir(home, 0o700) == 0 && chown(home, 1000, 1000) == 0)
            let file = try box.file(
                "process.json", #"{"cwd":"/private","user":{"uid":0,"gid":0},"args":["/probe","cwd","caps"]}"#)
            let outcome =
                way == "--cwd"
                ? try box.exec("/probe", "cwd", "caps", flags: ["--cwd", "/private"])
                : try box.runtime("exec", "--process", file, box.id)
            #expect(outcome.status == 0 && outcome["cwd"] == "/private", "\(outcome)")
            // CAP_DAC_OVERRIDE is 2.
            #expect(outcome["cap.effective"] == "0000000020000420", "\(outcome)")
        }

        @Test(arguments: [
            ("/missing", "no such file or directory"), ("/probe", "not a directory"),
            ("/proc/self/fd/5", "process.cwd"),
        ])
        func aDirectoryThatCannotBeEnteredIsNamed(directory: String, words: String) throws {
            let box = try Sandbox.current
            try box.service()
            let leak = open("/", O_RDONLY | O_DIRECTORY)
            defer { close(leak) }
            let outcome = try box.runtime(
                "exec", "--preserve-fds", "3", "--cwd", directory, box.id, "/probe", "say:it ran",
                with: Surroundings(descriptors: [nil, nil, nil, nil, nil, leak]))
            #expect(outcome.status == 255 && !outcome.stdout.contains("it ran"), "\(outcome)")
            #expect(outcome.stderr.contains(directory) && outcome.stderr.contains(words), "\(outcome)")
        }

        // MARK: By a document

        @Test func aDocumentDescribesTheProcess() throws {
            let box = try Sandbox.current
            try box.service {
                $0["process.rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 100, "hard": 200]]
            }
            let file = try box.file(
                "process.json",
                """
                {"user": {"uid": 1000, "gid": 1000, "umask": 63}, "args": ["/probe", "ids", "env", "cwd", "umask", "limits", "caps"],
                 "cwd": "/tmp", "env": ["ONLY=this"]}
                """)
            // What the flags say does not count.
            let outcome = try box.plain([
                "--root", box.root, "exec", "--process", file, "--user", "7", "-e", "X=1", box.id,
            ])
            #expect(outcome.status == 0, "\(outcome)")
            let seen = outcome.facts
            let expected = [
                "uid": "1000", "gid": "1000", "env.ONLY": "this", "cwd": "/tmp", "umask": "0077",
                "rlimit.NOFILE": "100:200", "cap.bounding": "0000000020000420",
            ]
            for (key, value) in expected { #expect(seen[key] == value, "\(key): \(seen)") }
            #expect(seen["env.FROM"] == nil && seen["env.X"] == nil, "\(seen)")
        }

        @Test(arguments: [
            (
                #"{"user": {"uid": "7", "gid": 0}, "args": ["true"], "cwd": "/"}"#,
                "process.json:1:18: user.uid: expected a number"
            ),
            (#"{"args": ["true"]}"#, "cwd"),
            (
                #"{"args": ["true"], "cwd": "/", "env": ["x"]}"#,
                "process.json:1:40: env[0]: must have the form NAME=value"
            ),
            (#"{"cwd": "/"}"#, "args must not be empty"),
            (#"{"#, "process.json:1:2"),
        ])
        func mistakesInADocumentHaveTheirPlace(text: String, words: String) throws {
            let box = try Sandbox.current
            try box.service()
            let file = try box.file("process.json", text)
            let outcome = try box.plain(["--root", box.root, "exec", "-p", file, box.id])
            #expect(outcome.status == 255 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains(words) && outcome.stderr.hasPrefix("exec failed: "), "\(outcome)")
        }

        @Test func aMissingDocumentIsAnError() throws {
            let box = try Sandbox.current
            try box.service()
            let outcome = try box.plain(["--root", box.root, "exec", "-p", "/nope.json", box.id])
            #expect(outcome.status == 255 && outcome.stderr.contains("/nope.json: not found"), "\(outcome)")
        }

        // MARK: What it refuses

        @Test func programsThatCannotRunAreErrors() throws {
            let box = try Sandbox.current
            try box.service { _ in }
            try "x".write(toFile: box.path("bundle/rootfs/plain"), atomically: false, encoding: .utf8)
            #expect(try box.execRefused("nope", status: 127).contains("executable file not found in $PATH"))
            #expect(try box.execRefused("/nope", status: 127).contains("no such file or directory"))
            #expect(try box.execRefused("/plain", status: 126).contains("permission denied"))
            #expect(try box.execRefused("/bin", status: 126).contains("is a directory"))
            #expect(
                try box.execRefused("true", flags: ["--cwd", "/nope"]).contains("/nope: no such file or directory"))
            #expect(try box.status() == "running")
        }

        @Test func aPidFileIsWrittenForAProgramThatRunsOnly() throws {
            let box = try Sandbox.current
            try box.service()
            let file = box.path("pid")
            try box.execRefused("/nope", flags: ["--detach", "--pid-file", file], status: 127)
            #expect(!FileManager.default.fileExists(atPath: file), "conmon takes it for success")
        }

        @Test func statusesThatDoNotAllowExecAreErrors() throws {
            let box = try Sandbox.current
            #expect(try box.execRefused("true").contains("exec failed: container does not exist"))
            try box.service()
            #expect(try box.execRefused().contains("exec args cannot be empty"))
            try box.ok("pause", box.id)
            #expect(try box.execRefused("true").contains("cannot exec in a paused container (use --ignore-paused"))
            let waiting = try box.begin(["--root", box.root, "exec", "--ignore-paused", box.id, "sh", "-c", "exit 5"])
            usleep(200_000)
            #expect(!waiting.hasEnded(), "it is as frozen as the container")
            try box.ok("resume", box.id)
            #expect(waiting.wait().status == 5)
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            #expect(try box.execRefused("true").contains("cannot exec in a stopped container"))
        }

        // MARK: Terminals

        @Test func aTerminalWorksInTheForeground() throws {
            let box = try Sandbox.current
            try box.service()
            let terminal = try Terminal(rows: 33, columns: 99)
            let running = try box.begin(
                ["--root", box.root, "exec", "--tty", box.id, "sh", "-c", "/probe tty; read l; echo \"<$l>\"; exit 3"],
                Surroundings(terminal: terminal.path))
            #expect(terminal.reads("tty.size=33x99"), "\(terminal.text)")
            #expect(!terminal.isCooked)
            terminal.type("hello\r")
            #expect(terminal.reads("<hello>"), "\(terminal.text)")
            #expect(running.wait().status == 3)
            #expect(terminal.isCooked, "the person's terminal is as it was")
            #expect(terminal.facts["tty.controlling"] == "ok")
        }

        @Test func aTerminalIsSentThroughASocket() throws {
            let box = try Sandbox.current
            try box.service()
            let socket = try ConsoleSocket(path: box.path("console"))
            let file = try box.file(
                "process.json",
                #"{"terminal": true, "consoleSize": {"height": 11, "width": 22}, "args": ["/probe", "tty", "hang"], "cwd": "/"}"#
            )
            let outcome = try box.plain([
                "--root", box.root, "exec", "--process", file, "--detach", "--console-socket", socket.path,
                "--pid-file", box.path("pid"), box.id,
            ])
            #expect(outcome.status == 0, "\(outcome)")
            let terminal = try socket.receive().terminal
            #expect(terminal.reads("ready"), "\(terminal.text)")
            #expect(terminal.facts["tty.size"] == "11x22" && terminal.facts["tty.controlling"] == "ok")
        }

        @Test func aTerminalNobodyWouldSeeIsRefused() throws {
            let box = try Sandbox.current
            try box.service()
            #expect(
                try box.execRefused("true", flags: ["-d", "-t"]).contains(
                    "cannot allocate tty if runbox will detach without setting console socket"))
            let socket = try ConsoleSocket(path: box.path("console"))
            #expect(
                try box.execRefused("true", flags: ["-d", "--console-socket", socket.path]).contains(
                    "cannot use console socket if runbox will not detach or allocate tty"))
        }

        @Test func theContainersTerminalIsNotInherited() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("hang") { $0["process.terminal"] = true }
            _ = try box.create(bundle, flags: ["--console-socket", socket.path])
            try box.ok("start", box.id)
            #expect(try box.exec("sh", "-c", "test -t 0 || echo none").stdout == "none\n")
        }
    }
}
