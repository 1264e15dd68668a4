import Foundation
import Glibc
import Testing

extension AllTests {
    /// process.args: which program runs, and how it is said that none can
    @Suite struct Arguments {
        private func run(_ args: [String], edit: (inout Config) throws -> Void = { _ in }) throws -> Outcome {
            let box = try Sandbox.current
            return try box.run(try box.bundle(args: args, edit: edit))
        }

        @Test func allArgumentsArrive() throws {
            let outcome = try run(["/probe", "args", "say:with space", "say:", "say:ä\"\\"])
            #expect(
                outcome["argc"] == "5" && outcome["argv.0"] == "/probe" && outcome["argv.2"] == "say:with space",
                "\(outcome)")
            #expect(outcome["argv.4"] == "say:ä\"\\", "\(outcome)")
        }

        @Test func theProgramIsFoundOnTheContainersPath() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["mine", "args"]) {
                $0["process.env"] = ["PATH=/absent:/opt/first:/opt/second"]
            }
            for folder in ["first", "second"] { try box.folder("bundle/rootfs/opt/" + folder) }
            try FileManager.default.copyItem(
                atPath: bundle.rootfs + "/probe", toPath: bundle.rootfs + "/opt/second/mine")
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome["argv.0"] == "mine", "\(outcome)")
        }

        @Test func onThePathAFileThatCannotBeExecutedIsPassedOver() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["mine", "say:second"]) {
                $0["process.env"] = ["PATH=/opt/first:/opt/second"]
            }
            for folder in ["first", "second"] { try box.folder("bundle/rootfs/opt/" + folder) }
            try bundle.write("opt/first/mine", "no program", mode: 0o644)
            try FileManager.default.copyItem(
                atPath: bundle.rootfs + "/probe", toPath: bundle.rootfs + "/opt/second/mine")
            let outcome = try box.run(bundle)
            #expect(outcome.stdout == "second\n", "\(outcome)")
        }

        @Test func withoutAPathTheUsualOneIsSearched() throws {
            #expect(try run(["true"]) { $0["process.env"] = ["A=b"] }.status == 0)
        }

        @Test func aRelativePathStartsAtTheCwd() throws {
            let outcome = try run(["./busybox", "echo", "hello"]) { $0["process.cwd"] = "/bin" }
            #expect(outcome.stdout == "hello\n", "\(outcome)")
        }

        @Test func aScriptRunsByItsInterpreter() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/script", "word"])
            try bundle.write("script", "#!/bin/sh\necho \"got $1\"\n", mode: 0o755)
            #expect(try box.run(bundle).stdout == "got word\n")
        }

        @Test(arguments: ["run", "create"])
        func aProgramThatIsNotOnThePathIsAnError(command: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["absent-program"])
            let outcome = try box.runtime(command, "--bundle", bundle.directory, box.id)
            let line = try box.refused(outcome, status: command == "run" ? 127 : outcome.status)
            #expect(
                outcome.status != 0 && line.contains("absent-program")
                    && line.contains("executable file not found in $PATH"), "\(line)")
        }

        @Test func aMissingProgramIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refused(try run(["/absent/program"]), status: 127)
            #expect(line.contains("/absent/program") && line.contains("no such file or directory"), "\(line)")
        }

        @Test func aFileThatIsNotExecutableIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refused(try run(["/etc/passwd"]), status: 126)
            #expect(line.contains("/etc/passwd") && line.contains("permission denied"), "\(line)")
        }

        @Test func aFolderIsNoProgram() throws {
            let box = try Sandbox.current
            let line = try box.refused(try run(["/bin"]), status: 126)
            #expect(line.contains("/bin") && line.contains("is a directory"), "\(line)")
        }

        @Test func aProgramOfAnotherMachineIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/garbage"])
            try bundle.write("garbage", "\u{7f}ELF no program", mode: 0o755)
            let line = try box.refused(try box.run(bundle), status: 126)
            #expect(line.contains("/garbage"), "\(line)")
        }

        @Test func aUserWhoMayNotExecuteItIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/private"]) { $0["process.user"] = ["uid": 1000, "gid": 1000] }
            try FileManager.default.copyItem(atPath: bundle.rootfs + "/probe", toPath: bundle.rootfs + "/private")
            chmod(bundle.rootfs + "/private", 0o700)
            let line = try box.refused(try box.run(bundle), status: 126)
            #expect(line.contains("/private") && line.contains("permission denied"), "\(line)")
        }

        @Test func argumentsMustNotBeEmpty() throws {
            let line = try Sandbox.current.refuse { $0["process.args"] = [String]() }
            #expect(line.contains("process.args"), "\(line)")
        }

        @Test func anEmptyNameIsAnError() throws {
            let outcome = try run([""])
            #expect(outcome.status != 0 && outcome.complaints.count == 1, "\(outcome)")
        }

        @Test func runNeedsAProcess() throws {
            let line = try Sandbox.current.refuse { $0["process"] = nil }
            #expect(line.contains("process"), "\(line)")
        }
    }

    /// process.env and process.cwd
    @Suite struct EnvironmentAndCwd {
        @Test func theEnvironmentIsExactlyTheConfigured() throws {
            let box = try Sandbox.current
            let seen = try box.look("env", with: Surroundings(environment: ["LEAK": "host"])) {
                $0["process.env"] = ["PATH=/bin", "A=b=c", "EMPTY=", "HOME=/x"]
            }
            #expect(
                seen["env.A"] == "b=c" && seen["env.EMPTY"] == "" && seen["env.PATH"] == "/bin"
                    && seen["env.HOME"] == "/x", "\(seen)")
            #expect(seen["env"] == "4", "\(seen)")
        }

        @Test(arguments: [(0, "/root"), (1000, "/home/service"), (4242, "/")])
        func homeComesFromTheContainersPasswd(uid: Int, home: String) throws {
            let seen = try Sandbox.current.look("env") { $0["process.user"] = ["uid": uid, "gid": 0] }
            #expect(seen["env.HOME"] == home, "\(seen)")
        }

        @Test func withoutAPasswdHomeIsTheRoot() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("env")
            try FileManager.default.removeItem(atPath: bundle.rootfs + "/etc/passwd")
            #expect(try box.run(bundle)["env.HOME"] == "/")
        }

        /// A hostile passwd: a link out, a fifo, a huge line must neither hang nor leak the host's.
        @Test func aPasswdThatLinksToTheHostIsNotRead() throws {
            let box = try Sandbox.current
            let file = try box.file("host-passwd", "root:x:0:0::/from/the/host:/bin/sh\n")
            let bundle = try box.bundle("env")
            try FileManager.default.removeItem(atPath: bundle.rootfs + "/etc/passwd")
            symlink("../../../../../../.." + file, bundle.rootfs + "/etc/passwd")
            #expect(try box.run(bundle)["env.HOME"] == "/")
        }

        @Test func aPasswdThatIsAFIFOIsNotWaitedFor() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("env")
            try FileManager.default.removeItem(atPath: bundle.rootfs + "/etc/passwd")
            mkfifo(bundle.rootfs + "/etc/passwd", 0o644)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome["env.HOME"] == "/", "\(outcome)")
        }

        @Test func theLastOfDuplicateVariablesHolds() throws {
            let seen = try Sandbox.current.look("env") {
                $0["process.env"] = ["PATH=/bin", "A=first", "HOME=/", "A=second"]
            }
            #expect(seen["env.A"] == "second" && seen["env"] == "3", "\(seen)")
        }

        @Test(arguments: ["NOEQUALS", "=value", ""])
        func entriesWithoutANameAreRefused(entry: String) throws {
            let line = try Sandbox.current.refuse { $0["process.env"] = ["PATH=/bin", entry] }
            #expect(line.contains("process.env[1]"), "\(line)")
        }

        @Test func theProcessStartsInItsCwd() throws {
            #expect(try Sandbox.current.look("cwd") { $0["process.cwd"] = "/home/service" }["cwd"] == "/home/service")
        }

        @Test func cwdIsMade() throws {
            let seen = try Sandbox.current.look("cwd", "stat:/new/deep/place") { $0["process.cwd"] = "/new/deep/place" }
            #expect(seen["cwd"] == "/new/deep/place" && seen["stat./new/deep/place"] == "dir 0755 0:0", "\(seen)")
        }

        @Test func aCwdThatOnlyTheUserMayEnterIsEntered() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("cwd") {
                $0["process.cwd"] = "/home/service/own"
                $0["process.user"] = ["uid": 1000, "gid": 1000]
                $0.capabilities([])
            }
            try box.folder("bundle/rootfs/home/service/own", mode: 0o700)
            chown(bundle.rootfs + "/home/service/own", 1000, 1000)
            #expect(try box.run(bundle)["cwd"] == "/home/service/own")
        }

        @Test func aCwdThatIsAFileIsAnError() throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.bundle("say:it ran") { $0["process.cwd"] = "/etc/passwd" })
            #expect(try box.refused(outcome, status: outcome.status).contains("/etc/passwd"), "\(outcome)")
            #expect(outcome.status != 0)
        }

        @Test(arguments: ["relative", ""])
        func cwdMustBeAbsolute(cwd: String) throws {
            let line = try Sandbox.current.refuse { $0["process.cwd"] = cwd }
            #expect(line.contains("process.cwd"), "\(line)")
        }
    }

    /// process.user, process.rlimits, process.oomScoreAdj and what else a process is
    @Suite struct Credentials {
        @Test func theUserIsRootByDefault() throws {
            let seen = try Sandbox.current.look("ids", "umask")
            for key in ["uid", "euid", "suid", "gid", "egid", "sgid"] { #expect(seen[key] == "0", "\(key)") }
            #expect(seen["groups"] == "" && seen["umask"] == "0022", "\(seen)")
        }

        @Test func anotherUserHasItsGroups() throws {
            let seen = try Sandbox.current.look("ids", "create:/tmp/x", "create:/x") {
                $0["process.user"] = ["uid": 1000, "gid": 1001, "additionalGids": [4, 1002, 5]]
                $0.addMount("/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777"])
            }
            for key in ["uid", "euid", "suid"] { #expect(seen[key] == "1000", "\(key)") }
            for key in ["gid", "egid", "sgid"] { #expect(seen[key] == "1001", "\(key)") }
            #expect(Set(seen.words("groups")) == ["4", "1002", "5"], "\(seen)")
            #expect(seen["create./tmp/x"] == "ok" && seen["create./x"] == "EACCES", "\(seen)")
        }

        @Test func theGroupsOfTheCallerAreLeft() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("ids"), with: Surroundings(prefix: ["setpriv", "--groups", "1234,4321"]))
            #expect(outcome.status == 0 && outcome["groups"] == "", "\(outcome)")
        }

        @Test(arguments: [("0077", 63), ("0000", 0), ("0027", 23)])
        func theUmaskIsSet(text: String, value: Int) throws {
            let seen = try Sandbox.current.look("umask", "create:/tmp/x", "stat:/tmp/x") {
                $0["process.user.umask"] = value
            }
            #expect(seen["umask"] == text, "\(seen)")
            #expect(seen["stat./tmp/x"]?.hasPrefix("file 0\(String(0o666 & ~value, radix: 8))") == true, "\(seen)")
        }

        @Test(.needsRoot)
        func everyLimitIsSet() throws {
            let limits: [(String, Int, Int)] = [
                ("NOFILE", 100, 200), ("NPROC", 500, 600), ("CORE", 0, 0), ("FSIZE", 1_000_000, 2_000_000),
                ("CPU", 100, 200),
                ("MEMLOCK", 4096, 8192), ("STACK", 4_194_304, 8_388_608), ("SIGPENDING", 10, 20),
                ("MSGQUEUE", 4096, 8192),
                ("DATA", 1 << 30, 1 << 31), ("AS", 1 << 31, 1 << 32), ("RSS", 1 << 20, 1 << 21), ("LOCKS", 5, 6),
                ("RTTIME", 100, 200),
                ("RTPRIO", 0, 0), ("NICE", 0, 0),
            ]
            let seen = try Sandbox.current.look("limits") {
                $0["process.rlimits"] = limits.map {
                    ["type": "RLIMIT_" + $0.0, "soft": $0.1, "hard": $0.2] as [String: Any]
                }
            }
            for (name, soft, hard) in limits { #expect(seen["rlimit.\(name)"] == "\(soft):\(hard)", "\(name)") }
        }

        @Test func anUnsetLimitIsTheCallers() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("limits"), with: Surroundings(prefix: ["prlimit", "--nofile=321:654"]))
            #expect(outcome["rlimit.NOFILE"] == "321:654", "\(outcome)")
        }

        @Test func aLimitTwiceIsRefused() throws {
            let line = try Sandbox.current.refuse {
                $0["process.rlimits"] = [
                    ["type": "RLIMIT_NOFILE", "soft": 10, "hard": 20],
                    ["type": "RLIMIT_NOFILE", "soft": 10, "hard": 20],
                ]
            }
            #expect(line.contains("process.rlimits[1]") && line.contains("RLIMIT_NOFILE"), "\(line)")
        }

        @Test func aSoftLimitAboveTheHardOneIsRefused() throws {
            let line = try Sandbox.current.refuse {
                $0["process.rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 30, "hard": 20]]
            }
            #expect(line.contains("RLIMIT_NOFILE") || line.contains("process.rlimits[0]"), "\(line)")
        }

        @Test(arguments: [500, 0, 1000])
        func theOOMScoreIsSet(value: Int) throws {
            let seen = try Sandbox.current.look("read:/proc/self/oom_score_adj") { $0["process.oomScoreAdj"] = value }
            #expect(seen["read./proc/self/oom_score_adj"] == String(value), "\(seen)")
        }

        @Test func anUnsetOOMScoreIsTheCallers() throws {
            let own = Leftovers.lines("/proc/self/oom_score_adj").first
            #expect(try Sandbox.current.look("read:/proc/self/oom_score_adj")["read./proc/self/oom_score_adj"] == own)
        }

        @Test func anOOMScoreOutOfRangeIsRefused() throws {
            let line = try Sandbox.current.refuse { $0["process.oomScoreAdj"] = 1001 }
            #expect(line.contains("process.oomScoreAdj"), "\(line)")
        }

        @Test func signalsIgnoredByTheCallerAreNotBlocked() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("signals"),
                with: Surroundings(prefix: ["sh", "-c", "trap '' PIPE USR1; exec \"$0\" \"$@\""]))
            #expect(outcome["blocked"] == "", "the runtime's own mask does not reach the payload: \(outcome)")
            #expect(outcome["ignored"]?.contains("13 ") != true || outcome["ignored"] == "10 13 ", "\(outcome)")
        }

        @Test func theRuntimesOwnSignalsAreResetForThePayload() throws {
            let seen = try Sandbox.current.look("signals", "process")
            #expect(seen["blocked"] == "" && seen["ignored"] == "", "\(seen)")
            #expect(seen["pdeathsig"] == "0" && seen["subreaper"] == "0" && seen["keepcaps"] == "0", "\(seen)")
        }

        @Test func thePayloadHasASessionOfItsOwn() throws {
            let seen = try Sandbox.current.look("process")
            #expect(seen["sid"] == "1" && seen["pgid"] == "1", "\(seen)")
        }

        @Test func theStandardStreamsAreTheCallers() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stdin", "complain:to stderr")
            let outcome = try box.run(bundle, with: Surroundings(input: "typed\nin"))
            #expect(
                outcome["stdin"] == "typed\nin" && outcome.stderr == "to stderr\n" && outcome.status == 0, "\(outcome)")
        }
    }

    /// The standard streams, which the payload's user may want to open by name
    @Suite struct Streams {
        private func owner(_ path: String) -> String {
            var status = stat()
            return stat(path, &status) == 0 ? "\(status.st_uid):\(status.st_gid)" : "none"
        }

        private func open(_ path: String, _ flags: Int32) -> Int32 { Glibc.open(path, flags | O_CLOEXEC, 0o600) }

        private func bundle(_ box: Sandbox, verbs: [String]) throws -> Bundle {
            try box.bundle(args: ["/probe"] + verbs) {
                $0.capabilities([])
                $0["process.user"] = ["uid": 1000, "gid": 1001]
            }
        }

        /// nginx and its like open /dev/stdout and /dev/stderr; as with crun, uid and gid.
        @Test(arguments: ["run", "create", "exec"])
        func aLogFileIsGivenToTheUser(mode: String) throws {
            let box = try Sandbox.current
            let (out, errors) = (box.path("out.log"), box.path("err.log"))
            let files = [open(out, O_WRONLY | O_CREAT | O_APPEND), open(errors, O_WRONLY | O_CREAT | O_APPEND)]
            defer { files.forEach { close($0) } }
            let surroundings = Surroundings(descriptors: [nil, files[0], files[1]])
            let verbs = ["open:/dev/stdout:w", "open:/dev/stderr:w"]
            switch mode {
            case "run": #expect(try box.run(try bundle(box, verbs: verbs), with: surroundings).status == 0)
            case "create":
                let bundle = try bundle(box, verbs: verbs)
                #expect(
                    try box.runtime("create", "--bundle", bundle.directory, box.id, with: surroundings).status == 0)
                try box.ok("start", box.id)
                #expect(box.becomes("stopped"))
            default:
                _ = try box.create(try bundle(box, verbs: ["hang"]))
                try box.ok("start", box.id)
                let words = ["--root", box.root, "exec", box.id, "/probe"] + verbs
                #expect(try box.plain(words, surroundings).status == 0)
            }
            let seen = Facts(try String(contentsOfFile: out, encoding: .utf8))
            #expect(seen["open./dev/stdout"] == "ok" && seen["open./dev/stderr"] == "ok", "\(seen)")
            #expect(owner(out) == "1000:1001" && owner(errors) == "1000:1001")
        }

        /// Its owner could write to it, which the caller has not let the container do.
        @Test func aFileThatIsOnlyReadStaysTheCallers() throws {
            let box = try Sandbox.current
            let (path, log) = (try box.file("input", "typed"), box.path("log"))
            let (input, output) = (open(path, O_RDONLY), open(log, O_WRONLY | O_CREAT))
            defer { [input, output].forEach { close($0) } }
            let outcome = try box.run(
                try bundle(box, verbs: ["stdin", "open:/dev/stdin:w"]),
                with: Surroundings(descriptors: [input, output]))
            #expect(outcome.status == 0, "\(outcome)")
            let seen = Facts(try String(contentsOfFile: log, encoding: .utf8))
            #expect(seen["stdin"] == "typed" && seen["open./dev/stdin"] == "EACCES", "\(seen)")
            #expect(owner(path) == "0:0" && owner(log) == "1000:1001")
        }

        @Test func aDirectoryStaysTheCallers() throws {
            let box = try Sandbox.current
            let folder = try box.folder("folder")
            let descriptor = open(folder, O_RDONLY | O_DIRECTORY)
            defer { close(descriptor) }
            let outcome = try box.run(
                try bundle(box, verbs: ["say:fine"]), with: Surroundings(descriptors: [descriptor]))
            #expect(outcome.status == 0 && outcome.stdout == "fine\n" && owner(folder) == "0:0", "\(outcome)")
        }

        /// The host's devices and another's terminal.
        @Test(arguments: ["/dev/null", "/dev/zero", "terminal"])
        func aDeviceStaysTheHosts(device: String) throws {
            let box = try Sandbox.current
            let terminal = try Terminal()
            let path = device == "terminal" ? terminal.path : device
            let before = owner(path)
            let descriptor = open(path, O_RDWR | O_NOCTTY)
            defer { close(descriptor) }
            let outcome = try box.run(
                try bundle(box, verbs: ["say:fine"]),
                with: Surroundings(descriptors: [descriptor, descriptor, descriptor]))
            #expect(outcome.status == 0 && owner(path) == before, "\(outcome)")
        }

        /// A FIFO can be written to on such a mount, but not be given away.
        @Test func aFIFOOnAReadOnlyMountIsNoError() throws {
            let box = try Sandbox.current
            let folder = try box.folder("mounted")
            let path = folder + "/fifo"
            #expect(mkfifo(path, 0o600) == 0 && mount(folder, folder, nil, UInt(MS_BIND), nil) == 0)
            defer { umount2(folder, Int32(MNT_DETACH)) }
            #expect(mount(nil, folder, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0)
            let descriptor = open(path, O_RDWR)
            defer { close(descriptor) }
            let outcome = try box.run(
                try bundle(box, verbs: ["say:fine"]), with: Surroundings(descriptors: [nil, descriptor]))
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(outcome.status == 0 && read(descriptor, &buffer, 16) == 5 && owner(path) == "0:0", "\(outcome)")
        }
    }

    /// process.capabilities and process.noNewPrivileges
    @Suite struct Capabilities {
        private static let sets = ["bounding", "effective", "permitted", "inheritable", "ambient"]
        private static let bits = [
            "CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_NET_BIND_SERVICE": 10, "CAP_SYS_ADMIN": 21, "CAP_AUDIT_WRITE": 29,
        ]

        private func mask(_ names: [String]) -> String {
            let value = names.reduce(UInt64(0)) { $0 | 1 << UInt64(Self.bits[$1] ?? 63) }
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }

        @Test func rootGetsTheConfiguredCapabilities() throws {
            let seen = try Sandbox.current.look("caps")
            let expected = mask(Config.capabilities)
            for set in ["bounding", "effective", "permitted"] {
                #expect(seen["cap.\(set)"] == expected, "\(set): \(seen)")
            }
            for set in ["inheritable", "ambient"] { #expect(seen["cap.\(set)"] == mask([]), "\(set): \(seen)") }
        }

        /// Root gets what its execve makes of the bounding set; another user keeps the sets as they are written.
        @Test func eachCapabilitySetIsItsOwn() throws {
            let all = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"]
            let seen = try Sandbox.current.look("caps") {
                $0["process.user"] = ["uid": 1000, "gid": 1000]
                $0["process.capabilities"] = [
                    "bounding": all, "permitted": all, "inheritable": ["CAP_KILL", "CAP_CHOWN"], "effective": all,
                    "ambient": ["CAP_KILL"],
                ]
            }
            #expect(seen["cap.bounding"] == mask(all), "\(seen)")
            #expect(seen["cap.inheritable"] == mask(["CAP_KILL", "CAP_CHOWN"]), "\(seen)")
            #expect(seen["cap.ambient"] == mask(["CAP_KILL"]), "\(seen)")
            #expect(
                seen["cap.permitted"] == mask(["CAP_KILL"]) && seen["cap.effective"] == mask(["CAP_KILL"]), "\(seen)")
        }

        @Test func anotherUserHasNoCapabilities() throws {
            let seen = try Sandbox.current.look("caps") { $0["process.user"] = ["uid": 1000, "gid": 1000] }
            #expect(seen["cap.effective"] == mask([]) && seen["cap.permitted"] == mask([]), "\(seen)")
            #expect(seen["cap.bounding"] == mask(Config.capabilities), "\(seen)")
        }

        @Test(arguments: [true, false])
        func withoutCapabilitiesEverySetIsEmpty(present: Bool) throws {
            let seen = try Sandbox.current.look("caps") {
                $0["process.capabilities"] = present ? [String: Any]() : nil
            }
            for set in Self.sets { #expect(seen["cap.\(set)"] == mask([]), "\(set): \(seen)") }
        }

        @Test func capabilitiesAllowWhatTheyName() throws {
            let box = try Sandbox.current
            let with = try box.look("tmpfs:/tmp", "chown:/tmp:5") { $0.capabilities(["CAP_SYS_ADMIN", "CAP_CHOWN"]) }
            #expect(with["tmpfs./tmp"] == "ok" && with["chown./tmp"] == "ok", "\(with)")
            let without = try box.look("tmpfs:/tmp", "chown:/etc:5")
            #expect(without["tmpfs./tmp"] == "EPERM" && without["chown./etc"] == "EPERM", "\(without)")
        }

        @Test func anUnknownCapabilityIsAWarning() throws {
            let box = try Sandbox.current
            // The specification says: a warning. A word that no kernel knows must at least be named.
            let outcome = try box.run(try box.bundle("caps") { $0.capabilities(["CAP_KILL", "CAP_COFFEE"]) })
            #expect(outcome.stderr.contains("CAP_COFFEE"), "\(outcome)")
            #expect(outcome.status == 0 && outcome["cap.bounding"] == mask(["CAP_KILL"]), "\(outcome)")
        }

        @Test(arguments: [true, false])
        func noNewPrivilegesKeepsSetIDProgramsPowerless(on: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("process", "exec:/setuid:ids") {
                $0["process.noNewPrivileges"] = on
                $0["process.user"] = ["uid": 1000, "gid": 1000]
            }
            try FileManager.default.copyItem(atPath: bundle.rootfs + "/probe", toPath: bundle.rootfs + "/setuid")
            chmod(bundle.rootfs + "/setuid", 0o4755)
            let outcome = try box.run(bundle)
            #expect(outcome["nnp"] == (on ? "1" : "0") && outcome["euid"] == (on ? "1000" : "0"), "\(outcome)")
        }

        @Test func capabilitiesHoldInAUserNamespace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("caps") { $0.userNamespace() }
            try bundle.chown(to: 100_000)
            #expect(try box.run(bundle)["cap.effective"] == mask(Config.capabilities))
        }
    }

    /// --preserve-fds and the session keyring
    @Suite struct DescriptorsAndKeyring {
        @Test func onlyTheStandardStreamsReachThePayload() throws {
            let box = try Sandbox.current
            let leak = open("/", O_RDONLY | O_DIRECTORY)
            defer { close(leak) }
            let surroundings = Surroundings(descriptors: [nil, nil, nil, leak, leak, leak, leak])
            let seen = try box.look("fds", "fdescape", with: surroundings)
            #expect(seen["fds"] == "0 1 2" && seen["fdescape"] == "0", "\(seen)")
        }

        @Test func preservedDescriptorsReachThePayload() throws {
            let box = try Sandbox.current
            let one = open(try box.file("one", "first"), O_RDONLY)
            let two = open(try box.file("two", "second"), O_RDWR | O_APPEND)
            defer { for descriptor in [one, two] { close(descriptor) } }
            let surroundings = Surroundings(descriptors: [nil, nil, nil, one, two, one])
            let seen = try box.look(
                "fds", "fdread:3", "fdwrite:4:more", flags: ["--preserve-fds", "2"], with: surroundings)
            #expect(seen["fds"] == "0 1 2 3 4" && seen["fdread.3"] == "first" && seen["fdwrite.4"] == "ok", "\(seen)")
            #expect(try String(contentsOfFile: box.path("two"), encoding: .utf8) == "secondmore")
        }

        @Test func preservedDescriptorsOutlastCreateAndStart() throws {
            let box = try Sandbox.current
            let one = open(try box.file("one", "first"), O_RDONLY)
            defer { close(one) }
            let bundle = try box.bundle("fds", "fdread:3")
            let created = try box.create(
                bundle, flags: ["--preserve-fds=1"], with: Surroundings(descriptors: [nil, nil, nil, one]))
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            #expect(created.facts["fds"] == "0 1 2 3" && created.facts["fdread.3"] == "first", "\(created.stdout)")
        }

        /// The runtime's own descriptors take the numbers of holes, a log's first of all, and never get through.
        @Test(arguments: ["run", "create"], [true, false])
        func holesAmongDescriptorsStayHoles(command: String, activates: Bool) throws {
            let box = try Sandbox.current
            let one = open(try box.file("one", "first"), O_RDONLY)
            defer { close(one) }
            let surroundings = Surroundings(
                environment: activates ? ["LISTEN_FDS": "5"] : [:], descriptors: [nil, nil, nil, nil, nil, one])
            let bundle = try box.bundle("fds", "fdread:5", "env", "fdescape")
            let words =
                ["--root", box.root, "--log", box.path("log"), command, "--bundle", bundle.directory]
                + (activates ? [] : ["--preserve-fds", "60"]) + [box.id]
            let running = try box.begin(words, surroundings)
            let outcome = running.wait()
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            if command == "create" {
                try box.ok("start", box.id)
                #expect(box.becomes("stopped"))
            }
            let seen = running.facts
            #expect(seen["fds"] == "0 1 2 5" && seen["fdread.5"] == "first" && seen["fdescape"] == "0", "\(outcome)")
            #expect(seen["env.LISTEN_FDS"] == (activates ? "5" : nil), "\(outcome)")
        }

        @Test func moreDescriptorsThanThereCanBeAreHoles() throws {
            let seen = try Sandbox.current.look("fds", flags: ["--preserve-fds", "2000000000"])
            #expect(seen["fds"] == "0 1 2", "\(seen)")
        }

        @Test func listenDescriptorsArePassedOn() throws {
            let box = try Sandbox.current
            let one = open(try box.file("one", "first"), O_RDONLY)
            defer { close(one) }
            // LISTEN_PID must be the runtime's own: a shell knows it before it becomes the runtime.
            let surroundings = Surroundings(
                descriptors: [nil, nil, nil, one],
                prefix: ["sh", "-c", "export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web; exec \"$0\" \"$@\""])
            let seen = try box.look("env", "fdread:3", "fds", with: surroundings)
            #expect(
                seen["env.LISTEN_FDS"] == "1" && seen["env.LISTEN_PID"] == "1" && seen["fdread.3"] == "first", "\(seen)"
            )
            #expect(seen["fds"] == "0 1 2 3" && seen["env.LISTEN_FDNAMES"] == "web", "\(seen)")
        }

        @Test func listenDescriptorsComeBeforePreservedOnes() throws {
            let box = try Sandbox.current
            let (one, two) = (
                open(try box.file("one", "first"), O_RDONLY), open(try box.file("two", "second"), O_RDONLY)
            )
            defer { close(one); close(two) }
            // Some callers leave LISTEN_PID out.
            let surroundings = Surroundings(
                environment: ["LISTEN_FDS": "1"], descriptors: [nil, nil, nil, one, two])
            let seen = try box.look("env", "fdread:4", "fds", flags: ["--preserve-fds", "1"], with: surroundings)
            #expect(
                seen["env.LISTEN_FDS"] == "1" && seen["fdread.4"] == "second" && seen["fds"] == "0 1 2 3 4", "\(seen)")
        }

        @Test func listenDescriptorsOfAnotherProcessAreIgnored() throws {
            let box = try Sandbox.current
            let one = open(try box.file("one", "first"), O_RDONLY)
            defer { close(one) }
            let surroundings = Surroundings(
                environment: ["LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "web"],
                descriptors: [nil, nil, nil, one])
            let seen = try box.look("env", "fds", with: surroundings)
            #expect(
                seen["env.LISTEN_FDS"] == nil && seen["env.LISTEN_FDNAMES"] == nil && seen["fds"] == "0 1 2", "\(seen)")
        }

        @Test func theKeyringHasTheUsualPermissions() throws {
            // All for the possessor; view, read, search and link for its user: what every runtime leaves.
            let seen = try Sandbox.current.look("keyring")
            #expect(seen.words("keyring.description", separator: ";").dropFirst(3).first == "3f1b0000", "\(seen)")
        }

        @Test func aContainerHasASessionKeyringOfItsOwn() throws {
            let box = try Sandbox.current
            let seen = try box.look("keyring")
            #expect(seen["keyring"]?.hasPrefix("_ses." + box.id + ".") == true, "\(seen)")
        }

        @Test func theCallersKeyringIsKeptWhenAsked() throws {
            let box = try Sandbox.current
            let host = try box.aside([try Programs.probe.get(), "keyring"]).wait()
            let seen = try box.look("keyring", flags: ["--no-new-keyring"])
            #expect(seen["keyring"]?.hasPrefix("_ses." + box.id) == false, "\(seen)")
            #expect(seen["keyring"] == host["keyring"], "\(seen) \(host)")
        }
    }
}
