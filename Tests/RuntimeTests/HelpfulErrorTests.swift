import Foundation
import Testing

extension AllTests {
    /// Faults of bundles that runtimes report badly: for each, one line with the true cause, the path and the remedy,
    /// and 127 or 126 where the program is at fault. `runbox check` says the same beforehand.
    @Suite struct HelpfulErrors {
        /// A program at fault: how it comes to be, and what must be said.
        struct Fault: Sendable, CustomTestStringConvertible {
            let name: String
            let status: Int
            let words: [String]
            var path = "/fault"
            let make: @Sendable (Bundle, inout Config) throws -> Void
            var testDescription: String { name }
        }

        private static func write(_ bytes: Data, _ bundle: Bundle, mode: mode_t = 0o755) throws {
            try bytes.write(to: URL(fileURLWithPath: bundle.rootfs + "/fault"))
            chmod(bundle.rootfs + "/fault", mode)
        }

        private static func script(_ text: String, mode: mode_t = 0o755)
            -> @Sendable (Bundle, inout Config) throws -> Void
        {
            { bundle, _ in try bundle.write("fault", text, mode: mode) }
        }

        /// The probe with other bytes at a place in its ELF header.
        private static func elf(_ bytes: [UInt8], at offset: Int) -> @Sendable (Bundle, inout Config) throws -> Void {
            { bundle, _ in
                var program = try Data(contentsOf: URL(fileURLWithPath: bundle.rootfs + "/probe"))
                program.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
                try write(program, bundle)
            }
        }

        static let faults: [Fault] = [
            Fault(
                name: "no file", status: 127,
                words: ["no such file or directory", "not in the container", "process.args[0]"]
            ) { _, _ in },
            Fault(
                name: "a link to nowhere", status: 127,
                words: ["no such file or directory", "symbolic link to /nowhere", "fix the link"]
            ) { bundle, _ in symlink("/nowhere", bundle.rootfs + "/fault") },
            Fault(
                name: "a missing loader", status: 127,
                words: ["no such file or directory", "its loader /lib64/ld-", "glibc", "statically"]
            ) { bundle, _ in
                try write(try Data(contentsOf: URL(fileURLWithPath: "/bin/true")), bundle)
            },
            Fault(
                name: "a missing interpreter", status: 127,
                words: ["no such file or directory", "its interpreter /usr/bin/python9", "install it"],
                make: script("#!/usr/bin/python9 -u\nprint(1)\n")),
            Fault(
                name: "a CRLF", status: 127,
                words: ["no such file or directory", "carriage return (CRLF)", "\"/bin/sh\\r\"", "sed -i"],
                make: script("#!/bin/sh\r\necho hello\r\n")),
            Fault(
                name: "no #! line", status: 126,
                words: ["exec format error", "neither an ELF program", "\"#!/bin/sh\""],
                make: script("echo hello\n")),
            Fault(
                name: "an empty #! line", status: 126,
                words: ["exec format error", "names no interpreter", "\"#!/bin/sh\""],
                make: script("#!\necho hello\n")),
            Fault(name: "an empty file", status: 126, words: ["exec format error", "is empty"], make: script("")),
            Fault(
                name: "another machine", status: 126,
                words: ["exec format error", "it is for riscv64, this host is ", "binfmt_misc"],
                make: elf([243, 0], at: 18)),
            Fault(
                name: "an object file", status: 126, words: ["exec format error", "object file that was not linked"],
                make: elf([1, 0], at: 16)),
            Fault(
                name: "WebAssembly", status: 126,
                words: ["exec format error", "WebAssembly module", "WebAssembly runtime"]
            ) { bundle, _ in try write(Data([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), bundle) },
            Fault(
                name: "no x bit", status: 126, words: ["permission denied", "no x permission", "0644", "chmod +x"],
                make: script("#!/bin/sh\n", mode: 0o644)),
            Fault(
                name: "another user's", status: 126,
                words: ["permission denied", "uid 1000 may not execute it", "0700"]
            ) { bundle, config in
                try bundle.write("fault", "#!/bin/sh\n", mode: 0o700)
                config["process.user"] = ["uid": 1000, "gid": 1000]
            },
            Fault(
                name: "an interpreter without x bit", status: 126,
                words: ["permission denied", "its interpreter /interpreter", "no x permission", "chmod +x"]
            ) { bundle, _ in
                try bundle.write("fault", "#!/interpreter\n", mode: 0o755)
                try bundle.write("interpreter", "#!/bin/sh\n", mode: 0o644)
            },
            Fault(
                name: "noexec", status: 126, words: ["permission denied", "mounted noexec", "take \"noexec\" out"],
                path: "/data/fault"
            ) { bundle, config in
                try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: bundle.directory + "/fault"))
                chmod(bundle.directory + "/fault", 0o755)
                config.addMount("/data", source: bundle.directory, options: ["bind", "noexec"])
            },
            Fault(
                name: "a folder", status: 126, words: ["is a directory: permission denied", "process.args[0]"],
                path: "/bin"
            ) { _, _ in },
            Fault(
                name: "a part that is a file", status: 127, words: ["not a directory", "a part of the path is a file"],
                path: "/probe/fault"
            ) { _, _ in },
            Fault(
                name: "a command line in one string", status: 127,
                words: ["executable file not found in $PATH", "process.args[0] holds a blank"], path: "echo hello"
            ) { _, _ in },
        ]

