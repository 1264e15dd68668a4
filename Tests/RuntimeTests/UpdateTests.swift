import Foundation
import Testing

extension AllTests {
    /// update
    @Suite struct Update {
        private func huge(_ megabytes: Int) -> String {
            #"{"hugepageLimits": [{"pageSize": "2MB", "limit": \#(megabytes << 20)}]}"#
        }

        /// A created container in a cgroup of a known name; the cgroup.
        private func make(_ box: Sandbox, edit: (inout Config) throws -> Void = { _ in }) throws -> String {
            let name = "/\(box.id)-cgroup"
            _ = try box.create(
                try box.bundle("hang") {
                    $0["linux.cgroupsPath"] = name
                    try edit(&$0)
                })
            return name
        }

        private func update(_ box: Sandbox, json: String, flag: [String] = ["--resources=-"]) throws -> Outcome {
            try box.plain(["--root", box.root, "update"] + flag + [box.id], Surroundings(input: json))
        }

        private func limit(_ cgroup: String) -> String? { CgroupTree.read(cgroup + "/hugetlb.2MB.max") }

        /// go-runc: `update --resources=- ID`; CRI-O: `update --resources - ID`; podman: `update --resources=FILE ID`.
        @Test(.needsControllers("hugetlb"))
        func theFormsThatEnginesUseAreTaken() throws {
            let box = try Sandbox.current
            let cgroup = try make(box)
            var expected = 2
            for flag in [["--resources=-"], ["--resources", "-"], ["-r", "-"], ["-r-"]] {
                let outcome = try update(box, json: huge(expected), flag: flag)
                #expect(outcome.status == 0 && outcome.stdout == "" && outcome.stderr == "", "\(outcome)")
                #expect(limit(cgroup) == String(expected << 20), "the controller was not switched on before")
                #expect(CgroupTree.read(cgroup + "/hugetlb.2MB.rsvd.max") == String(expected << 20))
                expected += 2
            }
            let file = try box.file("limits.json", huge(expected))
            try box.ok("update", "--resources=" + file, box.id)
            #expect(limit(cgroup) == String(expected << 20))
        }

        @Test(.needsControllers("hugetlb"))
        func updateWorksWhileItRunsAndWhileItIsPaused() throws {
            let box = try Sandbox.current
            let cgroup = try make(box)
            try box.ok("start", box.id)
            #expect(box.becomes("running"))
            #expect(try update(box, json: huge(2)).status == 0)
            #expect(limit(cgroup) == String(2 << 20))
            try box.ok("pause", box.id)
            #expect(try update(box, json: huge(4)).status == 0)
            #expect(limit(cgroup) == String(4 << 20))
            #expect(try box.status() == "paused")
            try box.ok("resume", box.id)
        }

