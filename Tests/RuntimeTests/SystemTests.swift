import Foundation
import Glibc
import Testing

extension AllTests {
    /// hostname, domainname, linux.sysctl
    @Suite struct SystemNames {
        @Test func theHostnameIsTheContainersOnly() throws {
            let box = try Sandbox.current
            let host = try box.aside([try Programs.probe.get(), "uts"]).wait()
            let seen = try box.look("uts") { $0["hostname"] = "Some.Name-1" }
            #expect(seen["hostname"] == "Some.Name-1", "\(seen)")
            #expect(try box.aside([try Programs.probe.get(), "uts"]).wait()["hostname"] == host["hostname"])
        }

        @Test func theDomainnameIsSet() throws {
            #expect(
                try Sandbox.current.look("uts") { $0["domainname"] = "example.test" }["domainname"] == "example.test")
        }

        @Test(arguments: ["hostname", "domainname"])
        func namesNeedAUTSNamespace(field: String) throws {
            let line = try Sandbox.current.refuse {
                $0["hostname"] = nil
                $0[field] = "name"
                $0.dropNamespace("uts")
            }
            #expect(line.contains(field) && line.lowercased().contains("uts"), "\(line)")
        }

        @Test func aHostnameTooLongIsRefused() throws {
            let line = try Sandbox.current.refuse { $0["hostname"] = String(repeating: "a", count: 65) }
            #expect(line.contains("hostname"), "\(line)")
        }

        // MARK: sysctl

        @Test(arguments: [
            ("kernel.msgmax", "/proc/sys/kernel/msgmax", "4096"), ("kernel.shmmni", "/proc/sys/kernel/shmmni", "100"),
            ("fs.mqueue.msg_max", "/proc/sys/fs/mqueue/msg_max", "20"),
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward", "1"),
            ("net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "80"),
            ("kernel.domainname", "/proc/sys/kernel/domainname", "example.test"),
        ])
        func parametersAreTheContainersOnly(key: String, file: String, value: String) throws {
            let host = Leftovers.lines(file)
            let seen = try Sandbox.current.look("read:\(file)") {
                if key == "kernel.domainname" { $0["domainname"] = value }
                $0["linux.sysctl"] = [key: value]
            }
            #expect(seen["read.\(file)"] == value, "\(seen)")
            #expect(Leftovers.lines(file) == host, "the host's own has changed")
        }

        @Test func aParameterMayHaveSeveralValues() throws {
            let seen = try Sandbox.current.look("read:/proc/sys/kernel/sem") {
                $0["linux.sysctl"] = ["kernel.sem": "250 32000 32 100"]
            }
            #expect(
                seen.words("read./proc/sys/kernel/sem", separator: "\t") == ["250", "32000", "32", "100"], "\(seen)")
        }

        @Test(arguments: [
            "kernel.panic", "vm.swappiness", "fs.file-max", "kernel.hostname", "../kernel/panic", "net/../kernel/panic",
            "net.ipv4..x", "",
        ])
        func parametersOfTheHostAreRefused(key: String) throws {
            let line = try Sandbox.current.refuse { $0["linux.sysctl"] = [key: "0"] }
            #expect(line.contains("linux.sysctl") && (key.isEmpty || line.contains(key)), "\(line)")
        }

        @Test(arguments: [
            ("kernel.msgmax", "ipc"), ("net.ipv4.ip_forward", "network"), ("kernel.domainname", "uts"),
            ("fs.mqueue.msg_max", "ipc"),
        ])
        func parametersNeedTheirNamespace(key: String, namespace: String) throws {
            let line = try Sandbox.current.refuse {
                $0["hostname"] = nil
                $0.dropNamespace(namespace)
                if namespace == "network" { $0.dropMount("/sys") }
                $0["linux.sysctl"] = [key: "1"]
            }
            #expect(line.contains(key) && line.contains(namespace), "\(line)")
        }

