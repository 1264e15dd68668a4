import Foundation
import Testing

extension AllTests {
    /// linux.cgroupsPath, the cgroup itself, --cgroup-manager
    @Suite struct Cgroups {
        private func pid(_ box: Sandbox) throws -> String { String(try #require(try box.state()["pid"] as? Int)) }

        /// The v2 line of /proc/PID/cgroup.
        private func path(of pid: String) -> String? {
            Leftovers.lines("/proc/\(pid)/cgroup").first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
        }

        @Test func anAbsolutePathIsTakenAsItIs() throws {
            let box = try Sandbox.current
            let name = "/\(box.id)-mine"
            _ = try box.create(try box.bundle("hang") { $0["linux.cgroupsPath"] = name })
            let pid = try pid(box)
            #expect(path(of: pid) == name)
            #expect(CgroupTree.read(name + "/cgroup.procs") == pid, "the container is in it from the start")
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists(name))
        }

        @Test func aDeepPathIsMade() throws {
            let box = try Sandbox.current
            let name = "/\(box.id)-a/b/c"
            _ = try box.create(try box.bundle("hang") { $0["linux.cgroupsPath"] = name })
            #expect(path(of: try pid(box)) == name)
        }

        @Test func theDefaultHasTheContainersName() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            #expect(path(of: try pid(box))?.hasSuffix("/" + box.id) == true)
        }

        @Test func aRelativePathIsBelowTheRuntimesCgroup() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang") { $0["linux.cgroupsPath"] = box.id + "-relative" })
            #expect(path(of: try pid(box))?.hasSuffix("/\(box.id)-relative") == true)
        }