        /// A later update knows what an earlier one, and config.json, said.
        @Test(.needsControllers("hugetlb"))
        func limitsThatAreNotNamedStay() throws {
            let box = try Sandbox.current
            let cgroup = try make(box) {
                try $0.set("linux.resources", json: #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}"#)
            }
            #expect(try update(box, json: #"{"unified": {"cgroup.max.depth": "5"}}"#).status == 0)
            #expect(limit(cgroup) == "2097152" && CgroupTree.read(cgroup + "/cgroup.max.depth") == "5")
            #expect(try update(box, json: huge(4)).status == 0)
            #expect(limit(cgroup) == "4194304" && CgroupTree.read(cgroup + "/cgroup.max.depth") == "5")
            let kept = try String(contentsOfFile: box.root + "/\(box.id)/resources.json", encoding: .utf8)
            #expect(kept.contains(#"{"pageSize":"2MB","limit":4194304}"#) && kept.contains(#""cgroup.max.depth":"5""#))
            try box.ok("delete", "--force", box.id)
            box.expectNothingLeft()
        }

        @Test(.needsControllers("hugetlb"))
        func aRefusedValueChangesNothing() throws {
            let box = try Sandbox.current
            let cgroup = try make(box)
            #expect(try update(box, json: huge(2)).status == 0)
            let outcome = try update(
                box,
                json:
                    #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 8388608}], "unified": {"cgroup.max.depth": "deep"}}"#
            )
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(
                outcome.stderr.contains(
                    #"linux.resources.unified["cgroup.max.depth"]: cgroup.max.depth does not take "deep""#),
                "\(outcome)")
            #expect(limit(cgroup) == "2097152")
            let kept = try String(contentsOfFile: box.root + "/\(box.id)/resources.json", encoding: .utf8)
            #expect(kept.contains("2097152") && !kept.contains("deep"))
        }

        // MARK: What is wrong

        static let missing: [(flags: [String], controller: String, field: String)] = [
            (["--memory", "64m"], "memory", "memory.limit"),
            (["--memory-reservation=32M"], "memory", "memory.reservation"),
            (["--memory", "1g", "--memory-swap", "2g"], "memory", "memory.swap"),
            (["--cpu-share", "512"], "cpu", "cpu.shares"), (["--cpu-quota=50000"], "cpu", "cpu.quota"),
            (["--cpu-period", "50000"], "cpu", "cpu.period"), (["--cpu-burst", "1000"], "cpu", "cpu.burst"),
            (["--cpu-idle", "1"], "cpu", "cpu.idle"), (["--cpuset-cpus", "0"], "cpuset", "cpu.cpus"),
            (["--cpuset-mems", "0"], "cpuset", "cpu.mems"), (["--pids-limit", "10"], "pids", "pids.limit"),
            (["--blkio-weight", "500"], "io", "blockIO.weight"),
        ]

        @Test(
            .needsHostWithoutControllers("memory", "cpu", "cpuset", "pids", "io"),
            arguments: missing)
        func aMissingControllerIsNamed(flags: [String], controller: String, field: String) throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try box.plain(["--root", box.root, "update"] + flags + [box.id])
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(
                outcome.stderr.contains("linux.resources.\(field): controller \(controller) is not available"),
                "\(outcome)")
            #expect(outcome.stderr.contains("cgroup_no_v1") || outcome.stderr.contains("Delegate="), "the remedy")
        }

        @Test func noLimitNeedsNoController() throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try box.runtime(
                "update", "--memory", "-1", "--memory-swap", "-1", "--pids-limit", "-1", box.id)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            try box.ok("update", box.id)
        }

