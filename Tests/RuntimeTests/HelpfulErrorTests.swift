import Foundation
import Testing

extension AllTests {
    /// Faults of bundles that runtimes tell badly: for each, one line with the true cause, the path and the remedy, and 127 or 126 where
    /// the program is at fault. `runbox check` says the same beforehand.
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
                words: ["no such file or directory", "symbolic link to /nowhere", "mend the link"]
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
                name: "a folder", status: 126, words: ["is a directory", "process.args[0]"], path: "/bin"
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

        @Test(arguments: faults) func ofTheProgram(fault: Fault) throws {
            let box = try Sandbox.current
            let line = try box.refused(try box.run(try bundle(fault)), status: fault.status)
            expect(line, fault)
        }

        /// The filter is loaded by the time execve fails; what was seen before is told all the same, even where the filter forbids to speak.
        @Test(arguments: ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"])
        func underAFilter(action: String) throws {
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
        func aProfileThatForbidsExecve(action: String, words: String) throws {
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
        @Test func aPayloadThatItsProfileKills() throws {
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

        // MARK: Hooks

        @Test func aHookWithoutItsInterpreter() throws {
            let box = try Sandbox.current
            let hook = try box.file("hook", "#!/usr/bin/python9\n", mode: 0o755)
            let line = try box.refuse { $0["hooks.createRuntime"] = [["path": hook]] }
            #expect(
                line.contains("createRuntime hook #0: \(hook): cannot be executed")
                    && line.contains("its interpreter /usr/bin/python9")
                    && !line.contains("no such file or directory"), "\(line)")
        }

        /// SIGTERM for a foreground run ends it like SIGTERM, also while a hook runs.
        @Test(arguments: ["prestart", "createRuntime", "poststart"]) func aSignalDuringAHook(timing: String) throws {
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
