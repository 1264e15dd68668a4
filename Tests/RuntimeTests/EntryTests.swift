import Foundation
import Glibc
import Testing

extension AllTests {
    /// How a process comes into a container that others live in: what it finds, and what they find of it
    @Suite(.needsRoot) struct Entry {
        // MARK: The runtime's own file

        /// A mount that is read-only today can be remounted tomorrow.
        @Test(arguments: [MS_RDONLY, MS_RDONLY | MS_NOSUID | MS_NODEV])
        func aReadOnlyFolderIsNoSeal(flags: Int) throws {
            let box = try Sandbox.current
            let folder = try box.folder("readonly")
            let program = folder + "/runbox"
            try FileManager.default.copyItem(atPath: Programs.runtime, toPath: program)
            let bind = UInt(MS_BIND), remount = UInt(MS_REMOUNT | MS_BIND)
            #expect(mount(folder, folder, nil, bind, nil) == 0)
            defer { umount2(folder, Int32(MNT_DETACH)) }
            #expect(mount(nil, folder, nil, remount | UInt(flags), nil) == 0)
            let bundle = try box.bundle("hang")
            let made = try box.aside([program, "--root", box.root, "create", "--bundle", bundle.directory, box.id])
                .wait()
            #expect(made.status == 0, "\(made)")
            let pid = try #require(try box.state()["pid"] as? Int)
            // What a process of the container could have opened while the runtime was there.
            let handle: Int32 = 0o10000000  // O_PATH
            let file = open("/proc/\(pid)/exe", handle)
            defer { close(file) }
            #expect(file >= 0)
            #expect(mount(nil, folder, nil, remount, nil) == 0)
            try box.ok("delete", "--force", box.id)
            let writable = open("/proc/self/fd/\(file)", O_WRONLY)
            #expect(writable < 0, "the host's runtime can be written")
            if writable >= 0 { close(writable) }
        }

        /// Whoever calls it may have the word in the environment, by accident or on purpose.
        @Test func aVariableInTheEnvironmentIsNoSeal() throws {
            let box = try Sandbox.current
            let surroundings = Surroundings(environment: ["_RUNBOX_SEALED": "1"])
            _ = try box.create(try box.bundle("hang"), with: surroundings)
            let pid = try #require(try box.state()["pid"] as? Int)
            let program = open("/proc/\(pid)/exe", O_RDONLY)
            defer { close(program) }
            var status = statvfs()
            fstatvfs(program, &status)
            #expect(status.f_flag & UInt(ST_RDONLY) != 0 || fcntl(program, 1034) & 0xf == 0xf)
        }

        // MARK: exec

        /// A number that means another process now: nothing may be run where that lives.
        @Test func aProcessOfTheHostIsNoContainer() throws {
            let box = try Sandbox.current
            try box.service()
            let path = "\(box.root)/\(box.id)/state.json"
            let record = try String(contentsOfFile: path, encoding: .utf8)
            let pid = try #require(try box.state()["pid"] as? Int)
            let fields = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
                .split(separator: ")").last?.split(separator: " ")
            let start = try #require(fields?[19])
            let forged = record.replacing(/"pid":\s*\d+/, with: "\"pid\": \(getpid())")
                .replacing(/"startTime":\s*\d+/, with: "\"startTime\": \(start)")
            #expect(forged != record)
            try forged.write(toFile: path, atomically: false, encoding: .utf8)
            let line = try box.execRefused("/probe", "say:it ran")
            #expect(line.contains("namespace of its own, but its process is in that of this runbox"), "\(line)")
            try record.write(toFile: path, atomically: false, encoding: .utf8)
            #expect(try box.state()["pid"] as? Int == pid)
        }

        /// What goes wrong in the process of exec is reported, however early it ends.
        @Test func anEarlyEndShowsItsTrueError() throws {
            let box = try Sandbox.current
            try box.service { $0.dropMount("/dev/pts") }
            for _ in 0..<40 {
                let line = try box.execRefused("/probe", flags: ["-t"])
                #expect(line.contains("a terminal needs a devpts mount"), "\(line)")
            }
        }

        /// What stays beside the program has no power but to signal it.
        @Test func theParentOfExecGivesUpItsPower() throws {
            let box = try Sandbox.current
            try box.service()
            let running = try box.begin(["--root", box.root, "exec", box.id, "/probe", "say:there", "hang"])
            #expect(running.says("there"))
            #expect(eventually(10) { Self.own("Seccomp", running.pid) == "2" })
            #expect(Self.own("CapPrm", running.pid) == "0000000000000020")
            #expect(Self.own("CapEff", running.pid) == "0000000000000020")
            #expect(Self.own("NoNewPrivs", running.pid) == "1")
            running.signal(SIGTERM)
            #expect(running.wait().status == 143)
        }