        @Test(arguments: [
            (["--kernel-memory", "64m"], "--kernel-memory"), (["--kernel-memory-tcp=1"], "--kernel-memory-tcp"),
            (["--cpu-rt-period", "1000"], "--cpu-rt-period"), (["--cpu-rt-runtime", "-1"], "--cpu-rt-runtime"),
        ])
        func flagsOfCgroupV1AreWarnings(flags: [String], name: String) throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try box.plain(["--root", box.root, "update"] + flags + [box.id])
            #expect(outcome.status == 0 && outcome.complaints.count == 1, "\(outcome)")
            #expect(
                outcome.stderr.contains("warning: \(name) has no effect: it exists in cgroup v1 only"), "\(outcome)")
        }

        @Test(arguments: [
            (
                #"{"pids": {"limit": "5"}}"#,
                "standard input:1:20: pids.limit: expected a number, found the string \"5\""
            ),
            (#"{"memory": 5}"#, "standard input:1:12: memory: expected an object, found the number 5"),
            (
                "{\n  \"memory\": {\"limit\": 10,\n    \"swap\": 5}}",
                "standard input:3:13: memory.swap: limits memory and swap"
            ),
            (#"{"cpu": {"quota": 5}}"#, "standard input:1:19: cpu.quota: expected at least 1000 microseconds"),
            (#"{"cpu": {"realtimeRuntime": 5}}"#, "standard input:1:29: cpu.realtimeRuntime: exists only in cgroup v1"),
            ("{", "standard input:1:2"), ("", "standard input:1:1"),
        ])
        func mistakesHaveTheirPlace(json: String, words: String) throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try update(box, json: json)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains(words), "\(outcome)")
        }

        @Test func unknownKeysAreWarnings() throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try update(
                box, json: #"{"future": 1, "devices": [{"allow": false}], "memory": {"limit": 0}}"#)
            #expect(outcome.status == 0 && outcome.complaints.count == 1, "\(outcome)")
            #expect(
                outcome.stderr.contains(#"warning: standard input:1:2: future: unknown key "future""#), "\(outcome)")
        }

        @Test func flagsBesideAFileAreIgnored() throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try update(box, json: "{}", flag: ["-r", "-", "--memory", "5m"])
            #expect(outcome.status == 0 && outcome.stderr.contains("--memory is ignored"), "\(outcome)")
        }

        @Test(arguments: [["--l3-cache-schema", "L3:0=f"], ["--mem-bw-schema=MB:0=50"]])
        func resctrlFlagsNeedIntelRdt(flags: [String]) throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try box.plain(["--root", box.root, "update"] + flags + [box.id])
            #expect(outcome.status == 1 && outcome.stderr.contains("made without linux.intelRdt"), "\(outcome)")
        }

        @Test(arguments: [
            ["--memory", "x"], ["--memory", "-2"], ["--memory", "1.k"], ["--cpu-share", "-1"], ["--cpu-quota", "5m"],
            ["--blkio-weight", "70000"], ["--pids-limit", ""], ["--memory"], ["--nonsense", "1"],
            ["--kernel-memory", "x"],
        ])
        func malformedValuesAreUsageErrors(flags: [String]) throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try box.plain(["--root", box.root, "update", box.id] + flags)
            #expect(outcome.status == 1 && outcome.stderr.contains("Incorrect Usage"), "\(outcome)")
            #expect(outcome.complaints.count == 1, "\(outcome)")
        }

        @Test func aMissingFileIsAnError() throws {
            let box = try Sandbox.current
            _ = try make(box)
            let outcome = try box.runtime("update", "-r", box.path("none.json"), box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("none.json: not found"), "\(outcome)")
        }

        @Test func aStoppedContainerCannotBeUpdated() throws {
            let box = try Sandbox.current
            _ = try make(box)
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            let outcome = try update(box, json: huge(2))
            #expect(outcome.status == 1 && outcome.stderr.contains("container not running"), "\(outcome)")
        }

        @Test func updateNeedsACgroup() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let created = try box.plain([
                "--root", box.root, "--cgroup-manager", "disabled", "create", "--bundle", bundle.directory, box.id,
            ])
            #expect(created.status == 0, "\(created)")
            let outcome = try update(box, json: huge(2))
            #expect(
                outcome.status == 1
                    && outcome.stderr.contains("the container has no cgroup, which changing its limits needs"),
                "\(outcome)")
        }

        // MARK: Hosts with the controllers

        @Test(
            .needsControllers("memory", "cpu", "pids"))
        func everyControllerIsUpdated() throws {
            let box = try Sandbox.current
            let cgroup = try make(box) { $0["linux.resources.cpu.quota"] = 20_000 }
            try box.ok(
                "update", "--memory", "64m", "--memory-reservation", "32m", "--memory-swap", "96m", "--pids-limit",
                "77",
                "--cpu-period", "50000", "--cpu-share", "512", box.id)
            for (file, value) in [
                ("memory.max", "67108864"), ("memory.low", "33554432"), ("pids.max", "77"), ("cpu.max", "20000 50000"),
                ("cpu.weight", "59"),
            ] {
                #expect(CgroupTree.read("\(cgroup)/\(file)") == value, "\(file)")
            }
            let refused = try update(box, json: #"{"memory": {"limit": 4096, "checkBeforeUpdate": true}}"#)
            #expect(refused.status == 1 && refused.stderr.contains("checkBeforeUpdate"), "\(refused)")
            #expect(CgroupTree.read(cgroup + "/memory.max") == "67108864")
            try box.ok("update", "--memory=-1", box.id)
            #expect(CgroupTree.read(cgroup + "/memory.max") == "max")
        }
    }
}
