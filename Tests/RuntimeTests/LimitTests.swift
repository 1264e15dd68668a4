import Foundation
import Glibc
import Testing

extension AllTests {
    /// Limits that hold: what the kernel does with what was written. They need the controllers of cgroup v2, which
    /// hybrid hosts keep in version 1; `make test-vm` runs them in a virtual machine that has them.
    @Suite struct Limits {
        /// The path of the container's cgroup below the tree.
        private func path(_ box: Sandbox) -> String { "/" + box.id }

        /// A container in a cgroup of its own at the root of the tree.
        private func bundle(
            _ box: Sandbox, _ args: [String], _ resources: [String: Any], edit: (inout Config) throws -> Void = { _ in }
        ) throws -> Bundle {
            try box.bundle(args: args) {
                $0["linux.cgroupsPath"] = path(box)
                $0["linux.resources"] = resources
                try edit(&$0)
            }
        }

        private func number(_ key: String, of file: String, _ box: Sandbox) -> Int {
            let text = CgroupTree.read(path(box) + "/" + file) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(key + " ") }
            return line.flatMap { Int($0.dropFirst(key.count + 1)) } ?? -1
        }

        // MARK: Memory

        @Test(.needsControllers("memory"))
        func whoTakesTooMuchMemoryIsKilledAndExplained() throws {
            let box = try Sandbox.current
            let resources = ["memory": ["limit": 33_554_432, "swap": 33_554_432]]
            // `tail` of a file without lines keeps all of it.
            let bundle = try bundle(box, ["/bin/busybox", "tail", "/dev/zero"], resources)
            let outcome = try box.run(bundle, flags: ["--keep"])
            #expect(outcome.status == 137, "\(outcome)")
            #expect(
                outcome.stderr.contains("linux.resources.memory.limit is 33554432 bytes"),
                "the limit is named: \(outcome)")
            let end = try #require(try box.state()["exit"] as? [String: Any], "the exit record")
            #expect(end["signal"] as? Int == 9 || end["code"] as? Int == 137, "\(end)")
            #expect(end["oomKilled"] as? Bool == true, "\(end)")
            try box.ok("delete", box.id)
            box.expectNothingLeft()
        }

        @Test(.needsControllers("memory"))
        func aChildThatIsKilledForMemoryIsAnEvent() throws {
            let box = try Sandbox.current
            let script = "until test -e /tmp/go; do sleep 0.1; done; tail /dev/zero; echo child $?; /probe hang"
            let bundle = try bundle(
                box, ["sh", "-c", script], ["memory": ["limit": 33_554_432, "swap": 33_554_432]])
            let created = try box.create(bundle)
            try box.ok("start", box.id)
            let events = try box.begin(["--root", box.root, "events", "--interval", "60s", box.id])
            usleep(500_000)
            try "".write(toFile: bundle.rootfs + "/tmp/go", atomically: false, encoding: .utf8)
            #expect(created.says("child 137", seconds: 60), "\(created.stdout) \(created.stderr)")
            #expect(events.says("\"oom\"", seconds: 30), "\(events.stdout) \(events.stderr)")
            let stats = try box.ok("events", "--stats", box.id)
            #expect(stats.stdout.contains("\"limit\":33554432"), "\(stats)")
            try box.ok("kill", box.id, "KILL")
            #expect(events.wait().status == 0, "the stream ends with the container")
        }

        @Test(.needsControllers("memory"))
        func aLimitTooSmallForTheInitIsNamed() throws {
            let box = try Sandbox.current
            let small = try bundle(box, ["/bin/true"], ["memory": ["limit": 262_144]])
            #expect(try box.run(small).status == 0, "256 KiB are enough for a static program")
            let tooSmall = try bundle(box, ["/bin/true"], ["memory": ["limit": 4096, "swap": 4096]])
            let outcome = try box.run(tooSmall)
            #expect(outcome.status != 0 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains("memory") && outcome.stderr.contains("4096"), "\(outcome)")
            box.expectNothingLeft()
        }

        // MARK: CPU, processes, input and output

        @Test(.needsControllers("cpu"))
        func aQuotaThrottles() throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, ["sh", "-c", "while :; do :; done"], ["cpu": ["quota": 20_000, "period": 100_000]])
            _ = try box.create(bundle)
            try box.ok("start", box.id)
            #expect(eventually(20) { number("nr_throttled", of: "cpu.stat", box) > 2 })
            try box.ok("update", "--cpu-quota", "-1", box.id)
            #expect(CgroupTree.read(path(box) + "/cpu.max") == "max 100000")
        }

        @Test(.needsControllers("pids"))
        func aForkBeyondTheLimitFails() throws {
            let box = try Sandbox.current
            let script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; echo not reached"
            let outcome = try box.run(try bundle(box, ["sh", "-c", script], ["pids": ["limit": 5]]))
            #expect(outcome.status != 0 && !outcome.stdout.contains("not reached"), "\(outcome)")
            #expect(outcome.stderr.contains("fork"), "\(outcome)")
        }

        @Test(
            .needsControllers("io"), .needsDisk
        )
        func aLimitSlowsReadingDown() throws {
            let box = try Sandbox.current
            let numbers = try #require(Requirement.disk).split(separator: ":").compactMap { Int($0) }
            let throttle: [String: Any] = ["major": numbers[0], "minor": numbers[1], "rate": 1 << 20]
            let bundle = try bundle(
                box, ["sh", "-c", "/bin/busybox dd if=/dev/disk of=/dev/null bs=256k count=12 iflag=direct"],
                ["blockIO": ["throttleReadBpsDevice": [throttle]]]
            ) {
                $0["linux.devices"] = [["path": "/dev/disk", "type": "b", "major": numbers[0], "minor": numbers[1]]]
            }
            let began = Date()
            #expect(try box.run(bundle).status == 0)
            #expect(Date().timeIntervalSince(began) > 1.5, "three megabytes at one a second")
        }

        // MARK: The tree

        @Test(.needsControllers("pids"))
        func controllersAreEnabledAllTheWayDown() throws {
            let box = try Sandbox.current
            let deep = path(box) + "/a/b"
            _ = try box.create(
                try box.bundle("hang") {
                    $0["linux.cgroupsPath"] = deep
                    $0["linux.resources"] = ["pids": ["limit": 9], "memory": ["limit": 67_108_864]]
                })
            #expect(CgroupTree.read(deep + "/pids.max") == "9")
            #expect(CgroupTree.read(deep + "/memory.max") == "67108864")
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists(path(box)), "nor are those above left")
        }

        @Test(.needsControllers("pids"))
        func aParentWithProcessesCannotGiveControllers() throws {
            let box = try Sandbox.current
            try CgroupTree.make(path(box))
            defer { CgroupTree.remove(path(box)) }
            let sleeper = try box.aside(["sleep", "1000"])
            try CgroupTree.write("\(sleeper.pid)", into: path(box) + "/cgroup.procs")
            for controller in ["pids": "limit", "memory": "limit"] {
                let line = try refused(box, below: path(box)) {
                    $0["linux.resources"] = [controller.key: [controller.value: 1 << 26]]
                }
                #expect(line.contains("cgroup \(path(box)) holds processes itself"), "\(line)")
                #expect(line.contains("linux.resources.\(controller.key).limit"), "\(line)")
            }
            #expect(CgroupTree.read(path(box) + "/cgroup.type") == "domain", "left as it was")
            sleeper.signal(SIGKILL)
            _ = sleeper.wait()
        }

        /// What a run says whose cgroup would be below one that the test has made.
        private func refused(_ box: Sandbox, below parent: String, edit: (inout Config) throws -> Void) throws -> String
        {
            let outcome = try box.run(
                try box.bundle("say:it ran") {
                    $0["linux.cgroupsPath"] = parent + "/child"
                    try edit(&$0)
                })
            #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.stdout.isEmpty, "\(outcome)")
            #expect(!CgroupTree.exists(parent + "/child"))
            return outcome.stderr
        }

        @Test(.needsControllers("memory"))
        func aThreadedParentIsNamed() throws {
            let box = try Sandbox.current
            try CgroupTree.make(path(box))
            try CgroupTree.make(path(box) + "/threaded")
            defer {
                CgroupTree.remove(path(box) + "/threaded")
                CgroupTree.remove(path(box))
            }
            try CgroupTree.write("threaded", into: path(box) + "/threaded/cgroup.type")
            let without = try refused(box, below: path(box) + "/threaded") { _ in }
            #expect(without.contains("is of the type \"domain invalid\""), "\(without)")
            let with = try refused(box, below: path(box) + "/threaded") { $0["linux.resources.memory.limit"] = 1 << 26 }
            #expect(with.contains("threaded") && with.contains("memory"), "\(with)")
        }

        /// A container that manages its cgroup itself, as systemd in a container does.
        @Test(.needsControllers("pids"))
        func aContainerManagesItsDelegatedCgroup() throws {
            let box = try Sandbox.current
            let script = """
                cd /sys/fs/cgroup && /bin/busybox mkdir leaf sub && echo 1 > leaf/cgroup.procs && echo +pids > cgroup.subtree_control \
                && echo 7 > sub/pids.max && cat sub/pids.max && (sleep 1000 & echo $! > sub/cgroup.procs) && /probe hang
                """
            let bundle = try bundle(box, ["sh", "-c", script], ["pids": ["limit": 100]]) {
                $0.namespace("cgroup")
                $0.userNamespace()
                $0.addMount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw", "nosuid", "nodev"])
            }
            try bundle.chown(to: 100_000)
            let created = try box.create(bundle)
            try box.ok("start", box.id)
            #expect(created.says("7\nready", seconds: 20), "\(created.stdout) \(created.stderr)")
            #expect(try box.exec("true").status == 0, "exec finds the way into the leaf")
            try box.ok("pause", box.id)
            #expect(CgroupTree.read(path(box) + "/sub/cgroup.events")?.contains("frozen 1") == true, "the whole tree")
            try box.ok("resume", box.id)
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists(path(box)), "with all that the container made")
        }

        // MARK: update and events of the living

        @Test(.needsControllers("memory"))
        func anUpdateChangesALivingContainer() throws {
            let box = try Sandbox.current
            _ = try box.create(try bundle(box, ["/probe", "hang"], ["memory": ["limit": 67_108_864]]))
            try box.ok("start", box.id)
            let flags = [
                "--memory", "96m", "--memory-reservation", "32M", "--pids-limit", "33", "--cpu-share", "512",
                "--cpu-period", "200000", "--cpu-quota", "100000",
            ]
            let outcome = try box.plain(["--root", box.root, "update"] + flags + [box.id])
            #expect(outcome.status == 0, "\(outcome)")
            let expected = [
                "memory.max": "100663296", "memory.low": "33554432", "pids.max": "33", "cpu.weight": "59",
                "cpu.max": "100000 200000",
            ]
            for (file, value) in expected { #expect(CgroupTree.read(path(box) + "/" + file) == value, "\(file)") }
            let document = #"{"memory": {"limit": 4096, "checkBeforeUpdate": true}}"#
            let refused = try box.runtime("update", "-r", "-", box.id, with: Surroundings(input: document))
            #expect(refused.status == 1 && refused.stderr.contains("memory"), "\(refused)")
            #expect(CgroupTree.read(path(box) + "/memory.max") == "100663296", "as it was")
        }

        @Test(.needsControllers("memory"))
        func statisticsHaveRealNumbers() throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, ["/probe", "hang"], ["memory": ["limit": 67_108_864], "pids": ["limit": 20]])
            _ = try box.create(bundle)
            try box.ok("start", box.id)
            let outcome = try box.ok("events", "--stats", box.id)
            let object = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any]
            let data = try #require(object?["data"] as? [String: Any])
            let memory = try #require(data["memory"] as? [String: Any])
            let usage = try #require(memory["usage"] as? [String: Any])
            #expect((usage["usage"] as? Int ?? 0) > 0 && usage["limit"] as? Int == 67_108_864, "\(usage)")
            #expect((usage["max"] as? Int ?? 0) > 0, "the peak: \(usage)")
            let processes = try #require(data["pids"] as? [String: Any])
            #expect(processes["current"] as? Int == 1 && processes["limit"] as? Int == 20, "\(processes)")
            let cpu = (data["cpu"] as? [String: Any])?["usage"] as? [String: Any]
            #expect((cpu?["total"] as? Int ?? 0) > 0, "\(outcome)")
        }
    }
}