        @Test(arguments: ["/../NAME", "/NAME/../NAME", "../../NAME"])
        func pathsUpwardsStayInTheTree(form: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") {
                $0["linux.cgroupsPath"] = form.replacingOccurrences(of: "NAME", with: box.id)
            }
            let outcome = try box.runtime("create", "--bundle", bundle.directory, box.id)
            if outcome.status == 0 {
                let path = try #require(path(of: try pid(box)))
                #expect(path.hasSuffix("/" + box.id) && !path.contains(".."), "\(path)")
            } else {
                try box.refused(outcome)
            }
        }

        @Test func aSystemdNameNeedsTheSystemdManager() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("say:it ran") { $0["linux.cgroupsPath"] = "system.slice:runbox:\(box.id)" })
            // A folder of that odd name, or a refusal; never another place.
            if outcome.status != 0 { #expect(try box.refused(outcome).contains("linux.cgroupsPath"), "\(outcome)") }
        }

        @Test func childrenOfThePayloadGoWithIt() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("child", "child", "hang") { $0["linux.cgroupsPath"] = "/" + box.id })
            try box.ok("start", box.id)
            #expect(
                eventually(5) { (CgroupTree.read("/\(box.id)/cgroup.procs") ?? "").split(separator: "\n").count == 3 })
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            try box.ok("delete", box.id)
        }

        @Test func processesThatOutliveTheInitAreKilled() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("child", "exit:0") { $0.dropNamespace("pid") }
            #expect(try box.run(bundle).status == 0)
            // The end of the test looks for the child that was left.
        }

        @Test func killAllReachesEveryProcess() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("child", "child", "hang") { $0.dropNamespace("pid") })
            try box.ok("start", box.id)
            #expect(box.becomes("running"))
            try box.ok("kill", "--all", box.id, "KILL")
            #expect(box.becomes("stopped"))
            try box.ok("delete", box.id)
        }

        // MARK: --cgroup-manager disabled

        @Test func disabledTheContainerStaysInTheCallersCgroup() throws {
            let box = try Sandbox.current
            let own = path(of: "self")
            let outcome = try box.run(
                try box.bundle("read:/proc/self/cgroup"), global: ["--cgroup-manager", "disabled"])
            #expect(outcome.status == 0, "\(outcome)")
            let line = outcome["read./proc/self/cgroup"]?.split(separator: "\n").first { $0.hasPrefix("0::") }
            #expect(line.map { String($0.dropFirst(3)) } == own, "\(outcome)")
        }

        @Test func disabledALimitIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["linux.resources.pids.limit"] = 10 }
            let line = try box.refused(try box.run(bundle, global: ["--cgroup-manager", "disabled"]))
            #expect(line.contains("linux.resources"), "\(line)")
        }
    }

    /// linux.resources
    @Suite struct Resources {
        // MARK: Controllers that are not there

        static let limits: [(controller: String, field: String, json: String)] = [
            ("memory", "linux.resources.memory.limit", "1048576"),
            ("memory", "linux.resources.memory.reservation", "1048576"),
            ("memory", "linux.resources.memory.swap", "1048576"), ("pids", "linux.resources.pids.limit", "10"),
            ("cpu", "linux.resources.cpu.shares", "512"), ("cpu", "linux.resources.cpu.quota", "50000"),
            ("cpu", "linux.resources.cpu.idle", "1"), ("cpuset", "linux.resources.cpu.cpus", "\"0\""),
            ("cpuset", "linux.resources.cpu.mems", "\"0\""), ("io", "linux.resources.blockIO.weight", "500"),
            ("io", "linux.resources.blockIO.throttleReadBpsDevice", #"[{"major": 7, "minor": 0, "rate": 1000}]"#),
            ("rdma", "linux.resources.rdma.mlx5_1", #"{"hcaHandles": 3}"#),
            ("memory", "linux.resources.unified", #"{"memory.high": "1048576"}"#),
        ]

        /// Only where the controller is missing, as on a host that keeps it in version 1.
        @Test(
            .needsMissingController(of: limits.map(\.controller)),
            arguments: limits.filter { !CgroupTree.has($0.controller) }.map { [$0.controller, $0.field, $0.json] })
        func aLimitWithoutItsControllerIsAnError(limit: [String]) throws {
            let (controller, field, json) = (limit[0], limit[1], limit[2])
            let line = try Sandbox.current.refuse {
                if field.hasSuffix(".swap") { $0["linux.resources.memory.limit"] = 1_048_576 }
                try $0.set(field, json: json)
            }
            let named = field.hasSuffix(".swap") ? "linux.resources.memory" : field
            #expect(line.contains(named), "the field: \(line)")
            #expect(line.contains(controller) && line.contains("controller"), "the controller: \(line)")
            #expect(
                line.contains("cgroup.subtree_control") || line.contains("systemd.unified_cgroup_hierarchy")
                    || line.contains("version 1")
                    || line.contains("cgroup_no_v1"), "a remedy: \(line)")
        }

        @Test func noLimitNeedsNoController() throws {
            #expect(try Sandbox.current.look("say:hello") { $0["linux.resources"] = [String: Any]() }.text == "hello\n")
        }

        // MARK: Controllers that are there

        /// Sets resources, creates the container and reads files of its cgroup.
        private func files(_ names: [String], of json: [String: String]) throws -> [String: String] {
            let box = try Sandbox.current
            _ = try box.create(
                try box.bundle("hang") {
                    $0["linux.cgroupsPath"] = "/" + box.id
                    for (field, text) in json { try $0.set("linux.resources." + field, json: text) }
                })
            return Dictionary(uniqueKeysWithValues: names.map { ($0, CgroupTree.read("/\(box.id)/\($0)") ?? "absent") })
        }

        @Test(
            .needsControllers("hugetlb"), .needsFile("/sys/kernel/mm/hugepages/hugepages-2048kB"))
        func hugepageLimitsAreWritten() throws {
            let seen = try files(
                ["hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"],
                of: ["hugepageLimits": #"[{"pageSize": "2MB", "limit": 4194304}]"#])
            #expect(seen["hugetlb.2MB.max"] == "4194304" && seen["hugetlb.2MB.rsvd.max"] == "4194304", "\(seen)")
        }

        @Test(.needsControllers("hugetlb"))
        func aPageSizeThatTheHostLacksIsAnError() throws {
            let line = try Sandbox.current.refuse {
                $0["linux.resources.hugepageLimits"] = [["pageSize": "3MB", "limit": 0] as [String: Any]]
            }
            #expect(line.contains("hugepageLimits") && line.contains("3MB"), "\(line)")
        }

        @Test func unifiedFilesAreWritten() throws {
            let seen = try files(
                ["cgroup.max.descendants", "cgroup.max.depth"],
                of: ["unified": #"{"cgroup.max.descendants": "5", "cgroup.max.depth": "2"}"#])
            #expect(seen["cgroup.max.descendants"] == "5" && seen["cgroup.max.depth"] == "2", "\(seen)")
        }

        @Test(arguments: ["nodot", "a/b.c", "../memory.max", "memory.frobnicate", "cgroup.frobnicate"])
        func unknownUnifiedKeysAreErrors(key: String) throws {
            let line = try Sandbox.current.refuse { $0["linux.resources.unified"] = [key: "1"] }
            #expect(line.contains("linux.resources.unified") && line.contains(key), "\(line)")
        }

        @Test(.needsControllers("memory"))
        func memoryLimitsAreWritten() throws {
            let seen = try files(
                ["memory.max", "memory.low", "memory.swap.max"],
                of: ["memory": #"{"limit": 67108864, "reservation": 33554432, "swap": 100663296}"#])
            #expect(seen["memory.max"] == "67108864" && seen["memory.low"] == "33554432", "\(seen)")
            #expect(seen["memory.swap.max"] == "33554432" || seen["memory.swap.max"] == "absent", "\(seen)")
        }

        @Test(
            .needsControllers("pids"),
            arguments: [("7", "7"), ("-1", "max")])
        func pidsLimitsAreWritten(json: String, expected: String) throws {
            #expect(try files(["pids.max"], of: ["pids.limit": json])["pids.max"] == expected)
        }

        @Test(
            .needsControllers("cpu"),
            arguments: [(2, "1"), (512, "59"), (1024, "100"), (262_144, "10000")])
        func cpuSharesAreConvertedToAWeight(shares: Int, weight: String) throws {
            #expect(try files(["cpu.weight"], of: ["cpu.shares": String(shares)])["cpu.weight"] == weight)
        }

        @Test(.needsControllers("cpu"))
        func cpuQuotaAndPeriodAreWritten() throws {
            #expect(
                try files(["cpu.max"], of: ["cpu": #"{"quota": 50000, "period": 200000}"#])["cpu.max"] == "50000 200000"
            )
            try Sandbox.current.ok("delete", "--force", try Sandbox.current.id)
            #expect(try files(["cpu.max"], of: ["cpu": #"{"quota": -1}"#])["cpu.max"] == "max 100000")
        }

        @Test(.needsControllers("cpuset"))
        func cpusetIsWritten() throws {
            #expect(try files(["cpuset.cpus"], of: ["cpu.cpus": "\"0\""])["cpuset.cpus"] == "0")
        }

        @Test(.needsControllers("io"))
        func blockIOWeightIsWritten() throws {
            let seen = try files(["io.weight", "io.bfq.weight"], of: ["blockIO.weight": "500"])
            #expect(
                seen["io.weight"]?.contains("4950") == true || seen["io.bfq.weight"]?.contains("500") == true, "\(seen)"
            )
        }
    }

    /// linux.resources.devices: the program that says which devices may be used. /dev/fuse is a device that anybody
    /// may open.
    @Suite(.needsFile("/dev/fuse"))
    struct DeviceRules {
        private static let fuse = #"{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438}"#

        private func look(_ rules: String, _ verbs: String...) throws -> Facts {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle(args: ["/probe"] + (verbs.isEmpty ? ["open:/dev/fuse:rw"] : verbs)) {
                    try $0.set("linux.devices", json: "[\(Self.fuse)]")
                    try $0.set("linux.resources.devices", json: rules)
                    $0.capabilities(["CAP_MKNOD", "CAP_DAC_OVERRIDE"])
                })
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.facts
        }

        private static let deny = #"{"allow": false, "access": "rwm"}"#

        @Test func aDeniedDeviceCannotBeOpened() throws {
            #expect(try look("[\(Self.deny)]")["open./dev/fuse"] == "EPERM")
        }

        @Test func anAllowedDeviceCanBeOpened() throws {
            let seen = try look(
                #"[\#(Self.deny), {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"}]"#)
            #expect(seen["open./dev/fuse"] == "ok", "\(seen)")
        }

        @Test(arguments: [
            (#"{"allow": true, "type": "c", "major": 10, "access": "rw"}"#, "ok"),
            (#"{"allow": true, "type": "c", "minor": 229, "access": "rw"}"#, "ok"),
            (#"{"allow": true, "type": "c", "major": -1, "minor": -1, "access": "rw"}"#, "ok"),
            (#"{"allow": true, "type": "c"}"#, "ok"), (#"{"allow": true}"#, "ok"),
            (#"{"allow": true, "type": "a"}"#, "ok"),
            (#"{"allow": true, "type": "b", "access": "rwm"}"#, "EPERM"),
            (#"{"allow": true, "type": "c", "major": 10, "minor": 228, "access": "rwm"}"#, "EPERM"),
            (#"{"allow": true, "type": "c", "major": 11, "minor": 229, "access": "rwm"}"#, "EPERM"),
            (#"{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"}"#, "EPERM"),
            (#"{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "m"}"#, "EPERM"),
        ])
        func wildcardsMatchEveryNumber(rule: String, expected: String) throws {
            #expect(try look("[\(Self.deny), \(rule)]")["open./dev/fuse"] == expected)
        }

        @Test func readingIsAllowedWithoutWriting() throws {
            let rules = #"[\#(Self.deny), {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"}]"#
            let seen = try look(rules, "open:/dev/fuse:r", "open:/dev/fuse:w")
            #expect(seen["open./dev/fuse"] == "EPERM" && seen.text.contains("open./dev/fuse=ok\n"), "\(seen)")
        }

        @Test func theLastRuleWins() throws {
            let fuse = #""type": "c", "major": 10, "minor": 229, "access": "rwm"}"#
            #expect(try look(#"[{"allow": true, \#(fuse), \#(Self.deny)]"#)["open./dev/fuse"] == "EPERM")
            #expect(
                try look(#"[\#(Self.deny), {"allow": true, "type": "c"}, {"allow": false, \#(fuse)]"#)["open./dev/fuse"]
                    == "EPERM")
            #expect(
                try look(#"[{"allow": true}, {"allow": false, \#(fuse), {"allow": true, \#(fuse)]"#)["open./dev/fuse"]
                    == "ok")
        }

        @Test func theUsualDevicesAreAlwaysAllowed() throws {
            let verbs = ["null", "zero", "full", "random", "urandom", "ptmx"].map { "open:/dev/\($0):rw" }
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle(
                    args: ["/probe"] + verbs + [
                        "mknod:/tmp/node:c:10:229", "mknod:/tmp/block:b:7:0", "open:/tmp/node:rw",
                    ]
                ) {
                    try $0.set("linux.resources.devices", json: "[\(Self.deny)]")
                    $0.capabilities(["CAP_MKNOD"])
                })
            for name in ["null", "zero", "full", "random", "urandom", "ptmx"] {
                #expect(outcome["open./dev/\(name)"] == "ok", "\(name)")
            }
            #expect(
                outcome["mknod./tmp/node"] == "ok" && outcome["mknod./tmp/block"] == "ok",
                "making a node is not using it: \(outcome)")
            #expect(outcome["open./tmp/node"] == "EPERM", "\(outcome)")
        }
    }

    /// linux.intelRdt; what is done in resctrl is shown by unit tests on a folder in its place
    @Suite struct IntelRdt {
        @Test(
            .needsHostWithoutResctrl,
            arguments: [
                "{}", #"{"closID": "/"}"#, #"{"closID": "gold", "schemata": ["MB:0=20"], "enableMonitoring": true}"#,
            ])
        func aHostWithoutResctrlIsAnError(json: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("linux.intelRdt", json: json) }
            #expect(line.contains("linux.intelRdt: no resctrl file system is mounted on this host"), "\(line)")
        }

        @Test(arguments: [
            (#"{"closID": "a/b"}"#, "linux.intelRdt"), (#"{"memBwSchema": "L3:0=f"}"#, "linux.intelRdt.memBwSchema"),
            (#"{"l3CacheSchema": "L3:0=f\nMB:0=1"}"#, "linux.intelRdt.l3CacheSchema"),
            (#"{"enableMonitoring": "yes"}"#, "linux.intelRdt.enableMonitoring"),
        ])
        func mistakesNameTheirField(json: String, field: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("linux.intelRdt", json: json) }
            #expect(line.contains(field), "\(line)")
        }
    }
}
