import Foundation
import Glibc
import Testing

extension AllTests {
    /// One line for a failure: on stderr, and in the log
    @Suite struct Errors {
        private func objects(_ text: String) throws -> [[String: Any]] {
            try text.split(separator: "\n").map {
                try #require(
                    try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any],
                    "a line that is no object: \($0)")
            }
        }

        static let failures: [(name: String, json: String)] = [
            ("root.path", "\"absent\""), ("process.args", "[\"absent-program\"]"), ("process.user.uid", "\"x\""),
            ("hooks", #"{"createRuntime": [{"path": "/bin/false"}]}"#),
            ("mounts.0", #"{"destination": "/m", "type": "none", "source": "/absent", "options": ["bind"]}"#),
            ("linux.namespaces.0", #"{"type": "network", "path": "/absent"}"#),
        ]

        @Test(arguments: failures.indices)
        func aFailureIsOneErrorInTheLog(index: Int) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                try $0.set(Self.failures[index].name, json: Self.failures[index].json)
            }
            for command in ["run", "create"] {
                let log = box.path(command + ".log")
                let outcome = try box.runtime(
                    "--log", log, "--log-format", "json", command, "--bundle", bundle.directory, box.id)
                #expect(outcome.status != 0, "\(outcome)")
                let lines = try objects(try String(contentsOfFile: log, encoding: .utf8))
                let errors = lines.filter { $0["level"] as? String == "error" }
                #expect(errors.count == 1, "\(lines)")
                let message = try #require(errors.first?["msg"] as? String)
                #expect(outcome.stderr.contains(message), "stderr says the same: \(outcome.stderr) / \(message)")
                let time = try #require(errors.first?["time"] as? String)
                let short = time.replacing(/\.(\d{3})\d*/) { "." + $0.1 }
                let format = ISO8601DateFormatter()
                format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
                #expect(
                    (format.date(from: short) ?? ISO8601DateFormatter().date(from: time)) != nil, "RFC 3339: \(time)")
                box.expectNothingLeft()
            }
        }

        @Test func successWritesNoError() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("exit:3"), global: ["--log", box.path("log"), "--log-format", "json"])
            #expect(outcome.status == 3 && outcome.stderr == "", "\(outcome)")
            let text = (try? String(contentsOfFile: box.path("log"), encoding: .utf8)) ?? ""
            #expect(!text.contains("\"error\""), "\(text)")
        }

        @Test func theLogIsAppendedTo() throws {
            let box = try Sandbox.current
            try box.file("log", "before\n")
            _ = try box.runtime("--log", box.path("log"), "state", box.id)
            let text = try String(contentsOfFile: box.path("log"), encoding: .utf8)
            #expect(text.hasPrefix("before\n") && text.contains("does not exist"), "\(text)")
        }

        @Test func theTextFormatIsOneLine() throws {
            let box = try Sandbox.current
            _ = try box.runtime("--log=" + box.path("log"), "--log-format=text", "state", box.id)
            let lines = try String(contentsOfFile: box.path("log"), encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 1 && lines[0].contains("container does not exist"), "\(lines)")
        }

        @Test func quotesAndNewlinesInAMessageAreEscaped() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["ab\"s\\ent\nprogram\u{1b}[31m"])
            let outcome = try box.run(bundle, global: ["--log", box.path("log"), "--log-format", "json"])
            #expect(outcome.status == 127, "\(outcome)")
            #expect(
                outcome.complaints.count == 1 && !outcome.stderr.contains("\u{1b}"),
                "one line, no control bytes: \(outcome)")
            let errors = try objects(try String(contentsOfFile: box.path("log"), encoding: .utf8)).filter {
                $0["level"] as? String == "error"
            }
            #expect(errors.count == 1)
        }

        @Test func aLogThatCannotBeOpenedIsAnError() throws {
            let box = try Sandbox.current
            let outcome = try box.runtime("--log", box.path("absent/log"), "list")
            #expect(outcome.status == 1 && outcome.stderr.contains(box.path("absent/log")), "\(outcome)")
        }

        @Test func debugMessagesAreNotErrors() throws {
            let box = try Sandbox.current
            let log = box.path("log")
            let outcome = try box.run(
                try box.bundle("say:hello"), global: ["--debug", "--log", log, "--log-format", "json"])
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
            let lines = try objects((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
            #expect(
                lines.allSatisfy { $0["level"] as? String != "error" && $0["msg"] is String && $0["time"] is String },
                "\(lines)")
        }

        /// A line of `--debug`: whose step, what was done, how long.
        private static func isStep(_ line: String, of side: String, _ activity: String) -> Bool {
            let begins = "\(side): \(activity): "
            guard let start = line.range(of: begins)?.upperBound else { return false }
            let words = line[start...].split(separator: " ")
            return words.count > 1 && Double(words[0]) != nil && words[1] == "ms"
        }

        /// The filter allows no question for the time, which some machines answer by a system call.
        @Test(arguments: ["run", "create"])
        func debugWritesTheStepsWithTheirDurations(command: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") {
                try $0.set(
                    "linux.seccomp",
                    json: """
                        {"defaultAction": "SCMP_ACT_ALLOW",
                        "syscalls": [{"names": ["clock_gettime"], "action": "SCMP_ACT_KILL_PROCESS"}]}
                        """
                )
            }
            let log = box.path("log")
            let words = command == "run" ? ["run", "--detach"] : ["create"]
            let outcome = try box.plain(
                ["--debug", "--log", log, "--log-format", "json", "--root", box.root] + words
                    + ["--bundle", bundle.directory, box.id])
            #expect(outcome.status == 0, "\(outcome)")
            let lines = try objects(try String(contentsOfFile: log, encoding: .utf8))
            #expect(lines.allSatisfy { $0["level"] as? String == "debug" }, "\(lines)")
            let messages = lines.compactMap { $0["msg"] as? String }
            for (side, activity) in [
                ("runtime", "read the bundle"), ("runtime", "plan the container"),
                ("runtime", "make the container's process"), ("container's process", "mount"),
                ("container's process", "change the root"),
            ] {
                #expect(
                    messages.contains { Self.isStep($0, of: side, activity) }, "\(side): \(activity): \(messages)")
            }
            #expect(messages.last?.hasPrefix("all of it: ") == true, "\(messages)")
        }

        @Test func debugOfAForegroundRunComesBeforeTheOutputOfTheEnd() throws {
            let box = try Sandbox.current
            let loud = try box.run(try box.bundle("exit:3"), global: ["--debug"])
            let steps = loud.stderr.split(separator: "\n").map(String.init)
            #expect(loud.status == 3, "\(loud)")
            #expect(steps.contains { Self.isStep($0, of: "runtime", "start the program") }, "\(loud)")
            #expect(steps.allSatisfy { $0.hasPrefix("debug: ") }, "\(loud)")
            let quiet = try box.run(try box.bundle("exit:3"))
            #expect(quiet.status == 3 && quiet.stderr.isEmpty, "\(quiet)")
        }

        @Test func theErrorNamesStepSubjectAndCause() throws {
            let box = try Sandbox.current
            let line = try box.refuse { $0.addMount("/etc/passwd/below", type: "tmpfs", source: "tmpfs") }
            #expect(line.contains("mounts[6]") && line.contains("/etc/passwd/below"), "\(line)")
        }
    }

    /// Root file systems and processes that are hostile
    @Suite struct Security {
        /// A descriptor of the runtime's that is open while the working directory is entered must not lead out of the
        /// container: refused, or a folder of the container's own, from which `..` ends at the container's root.
        private func isInside(_ outcome: Outcome, _ number: Int, location: SourceLocation = #_sourceLocation) {
            guard outcome.status == 0 else { return }
            let above = outcome.facts.words("list.../../../../../../../..")
            #expect(above.contains("probe"), "descriptor \(number): \(outcome)", sourceLocation: location)
            #expect(
                outcome["cwd"]?.hasPrefix("/") == true, "descriptor \(number): \(outcome)", sourceLocation: location)
        }

        @Test func aCwdThroughALeakedDescriptorStaysInside() throws {
            let box = try Sandbox.current
            let leak = open("/", O_RDONLY | O_DIRECTORY)
            defer { close(leak) }
            let surroundings = Surroundings(
                descriptors: Array(repeating: nil, count: 3) + Array(repeating: leak, count: 8))
            for number in 3...30 {
                let bundle = try box.bundle("cwd", "list:../../../../../../../..") {
                    $0["process.cwd"] = "/proc/self/fd/\(number)"
                }
                let outcome = try box.run(bundle, with: surroundings)
                isInside(outcome, number)
                #expect(
                    number > 10 || outcome.status != 0, "the caller's descriptor \(number) is still open: \(outcome)")
            }
            box.expectNothingLeft()
        }

        @Test func aCwdThatLinksToALeakedDescriptorStaysInside() throws {
            let box = try Sandbox.current
            for number in 3...20 {
                let bundle = try box.bundle("cwd", "list:../../../../../../../..") { $0["process.cwd"] = "/cwd" }
                symlink("/proc/self/fd/\(number)", bundle.rootfs + "/cwd")
                isInside(try box.run(bundle), number)
            }
        }

        @Test func theRuntimesOwnFileIsSealed() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            let pid = try #require(try box.state()["pid"] as? Int)
            // The container's first process is still the runtime here: what it runs from is what a container could
            // reach.
            let program = open("/proc/\(pid)/exe", O_RDONLY)
            defer { close(program) }
            #expect(program >= 0)
            var status = statvfs()
            fstatvfs(program, &status)
            let isReadOnly = status.f_flag & UInt(ST_RDONLY) != 0
            let seals = fcntl(program, 1034)  // F_GET_SEALS
            let isSealed = seals >= 0 && seals & 0x8 != 0  // F_SEAL_WRITE
            #expect(isReadOnly || isSealed, "neither a read-only mount nor a sealed memory file")
            // And it stays so: no remount, no write, by any process that opens it again.
            let again = open("/proc/self/fd/\(program)", O_WRONLY)
            #expect(again < 0, "it can be opened for writing")
            if again >= 0 { close(again) }
        }

        @Test func aScriptCannotChangeTheRuntimesOwnFile() throws {
            let box = try Sandbox.current
            let before = try Data(contentsOf: URL(fileURLWithPath: Self.resolvedRuntime))
            let bundle = try box.bundle(args: ["/evil"])
            try bundle.write("evil", "#!/proc/self/exe\n", mode: 0o755)
            _ = try box.run(bundle)
            #expect(try Data(contentsOf: URL(fileURLWithPath: Self.resolvedRuntime)) == before)
        }

        private static var resolvedRuntime: String {
            if Programs.runtime.contains("/") { return Programs.runtime }
            return ["/usr/bin/", "/usr/sbin/"].map { $0 + Programs.runtime }.first {
                FileManager.default.fileExists(atPath: $0)
            } ?? "/bin/true"
        }

        /// Between `create` and `start` the first process is the runtime with the payload's user: nobody of that user
        /// may look into it.
        @Test func theWaitingInitCannotBeTraced() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang") { $0["process.user"] = ["uid": 1000, "gid": 1000] })
            let pid = try #require(try box.state()["pid"] as? Int)
            let script =
                "ls /proc/\(pid)/fd/ 2>/dev/null; cat /proc/\(pid)/environ 2>/dev/null; readlink /proc/\(pid)/exe; echo end"
            let outcome = try box.aside([
                "setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "sh", "-c", script,
            ]).wait()
            #expect(outcome.stdout == "end\n", "\(outcome)")
        }

        @Test func aDevThatLinksToTheHostDoesNotReachIt() throws {
            let box = try Sandbox.current
            try box.folder("victim")
            let bundle = try box.bundle("say:it ran") {
                for path in ["/dev/shm", "/dev/pts", "/dev/mqueue", "/dev"] { $0.dropMount(path) }
                try $0.set("linux.devices", json: #"[{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3}]"#)
            }
            try FileManager.default.removeItem(atPath: bundle.rootfs + "/dev")
            symlink(box.path("victim"), bundle.rootfs + "/dev")
            let outcome = try box.run(bundle)
            #expect(try FileManager.default.contentsOfDirectory(atPath: box.path("victim")).isEmpty)
            if outcome.status != 0 { try box.refused(outcome) }
        }

        @Test func aMaskIsNotTakenFromALinkInTheImage() throws {
            let box = try Sandbox.current
            let secret = try box.file("host-secret", "secret of the host")
            let bundle = try box.bundle("read:/hidden", "stat:/hidden", "say:it ran") {
                for path in ["/dev/shm", "/dev/pts", "/dev/mqueue", "/dev"] { $0.dropMount(path) }
                $0["linux.maskedPaths"] = ["/hidden"]
            }
            try bundle.write("hidden", "to be masked")
            try bundle.write("mine", "mine")
            symlink("/mine", bundle.rootfs + "/dev/null")
            symlink(secret, bundle.rootfs + "/dev/zero")
            let outcome = try box.run(bundle)
            if outcome.status == 0 {
                #expect(
                    outcome["stat./hidden"]?.hasSuffix("1:3") == true && outcome["read./hidden"] == "", "\(outcome)")
            } else {
                try box.refused(outcome)
            }
            #expect(try String(contentsOfFile: secret, encoding: .utf8) == "secret of the host")
        }

        @Test func maskedPathsBehindLinksDoNotReachTheHost() throws {
            let box = try Sandbox.current
            let victim = try box.file("victim", "untouched")
            let bundle = try box.bundle("say:ran") { $0["linux.maskedPaths"] = ["/link"] }
            symlink("../../../../../../../.." + victim, bundle.rootfs + "/link")
            _ = try box.run(bundle)
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "untouched")
            #expect(!Leftovers.lines("/proc/self/mountinfo").contains { $0.contains(victim) })
        }

        @Test func aConsoleThatLinksToTheHostDoesNotReachIt() throws {
            let box = try Sandbox.current
            let victim = try box.file("victim", "untouched")
            let socket = try ConsoleSocket(path: box.path("console"))
            let bundle = try box.bundle("hang") {
                $0["process.terminal"] = true
                $0.dropMount("/dev/shm")
                $0.dropMount("/dev/mqueue")
                $0.dropMount("/dev")
            }
            try box.folder("bundle/rootfs/dev/pts")
            symlink("../../../../../../../.." + victim, bundle.rootfs + "/dev/console")
            _ = try box.runtime("create", "--bundle", bundle.directory, "--console-socket", socket.path, box.id)
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "untouched")
            #expect(!Leftovers.lines("/proc/self/mountinfo").contains { $0.contains(victim) })
        }

        @Test func settingsAreNotWrittenToAFalseProc() throws {
            let box = try Sandbox.current
            // Writes below /proc (labels, oom score, sysctl) must never land in a folder of the image.
            let bundle = try box.bundle("say:it ran") {
                $0.dropMount("/proc")
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
                $0["process.oomScoreAdj"] = 100
                $0["linux.sysctl"] = ["net.ipv4.ip_forward": "1"]
            }
            try box.file("bundle/rootfs/proc/self/oom_score_adj", "fake")
            try box.file("bundle/rootfs/proc/sys/net/ipv4/ip_forward", "fake")
            let outcome = try box.run(bundle)
            #expect(try String(contentsOfFile: bundle.rootfs + "/proc/self/oom_score_adj", encoding: .utf8) == "fake")
            #expect(
                try String(contentsOfFile: bundle.rootfs + "/proc/sys/net/ipv4/ip_forward", encoding: .utf8) == "fake")
            if outcome.status != 0 { try box.refused(outcome) }
        }

        @Test func theHostsRootCannotBeReachedThroughTheOldOne() throws {
            let seen = try Sandbox.current.look("mount:/", "list:/", "read:/proc/1/mountinfo") {
                $0.capabilities(["CAP_SYS_ADMIN", "CAP_SYS_CHROOT"])
            }
            let lines = (seen["read./proc/1/mountinfo"] ?? "").split(separator: "\n")
            #expect(lines.filter { $0.split(separator: " ")[4] == "/" }.count == 1, "\(seen)")
        }

        @Test func theSharedCgroupRootIsNotWritableByDefault() throws {
            let seen = try Sandbox.current.look("mkdir:/sys/fs/cgroup/x", "mkdir:/sys/kernel/x")
            #expect(seen["mkdir./sys/fs/cgroup/x"] != "ok" && seen["mkdir./sys/kernel/x"] != "ok", "\(seen)")
        }

        @Test func theStateFolderIsNotReadableByOthers() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            let outcome = try box.aside([
                "setpriv", "--reuid", "65534", "--clear-groups", "sh", "-c",
                "cat '\(box.root)/\(box.id)/'* 2>/dev/null; echo end",
            ]).wait()
            #expect(outcome.stdout == "end\n", "\(outcome)")
        }
    }
}