        @Test func theSupervisorOfRunGivesUpItsPower() throws {
            let box = try Sandbox.current
            let running = try box.runAside(try box.bundle("say:there", "hang"))
            #expect(running.says("there"))
            #expect(eventually(10) { Self.own("Seccomp", running.pid) == "2" })
            let kept = UInt64(Self.own("CapPrm", running.pid), radix: 16)
            #expect(kept == 1 << 1 | 1 << 5 | 1 << 21 | 1 << 34)
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
            box.expectNothingLeft()
        }

        /// A hook of the host needs all that the host's root may do.
        @Test func aSupervisorWithHooksKeepsItsPower() throws {
            let box = try Sandbox.current
            let mark = box.path("mark")
            let running = try box.runAside(
                try box.bundle("say:there", "hang") {
                    $0["hooks.poststop"] = [
                        ["path": "/bin/sh", "args": ["sh", "-c", "grep CapEff /proc/self/status > \(mark)"]]
                    ]
                })
            #expect(running.says("there"))
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
            let seen = try String(contentsOfFile: mark, encoding: .utf8).split(separator: "\t").last
            #expect(seen.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } == Self.own("CapEff", getpid()))
        }

        /// startContainer hooks are programs of the image, and run while the init still is the runtime.
        @Test func theRuntimesEnvironmentIsNotForTheImage() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("read:/seen") {
                $0["hooks.startContainer"] = [
                    ["path": "/bin/sh", "args": ["sh", "-c", "cat /proc/1/environ > /seen 2>&1 || true"]]
                ]
                $0.capabilities(Config.capabilities + ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])
            }
            let outcome = try box.run(bundle, with: Surroundings(environment: ["SECRET_OF_THE_HOST": "tell-nobody"]))
            #expect(outcome.status == 0, "\(outcome)")
            let seen = try Data(contentsOf: URL(fileURLWithPath: bundle.rootfs + "/seen"))
            #expect(!seen.isEmpty, "it could be read, which is what this is about")
            #expect(!String(decoding: seen, as: UTF8.self).contains("tell-nobody"))
        }

        // MARK: Another container's pid namespace

        private func neighbour(_ box: Sandbox) throws -> Int {
            try box.service()
            return try #require(try box.state()["pid"] as? Int)
        }

        @Test func itsProcfsShowsTheSharedNamespace() throws {
            let box = try Sandbox.current
            let pid = try neighbour(box)
            let outcome = try box.beside(pid, "/bin/sh", "-c", "cat /proc/1/cmdline; ls -d /proc/$$")
            #expect(outcome.stdout.contains("/probe"), "the neighbour's first process is seen: \(outcome)")
            #expect(outcome.stdout.contains("/proc/"), "and the own one: \(outcome)")
        }

        /// An init that joins is the session's leader and has its terminal, like any other.
        @Test func aTerminalWorksInASharedNamespace() throws {
            let box = try Sandbox.current
            let pid = try neighbour(box)
            let bundle = try box.bundle(args: [
                "/bin/sh", "-c", "ls -l /proc/self/fd/0; echo on /dev/console > /dev/console; exit 7",
            ]) {
                $0.namespace("pid", path: "/proc/\(pid)/ns/pid")
                $0["process.terminal"] = true
            }
            let outcome = try box.run(bundle, id: box.id("second"))
            #expect(outcome.status == 7, "\(outcome)")
            #expect(outcome.stdout.contains("/dev/pts/0"), "\(outcome)")
            #expect(outcome.stdout.contains("on /dev/console"), "\(outcome)")
        }

        @Test func createAndStartWorkInASharedNamespace() throws {
            let box = try Sandbox.current
            let pid = try neighbour(box)
            let bundle = try box.bundle("say:it ran", "hang") { $0.namespace("pid", path: "/proc/\(pid)/ns/pid") }
            let name = box.id("second")
            let created = try box.create(bundle, id: name)
            #expect(try box.status(name) == "created")
            try box.ok("start", name)
            #expect(created.says("it ran"))
            #expect(try box.status(name) == "running")
            try box.ok("delete", "--force", name)
        }

        /// What fails late fails there too, and takes the waiting init along.
        @Test func aMissingProgramInASharedNamespaceIsAnError() throws {
            let box = try Sandbox.current
            let pid = try neighbour(box)
            let bundle = try box.bundle(args: ["/absent"]) { $0.namespace("pid", path: "/proc/\(pid)/ns/pid") }
            let outcome = try box.run(bundle, id: box.id("second"))
            #expect(outcome.status == 127, "\(outcome)")
            #expect(outcome.stderr.contains("exec: \"/absent\": no such file or directory"))
        }

        /// A line of /proc/PID/status.
        private static func own(_ field: String, _ pid: pid_t) -> String {
            let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
            return line?.split(separator: "\t").last.map(String.init) ?? ""
        }
    }
}

extension Sandbox {
    /// Runs a program in a second container that joins the pid namespace of a process.
    fileprivate func beside(_ pid: Int, _ words: String...) throws -> Outcome {
        let bundle = try bundle(args: words) { $0.namespace("pid", path: "/proc/\(pid)/ns/pid") }
        let outcome = try run(bundle, id: id("second"))
        #expect(outcome.status == 0, "\(outcome)")
        return outcome
    }
}