        private func bundle(_ fault: Fault) throws -> Bundle {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: [fault.path])
            var config = Config(args: [fault.path])
            try fault.make(bundle, &config)
            try bundle.write(config)
            return bundle
        }

        /// What a line says of the program, from `exec: ` on.
        private static func cause(_ line: String) -> String {
            line.range(of: "exec: ").map { String(line[$0.lowerBound...]) } ?? line
        }

        private func expect(_ line: String, _ fault: Fault, location: Testing.SourceLocation = #_sourceLocation) {
            for word in fault.words + ["exec: \"\(fault.path)\""] {
                #expect(line.contains(word), "\(word): \(line)", sourceLocation: location)
            }
        }

        @Test(arguments: faults) func everyFaultOfTheProgramIsNamed(fault: Fault) throws {
            let box = try Sandbox.current
            let bundle = try bundle(fault)
            let line = try box.refused(try box.run(bundle), status: fault.status)
            expect(line, fault)
            let check = try box.runtime("check", bundle.directory)
            #expect(check.status == 1 && check.stderr == "", "\(check)")
            #expect(
                check.stdout.contains("error: process.args[0]: \(Self.cause(line)) [config.md, POSIX process]\n"),
                "run said \(line), and check \(check)")
            #expect(check.stdout.hasSuffix("1 error, 0 warnings\n"), "\(check)")
        }

        // MARK: The configuration

        /// A fault of the configuration or the host: one error, in the same words from `check` and `run`.
        struct Mistake: Sendable, CustomTestStringConvertible {
            let name: String
            let words: [String]
            let make: @Sendable (inout Config) throws -> Void
            var testDescription: String { name }
        }

        static let mistakes: [Mistake] = [
            Mistake(
                name: "an absent source",
                words: ["mounts[6].source", "/no/such/source: not found", "make it, or fix the path"]
            ) {
                $0.addMount("/data", source: "/no/such/source", options: ["rbind"])
            },
            Mistake(
                name: "an id as a string",
                words: ["config.json:", "process.user.uid", "expected a number, found the string \"1000\""]
            ) {
                $0["process.user.uid"] = "1000"
            },
            Mistake(
                name: "a slip in ro of a bind mount",
                words: ["mounts[6].options[1]", "\"roo\"", "did you mean \"ro\"?"]
            ) {
                $0.addMount("/data", source: "/etc", options: ["bind", "roo"])
            },
            Mistake(
                name: "a slip in nosuid of a bind mount",
                words: ["mounts[6].options[1]", "\"nosuidd\"", "did you mean \"nosuid\"?"]
            ) {
                $0.addMount("/data", source: "/etc", options: ["bind", "nosuidd"])
            },
            Mistake(
                name: "a root that is not there",
                words: ["root.path", "nowhere: not found", "must name an existing directory"]
            ) {
                $0["root.path"] = "nowhere"
            },
            Mistake(
                name: "a hook that is not there",
                words: ["createRuntime hook #0", "/no/hook: cannot be executed: not found", "on the host"]
            ) {
                $0["hooks.createRuntime"] = [["path": "/no/hook"]]
            },
            Mistake(
                name: "a hostname without a namespace", words: ["hostname", "UTS namespace", "{\"type\": \"uts\"}"]
            ) {
                $0.dropNamespace("uts")
            },
            Mistake(name: "an unmapped user", words: ["process.user.uid", "70000 is not mapped", "linux.uidMappings"]) {
                $0.userNamespace()
                $0["process.user"] = ["uid": 70000, "gid": 0]
            },
            Mistake(name: "a working directory that is a file", words: ["process.cwd", "/probe", "not a directory"]) {
                $0["process.cwd"] = "/probe"
            },
            Mistake(name: "a profile without execve", words: ["linux.seccomp", "kills execve", "SCMP_ACT_ALLOW"]) {
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["read", "write", "brk", "mmap", "openat", "exit_group", "statx"], "action": "SCMP_ACT_ALLOW"}]}"#
                )
            },
        ]

        @Test(arguments: mistakes) func everyMistakeOfTheConfigurationIsNamed(mistake: Mistake) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran", edit: mistake.make)
            let line = try box.refused(try box.run(bundle))
            for word in mistake.words { #expect(line.contains(word), "\(word): \(line)") }
            #expect(!line.contains("no such file or directory"), "an engine takes it for a missing program: \(line)")
            let check = try box.runtime("check", bundle.directory)
            #expect(check.status == 1, "\(check)")
            let errors = check.stdout.split(separator: "\n").filter { $0.contains(": error: ") }
            #expect(errors.count == 1, "\(check)")
            let message = try Self.message(errors.first.map(String.init) ?? "")
            #expect(line.contains(message), "run says \(line), and check \(message)")
            box.expectNothingLeft()
        }

        /// What follows the path in a line of check, without the clause.
        private static func message(_ line: String) throws -> String {
            let match = try #require(line.firstMatch(of: /: error: (\S+: )?(.*) \[config[^\]]*\]$/))
            return String(match.2)
        }

        /// Nobody can have a limit whose controller is in cgroup v1, or not delegated.
        @Test(.needsHybridCgroups) func aControllerInCgroupV1IsNamedWithItsRemedy() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["linux.resources.memory.limit"] = 64 << 20 }
            let line = try box.refused(try box.run(bundle))
            let check = try box.runtime("check", bundle.directory)
            for text in [line, check.stdout] {
                for word in [
                    "linux.resources.memory.limit: controller memory is not available", "cgroup v1", "cgroup_no_v1=all",
                ] {
                    #expect(text.contains(word), "\(word): \(text)")
                }
            }
        }

        /// What is odd is a warning and does not stop anything, but with --strict.
        @Test(arguments: [
            ("process.umaskk", "unknown key \"umaskk\""), ("process.user.umaskk", "did you mean \"umask\"?"),
        ])
        func unknownKeysAreWarningsOrStrictErrors(path: String, words: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") { $0[path] = 1 }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stderr.contains(words), "\(outcome)")
            let strict = try box.run(bundle, flags: ["--strict"])
            #expect(strict.status == 1 && strict.stderr.contains(words) && strict.stdout == "", "\(strict)")
        }

        @Test func warningsStandBesideErrors() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") {
                $0["process.umaskk"] = 1
                $0["process.user.uid"] = "1000"
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 1 && outcome.complaints.count == 2, "\(outcome)")
            #expect(outcome.stderr.contains("warning: config.json:") && outcome.stderr.contains("umaskk"), "\(outcome)")
        }

        @Test func unknownCapabilitiesAndSystemCallsAreWarnings() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") {
                $0["process.capabilities.bounding"] = ["CAP_KILLL"]
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["reed"], "action": "SCMP_ACT_ERRNO"}]}"#
                )
            }
            let check = try box.runtime("check", bundle.directory)
            #expect(check.status == 0, "\(check)")
            for words in [
                "process.capabilities.bounding[0]: no capability is called \"CAP_KILLL\" (did you mean CAP_KILL?)",
                "linux.seccomp.syscalls[0].names[0]: libseccomp", "did you mean \"read\"?",
            ] { #expect(check.stdout.contains(words), "\(check)") }
            #expect(try box.run(bundle).stdout == "hello\n")
            #expect(try box.runtime("check", "--strict", bundle.directory).status == 1)
            #expect(try box.run(bundle, flags: ["--strict"]).status == 1)
        }

        /// The filter is loaded by the time execve fails; what was seen before is reported all the same, even where
        /// the filter forbids to speak.
        @Test(arguments: ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"])
        func aFilterDoesNotHideTheCause(action: String) throws {
            let box = try Sandbox.current
            for fault in Self.faults where ["a missing loader", "a CRLF", "another machine"].contains(fault.name) {
                let bundle = try bundle(fault)
                var config = Config(args: [fault.path])
                try config.set(
                    "linux.seccomp",
                    json: #"""
                        {"defaultAction": "\#(action)", "defaultErrnoRet": \#(action.hasSuffix("ERRNO") ? "1" : "null"),
                         "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ALLOW"}]}
                        """#)
                try bundle.write(config)
                expect(try box.refused(try box.run(bundle), status: fault.status), fault)
                // The same by create and start; create has nothing to complain of.
                _ = try box.create(bundle)
                let start = try box.runtime("start", box.id)
                #expect(start.status == fault.status, "\(start)")
                expect(start.complaints.first ?? "", fault)
                _ = try box.runtime("delete", "--force", box.id)
            }
        }

        // MARK: The profile

        @Test(arguments: [("SCMP_ACT_KILL", "kills execve"), ("SCMP_ACT_ERRNO", "answers execve")])
        func aProfileThatForbidsExecveIsRefused(action: String, words: String) throws {
            let line = try Sandbox.current.refuse {
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "\#(action)", "syscalls": [{"names": ["write", "statx"], "action": "SCMP_ACT_ALLOW"}]}"#
                )
            }
            #expect(line.contains(words) && line.contains("linux.seccomp") && line.contains("\"execve\""), "\(line)")
        }

        /// The exit status stays what a shell makes of SIGSYS.
        @Test func aPayloadKilledByItsProfileIsExplained() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/bin/busybox", "sleep", "0"]) {
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ["execve", "brk"], "action": "SCMP_ACT_ALLOW"}]}"#
                )
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 159, "\(outcome)")
            #expect(
                outcome.stderr.contains("killed by its seccomp profile (linux.seccomp) for ")
                    && outcome.complaints.count == 1, "\(outcome)")
        }

        /// The init cannot say anything any more; how it ended is reported all the same. SIGKILL is the one signal
        /// that reaches it at that time.
        @Test func anInitThatIsKilledIsExplained() throws {
            let box = try Sandbox.current
            // The state comes on standard input: `"pid":123`.
            let hook = try box.file(
                "hook", "#!/bin/sh\nkill -KILL $(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')\n", mode: 0o755)
            let line = try box.refuse { $0["hooks.createRuntime"] = [["path": hook]] }
            #expect(
                line.contains("container process is already dead: killed by SIGKILL, and not for lack of memory"),
                "\(line)")
        }

        // MARK: Hooks

        @Test func aHookWithoutItsInterpreterIsExplained() throws {
            let box = try Sandbox.current
            let hook = try box.file("hook", "#!/usr/bin/python9\n", mode: 0o755)
            let line = try box.refuse { $0["hooks.createRuntime"] = [["path": hook]] }
            #expect(
                line.contains("createRuntime hook #0: \(hook): cannot be executed")
                    && line.contains("its interpreter /usr/bin/python9")
                    && !line.contains("no such file or directory"), "\(line)")
        }

        /// SIGTERM for a foreground run ends it like SIGTERM, also while a hook runs.
        @Test(arguments: ["prestart", "createRuntime", "poststart"]) func aSignalDuringAHookEndsTheRun(timing: String)
            throws
        {
            let box = try Sandbox.current
            let hook = try box.file("hook", "#!/bin/sh\n: > \(box.path("began"))\nexec sleep 60\n", mode: 0o755)
            let running = try box.runAside(try box.bundle("hang") { $0["hooks.\(timing)"] = [["path": hook]] })
            #expect(eventually(10) { access(box.path("began"), F_OK) == 0 })
            running.signal(SIGTERM)
            let outcome = running.wait()
            #expect(outcome.status == 143 && outcome.stderr.contains("interrupted by SIGTERM"), "\(outcome)")
            box.expectNothingLeft()
        }
    }
}
