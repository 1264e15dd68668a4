import Foundation
import Glibc
import Testing

extension AllTests {
    /// Bad surroundings, sudden ends and odd values: the runtime keeps its word all the same.
    @Suite struct Robustness {
        /// A pipe's end for writing whose reader is gone.
        private func brokenPipe() throws -> Int32 {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw Trouble("no pipe: errno \(errno)") }
            close(ends[0])
            _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
            return ends[1]
        }

        // MARK: A terminal in the foreground without one

        @Test(arguments: ["output", "input", "both", "late"])
        func aTerminalSurvivesBrokenStreams(which: String) throws {
            let box = try Sandbox.current
            let output = try brokenPipe()
            let input = open(try box.file("input"), O_WRONLY | O_CLOEXEC)
            defer {
                close(output)
                close(input)
            }
            let script = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exit 7"
            let bundle = try box.bundle(args: [
                "sh", "-c", which == "late" ? "sleep 0.3; echo late; sleep 0.3; exit 7" : script,
            ]) { $0["process.terminal"] = true }
            let outcome = try box.run(
                bundle,
                with: Surroundings(descriptors: [
                    which == "output" ? nil : input, which == "input" ? nil : output, nil,
                ]))
            #expect(outcome.status == 7, "\(outcome)")
            if which == "input" { #expect(outcome.stdout.contains("line 2999"), "\(outcome)") }
        }

        @Test func createSurvivesAStandardErrorWithoutReader() throws {
            let box = try Sandbox.current
            let broken = try brokenPipe()
            defer { close(broken) }
            // The init itself finds this out, when all else is made: a warning over the link.
            let bundle = try box.bundle("say:it ran", "hang") { $0["process.capabilities.ambient"] = ["CAP_KILL"] }
            let shown = try box.create(bundle, id: box.id("shown"))
            try #require(shown.stderr.contains("ambient"), "there is no late warning to lose: \(shown.stderr)")
            let created = try box.create(bundle, with: Surroundings(descriptors: [nil, nil, broken]))
            #expect(try box.status() == "created")
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let deleted = try box.runtime(
                "delete", "--force", box.id, with: Surroundings(descriptors: [nil, broken, broken]))
            #expect(deleted.status == 0, "\(deleted)")
            #expect(!FileManager.default.fileExists(atPath: box.root + "/" + box.id))
        }

        @Test func aFailingPoststopWithoutAReaderKeepsTheExitStatus() throws {
            let box = try Sandbox.current
            let broken = try brokenPipe()
            defer { close(broken) }
            let bundle = try box.bundle("exit:5") { $0["hooks.poststop"] = [["path": "/bin/false"]] }
            let outcome = try box.run(bundle, with: Surroundings(descriptors: [nil, nil, broken]))
            #expect(outcome.status == 5, "\(outcome)")
        }

        // MARK: Signals

        @Test(.needsCgroupTree, arguments: ["TERM", "USR1", "HUP"])
        func killAllOfANestedPidNamespaceSparesTheRuntime(signal: String) throws {
            let box = try Sandbox.current
            let tree = try #require(CgroupTree.path)
            let name = "/\(box.id)"
            let bundle = try box.bundle("ignore:\(signal)", "hang") { $0["linux.cgroupsPath"] = name }
            // Inside, a process of the outer namespace has the number 0, which kill(2) takes for the caller's group.
            let script =
                """
                trap 'echo hit' \(signal)
                "$0" "$@" > '\(box.path("payload"))' || exit 99
                "$0" --root '\(box.root)' start \(box.id) || exit 98
                echo created
                while [ ! -e '\(box.path("go"))' ]; do sleep 0.02; done
                cat '\(tree)\(name)/cgroup.procs'
                "$0" --root '\(box.root)' kill --all \(box.id) \(signal)
                echo "killed=$?"
                "$0" --root '\(box.root)' delete --force \(box.id)
                echo "deleted=$?"
                """
            let running = try box.begin(
                ["--root", box.root, "create", "--bundle", bundle.directory, box.id],
                Surroundings(
                    ownSession: true,
                    prefix: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]))
            try #require(running.says("created\n"), "\(running.stdout) \(running.stderr)")
            let outsider = try box.aside(["sleep", "1000"])
            try String(outsider.pid).write(toFile: tree + name + "/cgroup.procs", atomically: false, encoding: .utf8)
            try box.file("go")
            let outcome = running.wait()
            #expect(outcome.stdout.split(separator: "\n").contains("0"), "the outsider is seen: \(outcome)")
            #expect(!outcome.stdout.contains("hit"), "the runtime's group was hit: \(outcome)")
            #expect(outcome["killed"] == "0" && outcome["deleted"] == "0", "\(outcome)")
        }