        @Test func theHostsNetworkByPathIsNotItsOwn() throws {
            let line = try Sandbox.current.refuse {
                $0.namespace("network", path: "/proc/self/ns/net")
                // The value that it has, should it be written after all.
                $0["linux.sysctl"] = [
                    "net.ipv4.ip_default_ttl": Leftovers.lines("/proc/sys/net/ipv4/ip_default_ttl").first ?? "64"
                ]
            }
            #expect(line.contains("net.ipv4.ip_default_ttl"), "\(line)")
        }

        @Test func aParameterThatTheKernelLacksIsAnError() throws {
            let line = try Sandbox.current.refuse { $0["linux.sysctl"] = ["net.ipv4.frobnicate": "1"] }
            #expect(line.contains("net.ipv4.frobnicate"), "\(line)")
        }
    }

    /// linux.personality, process.scheduler, process.ioPriority
    @Suite struct Scheduling {
        @Test func thePersonalityIsSet() throws {
            let linux = try Sandbox.current.look("personality") { $0["linux.personality"] = ["domain": "LINUX"] }
            #expect(linux["personality"] == "00000000", "\(linux)")
            let other = try Sandbox.current.look("personality") { $0["linux.personality"] = ["domain": "LINUX32"] }
            #expect(other["personality"] == "00000008", "\(other)")
        }

        @Test(arguments: [("SCHED_BATCH", "BATCH", 5), ("SCHED_OTHER", "OTHER", -5), ("SCHED_IDLE", "IDLE", 0)])
        func everyOrdinaryPolicyIsSet(word: String, policy: String, nice: Int) throws {
            let seen = try Sandbox.current.look("sched") {
                $0["process.scheduler"] = ["policy": word, "nice": nice] as [String: Any]
            }
            #expect(seen["sched.policy"] == policy && seen["sched.nice"] == String(nice), "\(seen)")
        }

        @Test(arguments: [("SCHED_FIFO", "FIFO"), ("SCHED_RR", "RR")])
        func realTimePoliciesAreSet(word: String, policy: String) throws {
            let seen = try Sandbox.current.look("sched") {
                $0["process.scheduler"] = ["policy": word, "priority": 7] as [String: Any]
            }
            #expect(seen["sched.policy"] == policy && seen["sched.priority"] == "7", "\(seen)")
        }

        @Test func theDeadlinePolicyIsSet() throws {
            let seen = try Sandbox.current.look("sched") {
                $0["process.scheduler"] =
                    ["policy": "SCHED_DEADLINE", "runtime": 1_000_000, "deadline": 10_000_000, "period": 20_000_000]
                    as [String: Any]
            }
            #expect(
                seen["sched.policy"] == "DEADLINE" && seen["sched.deadline"] == "1000000 10000000 20000000", "\(seen)")
        }

        @Test func schedulerFlagsAreSet() throws {
            let seen = try Sandbox.current.look("sched") {
                $0["process.scheduler"] =
                    ["policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"]] as [String: Any]
            }
            #expect(seen["sched.policy"] == "BATCH" && seen["sched.flags"] == "1", "\(seen)")
        }

        @Test(arguments: [
            #"{"policy": "SCHED_OTHER", "nice": 20}"#, #"{"policy": "SCHED_OTHER", "nice": -21}"#,
            #"{"policy": "SCHED_OTHER", "priority": 5}"#, #"{"policy": "SCHED_OTHER", "runtime": 5}"#,
            #"{"policy": "SCHED_FIFO", "priority": 1000}"#, #"{"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_X"]}"#,
            #"{"nice": 1}"#,
        ])
        func mistakesNameTheirField(json: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("process.scheduler", json: json) }
            #expect(line.contains("process.scheduler"), "\(line)")
        }

        /// In the plan: the kernel has one errno for all of them.
        @Test(arguments: [
            ("runtime", #""deadline": 200000, "period": 300000"#),
            ("deadline", #""runtime": 100000, "period": 300000"#),
            ("period", #""runtime": 100000, "deadline": 200000"#),
            ("runtime", #""runtime": 1000, "deadline": 200000, "period": 300000"#),
            ("period", #""runtime": 2000, "deadline": 3000, "period": 4000"#),
            ("period", #""runtime": 2000, "deadline": 3000, "period": 5000000000"#),
            ("runtime", #""runtime": 300000, "deadline": 200000, "period": 300000"#),
            ("deadline", #""runtime": 100000, "deadline": 400000, "period": 300000"#),
        ])
        func deadlinesThatTheKernelDoesNotTakeAreNamed(field: String, members: String) throws {
            let line = try Sandbox.current.refuse {
                try $0.set("process.scheduler", json: #"{"policy": "SCHED_DEADLINE", \#(members)}"#)
            }
            #expect(line.contains("config.json:") && line.contains(" process.scheduler.\(field): "), "\(line)")
            #expect(!line.contains("invalid argument"), "\(line)")
        }

        @Test(arguments: [
            ("IOPRIO_CLASS_BE", 3, "BE:3"), ("IOPRIO_CLASS_RT", 1, "RT:1"), ("IOPRIO_CLASS_IDLE", 4, "IDLE:4"),
        ])
        func theIOPriorityIsSet(word: String, priority: Int, expected: String) throws {
            let seen = try Sandbox.current.look("ioprio") {
                $0["process.ioPriority"] = ["class": word, "priority": priority] as [String: Any]
            }
            #expect(seen["ioprio"] == expected, "\(seen)")
        }

        @Test func anIOPriorityOutOfRangeIsRefused() throws {
            let line = try Sandbox.current.refuse {
                $0["process.ioPriority"] = ["class": "IOPRIO_CLASS_BE", "priority": 8] as [String: Any]
            }
            #expect(line.contains("process.ioPriority.priority"), "\(line)")
        }
    }

    /// process.terminal, process.consoleSize, --console-socket
    @Suite struct Terminals {
        // MARK: In the foreground

        /// A terminal has no end of file: the runtime types what means it.
        @Test(arguments: [("", ""), ("line\n", "line"), ("half a line", "half a line")])
        func theEndOfTheInputReachesTheTerminal(input: String, echo: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/bin/cat"]) { $0["process.terminal"] = true }
            let outcome = try box.run(bundle, with: Surroundings(input: input))
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.stdout.split(whereSeparator: \.isNewline)
            #expect(lines.joined().filter { $0.isLetter || $0 == " " }.hasSuffix(echo), "\(outcome)")
        }

        @Test func aForegroundRunPassesItsTerminalOn() throws {
            let box = try Sandbox.current
            let terminal = try Terminal(rows: 33, columns: 99)
            let bundle = try box.bundle("tty", "ids") { $0["process.terminal"] = true }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("uid=0"), "\(terminal.text)")
            #expect(running.wait().status == 0)
            let seen = terminal.facts
            #expect(
                seen["tty.0"]?.hasPrefix("/dev/") == true && seen["tty.1"] == seen["tty.0"]
                    && seen["tty.2"] == seen["tty.0"], "\(seen)")
            #expect(
                seen["tty.size"] == "33x99" && seen["tty.controlling"] == "ok" && seen["tty.foreground"] == "1",
                "\(seen)")
            #expect(seen["tty.console"] == "1", "/dev/console is the terminal: \(seen)")
            #expect(terminal.isCooked, "the person's terminal is as it was")
        }

        /// As with runc: what the payload writes is what comes out.
        @Test func newlinesArriveAsTheyWereWritten() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["sh", "-c", "echo first; echo second >/dev/tty; echo third >&2"]) {
                $0["process.terminal"] = true
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout == "first\nsecond\nthird\n", "\(outcome)")
        }

        @Test func newlinesOfAnExecArriveAsTheyWereWritten() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            try box.ok("start", box.id)
            let outcome = try box.runtime("exec", "--tty", box.id, "/bin/sh", "-c", "echo first; echo second")
            #expect(outcome.status == 0 && outcome.stdout == "first\nsecond\n", "\(outcome)")
        }

        /// A person's terminal returns the carriage itself, for what the runtime says too.
        @Test func theCallersTerminalKeepsItsOutputProcessing() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let bundle = try box.bundle(args: ["sh", "-c", "echo first; echo second; read line"]) {
                $0["process.terminal"] = true
            }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("first\r\nsecond\r\n"), "\(terminal.text)")
            #expect(terminal.settings.c_oflag & tcflag_t(OPOST) != 0 && !terminal.isCooked)
            terminal.type("\r")
            #expect(running.wait().status == 0)
        }

        /// An engine sets the terminal as it wants it.
        @Test func aTerminalThatIsHandedOverIsTheKernels() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("hang") { $0["process.terminal"] = true }
            try box.ok("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id)
            let terminal = try socket.receive().terminal
            #expect(terminal.settings.c_oflag & tcflag_t(ONLCR) != 0)
        }

        @Test func whatIsTypedArrivesAndTheTerminalIsRaw() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let bundle = try box.bundle(args: ["sh", "-c", "echo ready; read line; echo \"got <$line>\"; exit 7"]) {
                $0["process.terminal"] = true
            }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("ready"))
            #expect(!terminal.isCooked, "the container's terminal does the echo, the person's must not")
            terminal.type("hello\r")
            #expect(terminal.reads("got <hello>"), "\(terminal.text)")
            #expect(running.wait().status == 7)
            #expect(terminal.isCooked)
        }

        @Test func controlCGoesToTheContainer() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let bundle = try box.bundle(args: [
                "sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done",
            ]) { $0["process.terminal"] = true }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("ready"))
            terminal.type("\u{3}")
            #expect(terminal.reads("caught"), "\(terminal.text)")
            #expect(running.wait().status == 9)
        }

        @Test func aNewSizeReachesTheContainer() throws {
            let box = try Sandbox.current
            let terminal = try Terminal(rows: 24, columns: 80)
            let script = "echo ready; while read line; do /probe tty; done"
            let bundle = try box.bundle(args: ["sh", "-c", script]) { $0["process.terminal"] = true }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("ready"))
            terminal.resize(rows: 40, columns: 120)
            running.signal(SIGWINCH)
            let isResized = eventually(10) {
                terminal.type("x\r")
                return terminal.reads("tty.size=40x120", seconds: 0.2)
            }
            #expect(isResized, "\(terminal.text)")
            terminal.type("\u{4}")
            #expect(running.wait().status == 0)
        }

        @Test func theTerminalHasTheConfiguredSize() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("tty", "hang") {
                $0["process.terminal"] = true
                $0["process.consoleSize"] = ["height": 17, "width": 71]
            }
            try box.ok("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id)
            let terminal = try socket.receive().terminal
            try box.ok("start", box.id)
            #expect(terminal.reads("ready"))
            #expect(terminal.facts["tty.size"] == "17x71", "\(terminal.text)")
        }

        @Test func theTerminalIsRestoredWhenTheContainerIsKilled() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let bundle = try box.bundle("hang") { $0["process.terminal"] = true }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("ready"))
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
            #expect(terminal.isCooked)
        }

        @Test func nothingIsLostOfALongOutput() throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let bundle = try box.bundle(args: [
                "sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; echo the end",
            ]) { $0["process.terminal"] = true }
            let running = try box.runAside(bundle, with: Surroundings(terminal: terminal.path))
            #expect(terminal.reads("the end", seconds: 20))
            #expect(running.wait().status == 0)
            let lines = terminal.text.replacingOccurrences(of: "\r", with: "").split(separator: "\n")
            #expect(lines.count == 5001 && lines[4999] == "line 4999", "\(lines.count) lines")
        }

        // MARK: Through a socket

        @Test func theTerminalIsSentThroughASocket() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("tty", "fds", "hang") { $0["process.terminal"] = true }
            try box.ok("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id)
            let (text, terminal) = try socket.receive()
            #expect(!text.isEmpty, "a message names the terminal")
            try box.ok("start", box.id)
            #expect(terminal.reads("ready"), "\(terminal.text)")
            #expect(
                terminal.facts["tty.controlling"] == "ok" && terminal.facts["tty.console"] == "1", "\(terminal.text)")
            #expect(terminal.facts["fds"] == "0 1 2", "\(terminal.text)")
        }

        @Test func aDetachedRunSendsItsTerminal() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("tty", "hang") { $0["process.terminal"] = true }
            let outcome = try box.run(bundle, flags: ["--detach", "--console-socket", socket.path])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try socket.receive().terminal.reads("ready"))
        }

        @Test func theTerminalIsOwnedByTheUser() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("stat:/dev/pts/0", "stat:/dev/console", "open:/dev/tty:rw", "hang") {
                $0["process.terminal"] = true
                $0["process.user"] = ["uid": 1000, "gid": 1000]
            }
            try box.ok("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id)
            let terminal = try socket.receive().terminal
            try box.ok("start", box.id)
            #expect(terminal.reads("ready"), "\(terminal.text)")
            #expect(terminal.facts["stat./dev/pts/0"]?.contains(" 1000:5 ") == true, "\(terminal.text)")
            #expect(terminal.facts["open./dev/tty"] == "ok", "\(terminal.text)")
        }

        /// Its place is made while there is something to make it in.
        @Test(arguments: [true, false], ["read-only /dev", "read-only root", "both", "no /dev", "no /dev, read-only"])
        func theConsoleIsThereInWhatIsReadOnly(mapped: Bool, what: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("tty", "create:/dev/file", "create:/file") {
                if mapped { $0.userNamespace() }
                $0["process.terminal"] = true
                $0["root.readonly"] = what != "read-only /dev" && what != "no /dev"
                var mounts = $0["mounts"] as? [[String: Any]] ?? []
                if what.hasPrefix("no /dev") { mounts.removeAll { $0["destination"] as? String == "/dev" } }
                if what == "read-only /dev" || what == "both" {
                    for index in mounts.indices where mounts[index]["destination"] as? String == "/dev" {
                        mounts[index]["options"] = (mounts[index]["options"] as? [String] ?? []) + ["ro"]
                    }
                }
                $0["mounts"] = mounts
            }
            if mapped { try bundle.chown(to: 100_000) }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome["tty.console"] == "1", "\(outcome)")
            if what.hasPrefix("read-only /dev") || what == "both" {
                #expect(outcome["create./dev/file"] == "EROFS", "\(outcome)")
            }
            if what.hasSuffix("read-only") || what == "both" || what == "read-only root" {
                #expect(outcome["create./file"] == "EROFS", "\(outcome)")
            }
        }

        @Test func aTerminalWorksInAUserNamespace() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("tty", "hang") {
                $0.userNamespace()
                $0["process.terminal"] = true
            }
            try bundle.chown(to: 100_000)
            try box.ok("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id)
            let terminal = try socket.receive().terminal
            try box.ok("start", box.id)
            #expect(terminal.reads("ready"), "\(terminal.text)")
            #expect(terminal.facts["tty.controlling"] == "ok", "\(terminal.text)")
        }

        // MARK: Mistakes

        @Test func createNeedsASocketForATerminal() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["process.terminal"] = true }
            let line = try box.refused(try box.runtime("create", "--bundle", bundle.directory, box.id))
            #expect(line.contains("console-socket") || line.contains("console socket"), "\(line)")
        }

        @Test func aDetachedRunNeedsASocketForATerminal() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["process.terminal"] = true }
            let line = try box.refused(try box.run(bundle, flags: ["--detach"]))
            #expect(line.contains("console-socket") || line.contains("console socket"), "\(line)")
        }

        @Test func aSocketWithoutATerminalIsRefused() throws {
            let box = try Sandbox.current
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("say:it ran")
            let line = try box.refused(
                try box.runtime("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id))
            #expect(line.contains("terminal") || line.contains("tty"), "\(line)")
        }

        @Test func aMissingSocketIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["process.terminal"] = true }
            let line = try box.refused(
                try box.runtime("create", "--bundle", bundle.directory, "--console-socket", box.path("absent"), box.id))
            #expect(line.contains(box.path("absent")), "\(line)")
        }

        @Test func aTerminalNeedsNoneOutside() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["process.terminal"] = true }
            let outcome = try box.run(bundle, with: Surroundings(ownSession: true))
            #expect(outcome.status == 0 && outcome.stdout.contains("it ran"), "\(outcome)")
        }
    }
}