        @Test func deleteEndsAHangingHook() throws {
            let box = try Sandbox.current
            let (bundle, hook) = try hanging(box)
            let making = try box.begin(["--root", box.root, "create", "--bundle", bundle.directory, box.id])
            let pid = try #require(hook())
            defer { kill(pid, SIGKILL) }
            let container = try #require(try box.state()["pid"] as? Int)
            try #require(container > 0)
            let begin = Date()
            let outcome = try box.runtime("delete", "--force", box.id)
            let took = Date().timeIntervalSince(begin)
            #expect(took < 12, "delete --force took \(took) s: \(outcome)")
            let isDead = eventually(3) {
                Leftovers.lines("/proc/\(container)/stat").first.map { $0.contains(") Z ") } ?? true
            }
            #expect(isDead, "the container's process \(container) lives: \(outcome)")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: box.root + "/" + box.id))
            kill(pid, SIGKILL)
            let made = making.wait(seconds: 20)
            #expect(made.status != 0 && made.status != -1, "the container is gone, create cannot succeed: \(made)")
            box.expectNothingLeft()
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func aSignalEndsAHangingHook(signal: Int32) throws {
            let box = try Sandbox.current
            let (bundle, hook) = try hanging(box)
            let running = try box.runAside(bundle)
            let pid = try #require(hook())
            defer { kill(pid, SIGKILL) }
            let begin = Date()
            running.signal(signal)
            let outcome = running.wait(seconds: 20)
            let took = Date().timeIntervalSince(begin)
            #expect(outcome.status > 0 && took < 12, "\(took) s: \(outcome)")
            #expect(!outcome.stdout.contains("it ran"), "\(outcome)")
            box.expectNothingLeft()
        }

        /// A bundle whose createRuntime hook sleeps, and who gives the hook's number when it has begun.
        private func hanging(_ box: Sandbox) throws -> (bundle: Bundle, hook: () -> pid_t?) {
            let script = try box.file(
                "hook.sh",
                "#!/bin/sh\necho $$ > '\(box.path("draft"))'\nmv '\(box.path("draft"))' '\(box.path("in-hook"))'\nexec sleep 30\n",
                mode: 0o755)
            let bundle = try box.bundle("say:it ran") {
                $0["hooks.createRuntime"] = [["path": script]]
                $0["linux.cgroupsPath"] = "/" + box.id
            }
            let started = box.path("in-hook")
            return (
                bundle,
                {
                    guard eventually(10, { FileManager.default.fileExists(atPath: started) }) else { return nil }
                    return Leftovers.lines(started).first.flatMap { pid_t($0) }
                }
            )
        }

        // MARK: Sudden ends

        @Test(arguments: ["disabled", "cgroupfs"], ["create", "run"])
        func aRuntimeKilledAtAnyMomentLeavesARemovableContainer(manager: String, command: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let global = ["--root", box.root, "--cgroup-manager", manager]
            for number in 0..<40 {
                let id = box.id("k\(number)")
                let microseconds = 500 + number * 9500 / 39
                let running = try box.begin(global + [command, "--bundle", bundle.directory, id])
                usleep(UInt32(microseconds))
                running.signal(SIGKILL)
                _ = running.wait()
                let deleted = try box.plain(global + ["delete", "--force", id])
                #expect(deleted.status < 128, "after \(microseconds) µs: \(deleted)")
                let left = Leftovers.settle(of: box)
                #expect(left.isEmpty, "killed after \(microseconds) µs; delete: \(deleted); left: \(left)")
                if !left.isEmpty { return }
            }
        }

        // MARK: Limits and values

        @Test(arguments: [3, 4, 5, 10])
        func aContainerStartsWithFewDescriptors(limit: Int) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("limits", "hang") {
                $0["process.rlimits"] = [
                    ["type": "RLIMIT_NOFILE", "soft": limit, "hard": limit] as [String: Any]
                ]
            }
            let created = try box.create(bundle)
            #expect(try box.status() == "created")
            try box.ok("start", box.id)
            #expect(created.says("ready"), "\(created.stdout) \(created.stderr)")
            #expect(created.facts["rlimit.NOFILE"] == "\(limit):\(limit)", "\(created.stdout)")
            #expect(try box.status() == "running")
        }

        @Test func aTmpfsHasTheModeOfItsMountPoint() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/new", "stat:/deep/new", "stat:/old", "stat:/set", "stat:/given") {
                for path in ["/new", "/deep/new", "/old", "/set"] {
                    $0.addMount(path, type: "tmpfs", source: "tmpfs")
                }
                $0.addMount("/given", type: "tmpfs", source: "tmpfs", options: ["mode=0710"])
            }
            try box.folder("bundle/rootfs/old", mode: 0o755)
            try box.folder("bundle/rootfs/set", mode: 0o1730)
            let seen = try box.run(bundle)
            #expect(seen["stat./new"] == "dir 1777 0:0" && seen["stat./deep/new"] == "dir 1777 0:0", "\(seen)")
            #expect(seen["stat./old"] == "dir 0755 0:0" && seen["stat./set"] == "dir 1730 0:0", "\(seen)")
            #expect(seen["stat./given"] == "dir 0710 0:0", "\(seen)")
        }

        @Test(arguments: ["-1", "0", "4294967295", "9223372036854775807", "-9223372036854775808"])
        func aFIFOsOddNumbersMeanNothing(number: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/dev/pipe") {
                try $0.set(
                    "linux.devices",
                    json: #"[{"path": "/dev/pipe", "type": "p", "major": \#(number), "minor": \#(number)}]"#)
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome["stat./dev/pipe"]?.hasPrefix("fifo") == true, "\(outcome)")
        }

        @Test(arguments: ["-1", "-9223372036854775808", "4294967295", "9223372036854775807"])
        func aDevicesOddNumbersAreRefused(number: String) throws {
            let bundle = try Sandbox.current.bundle("say:it ran") {
                try $0.set(
                    "linux.devices", json: #"[{"path": "/dev/mine", "type": "c", "major": \#(number), "minor": 0}]"#)
            }
            let outcome = try Sandbox.current.run(bundle)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
        }

        @Test func aConfigurationOfTheLargestSizeIsRefused() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran")
            // As large as the file system lets it be.
            var sizes: [off_t] = [off_t.max]
            while let last = sizes.last, last > 1 << 33 { sizes.append(last >> 1) }
            let size = try #require(sizes.first { truncate(bundle.configPath, $0) == 0 })
            for size in [size, 1 << 33] {
                try #require(truncate(bundle.configPath, size) == 0)
                let outcome = try box.run(bundle)
                #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(size) bytes: \(outcome)")
                #expect(outcome.stderr.contains("config.json"), "\(outcome)")
            }
        }
    }
}
