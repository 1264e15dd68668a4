import Foundation
import Glibc
import Testing

extension AllTests {
    /// linux.namespaces and the id mappings
    @Suite struct Namespaces {
        /// The words of config.json and the names below /proc/PID/ns.
        static let all = [
            ("pid", "pid"), ("network", "net"), ("mount", "mnt"), ("ipc", "ipc"), ("uts", "uts"), ("user", "user"),
            ("cgroup", "cgroup"), ("time", "time"),
        ]

        private func inode(_ path: String) -> String {
            var status = stat()
            return stat(path, &status) == 0 ? String(status.st_ino) : "none"
        }

        @Test(arguments: all)
        func aNewNamespaceIsNotTheHosts(word: String, name: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("ns") { if word == "user" { $0.userNamespace() } else { $0.namespace(word) } }
            if word == "user" { try bundle.chown(to: 100_000) }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            let seen = try #require(outcome["ns.\(name)"])
            #expect(Int(seen) != nil && seen != inode("/proc/self/ns/\(name)"), "\(seen)")
        }

        @Test func allEightAreMadeAtOnce() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("ns", "ids", "process") {
                $0.userNamespace()
                $0.namespace("cgroup")
                $0.namespace("time")
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0, "\(outcome)")
            for (_, name) in Self.all {
                #expect(outcome["ns.\(name)"] != inode("/proc/self/ns/\(name)"), "\(name) is the host's")
            }
            #expect(outcome["uid"] == "0" && outcome["pid"] == "1")
        }

        @Test(arguments: all.filter { $0.0 != "mount" && $0.0 != "user" })
        func anAbsentNamespaceIsTheHosts(word: String, name: String) throws {
            let seen = try Sandbox.current.look("ns") {
                $0.dropNamespace(word)
                if word == "uts" { $0["hostname"] = nil }
                if word == "network" { $0.dropMount("/sys") }
                if word == "ipc" { $0.dropMount("/dev/mqueue") }
            }
            #expect(seen["ns.\(name)"] == inode("/proc/self/ns/\(name)"))
        }

        // MARK: By path

        /// A process that sits in new namespaces; the path of one of them.
        private func holder(_ box: Sandbox, _ word: String, _ name: String) throws -> String {
            let flag = ["network": "--net", "user": "--user", "time": "--time", "pid": "--pid"][word] ?? "--" + word
            var words = ["unshare", flag]
            if word == "mount" { words += ["--propagation", "private"] }
            if word == "pid" || word == "time" { words += ["--fork", "--kill-child"] }
            let running = try box.aside(words + ["sh", "-c", "echo ready; exec sleep 1000"])
            guard running.says("ready") else { throw Trouble("\(running.wait(seconds: 0))") }
            if word == "user" {
                for map in ["uid_map", "gid_map"] {
                    try "0 100000 65536".write(
                        toFile: "/proc/\(running.pid)/\(map)", atomically: false, encoding: .utf8)
                }
            }
            let own = word == "pid" || word == "time" ? name + "_for_children" : name
            return "/proc/\(running.pid)/ns/\(own)"
        }

        @Test(arguments: all.filter { $0.0 != "user" })
        func aPathIsJoined(word: String, name: String) throws {
            let box = try Sandbox.current
            let path = try holder(box, word, name)
            let expected = inode(path)
            let bundle = try box.bundle("ns") { $0.namespace(word, path: path) }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(outcome["ns.\(name)"] == expected && expected != inode("/proc/self/ns/\(name)"), "\(outcome)")
        }

        @Test func aUserNamespaceIsJoined() throws {
            let box = try Sandbox.current
            let path = try holder(box, "user", "user")
            let bundle = try box.bundle("ns", "ids", "userns") { $0.namespace("user", path: path) }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome["ns.user"] == inode(path) && outcome["uid"] == "0", "\(outcome)")
            #expect(outcome["uid_map"] == "0 100000 65536", "\(outcome)")
        }

        @Test func theNamespacesOfAnotherContainerAreJoined() throws {
            let box = try Sandbox.current
            let sandbox = try box.bundle("hang")
            _ = try box.create(sandbox, id: box.id("pause"))
            let pid = try #require(try box.state(box.id("pause"))["pid"] as? Int)
            let outcome = try box.run(
                try box.bundle("ns") { config in
                    config["hostname"] = nil
                    for (word, name) in [("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid")] {
                        config.namespace(word, path: "/proc/\(pid)/ns/\(name)")
                    }
                })
            #expect(outcome.status == 0, "\(outcome)")
            for name in ["net", "ipc", "uts", "pid"] {
                #expect(outcome["ns.\(name)"] == inode("/proc/\(pid)/ns/\(name)"))
            }
        }

        // MARK: Mistakes

        @Test func aPathOfAnotherTypeIsRefused() throws {
            let line = try Sandbox.current.refuse { $0.namespace("network", path: "/proc/self/ns/uts") }
            #expect(line.contains("/proc/self/ns/uts") && line.contains("network"), "\(line)")
        }

        @Test func aPathThatIsNoNamespaceIsRefused() throws {
            let box = try Sandbox.current
            let file = try box.file("plain")
            let line = try box.refuse { $0.namespace("ipc", path: file) }
            #expect(line.contains(file), "\(line)")
        }

        @Test func aMissingPathIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refuse { $0.namespace("network", path: box.path("nothing")) }
            #expect(line.contains(box.path("nothing")), "\(line)")
        }

        @Test func aRelativePathIsRefused() throws {
            let line = try Sandbox.current.refuse { $0.namespace("network", path: "ns/net") }
            #expect(line.contains("linux.namespaces[4].path") && line.contains("absolute"), "\(line)")
        }

        @Test func aTypeTwiceIsRefused() throws {
            let line = try Sandbox.current.refuse { $0["linux.namespaces.+"] = ["type": "pid"] }
            #expect(line.contains("linux.namespaces[5]") && line.contains("pid"), "\(line)")
        }

        @Test func anUnknownTypeIsRefused() throws {
            let line = try Sandbox.current.refuse { $0["linux.namespaces.+"] = ["type": "pidd"] }
            #expect(line.contains("linux.namespaces[5].type") && line.contains("pidd"), "\(line)")
        }

        // MARK: What comes with them

        @Test func theInitIsTheFirstProcess() throws {
            let seen = try Sandbox.current.look("process")
            #expect(seen["pid"] == "1" && seen["ppid"] == "0")
        }

        @Test func theLoopbackDeviceIsUp() throws {
            #expect(try Sandbox.current.look("lo")["lo"] == "up")
        }

        @Test func theOwnCgroupIsTheRootOfTheCgroupNamespace() throws {
            let seen = try Sandbox.current.look("read:/proc/self/cgroup") { $0.namespace("cgroup") }
            #expect(seen["read./proc/self/cgroup"]?.split(separator: "\n").last == "0::/")
        }
    }

    /// linux.timeOffsets
    @Suite struct TimeOffsets {
        private func host(_ clock: clockid_t) -> Int {
            var now = timespec()
            clock_gettime(clock, &now)
            return now.tv_sec
        }

        /// How far the container's clocks are from the host's, to the second.
        private func isOff(_ seen: Outcome, monotonic: Int, boottime: Int) -> Bool {
            func near(_ key: String, _ clock: clockid_t, _ offset: Int) -> Bool {
                guard let there = seen[key].flatMap({ Int($0) }) else { return false }
                return abs(there - host(clock) - offset) < 60
            }
            return near("monotonic", CLOCK_MONOTONIC, monotonic) && near("boottime", CLOCK_BOOTTIME, boottime)
        }

        static let offsets: [(json: String, monotonic: Int, boottime: Int)] = [
            (#"{"monotonic": {"secs": 100000}}"#, 100_000, 0),
            (#"{"boottime": {"secs": 1000000, "nanosecs": 999999999}}"#, 0, 1_000_001),
            (#"{"monotonic": {"secs": 7200}, "boottime": {"secs": 864000}}"#, 7200, 864_000),
            (#"{"monotonic": {"secs": 0}, "boottime": {}}"#, 0, 0), ("{}", 0, 0),
        ]

        @Test(arguments: offsets.indices) func offsetsMoveTheClocksForwards(index: Int) throws {
            let (json, monotonic, boottime) = Self.offsets[index]
            let box = try Sandbox.current
            let bundle = try box.bundle("clock", "read:/proc/self/timens_offsets", "ns", "process") {
                $0.namespace("time")
                try $0.set("linux.timeOffsets", json: json)
            }
            let seen = try box.run(bundle)
            #expect(seen.status == 0 && seen.stderr == "" && seen["pid"] == "1", "\(seen)")
            #expect(isOff(seen, monotonic: monotonic, boottime: boottime), "\(seen)")
            #expect(seen["ns.time"] != nil && seen["ns.time"] != link("/proc/self/ns/time"), "\(seen)")
        }

        private func link(_ path: String) -> String {
            var status = stat()
            return stat(path, &status) == 0 ? String(status.st_ino) : "none"
        }

        @Test func offsetsMoveTheClocksBackwards() throws {
            let box = try Sandbox.current
            let most = host(CLOCK_MONOTONIC) / 2
            let seen = try box.run(
                try box.bundle("clock", "read:/proc/self/timens_offsets") {
                    $0.namespace("time")
                    $0["linux.timeOffsets"] = [
                        "monotonic": ["secs": -most], "boottime": ["secs": -most, "nanosecs": 5],
                    ]
                })
            #expect(isOff(seen, monotonic: -most, boottime: -most), "\(seen)")
            #expect(seen["read./proc/self/timens_offsets"]?.contains("-\(most)") == true, "\(seen)")
        }

        /// The time namespace belongs to the container's user namespace, like all others.
        @Test func offsetsHoldInAUserNamespace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("clock", "userns", "ids", "ns", "hang") {
                $0.userNamespace()
                $0.namespace("cgroup")
                $0.namespace("time")
                try $0.set("linux.timeOffsets", json: #"{"monotonic": {"secs": 5000}, "boottime": {"secs": 5000}}"#)
            }
            try bundle.chown(to: 100_000)
            let running = try box.create(bundle)
            let pid = try #require(try box.state()["pid"] as? Int)
            try box.ok("start", box.id)
            #expect(running.says("ready"))
            let seen = Outcome(command: [], status: 0, stdout: running.stdout, stderr: running.stderr)
            #expect(isOff(seen, monotonic: 5000, boottime: 5000), "\(seen)")
            #expect(seen["uid"] == "0" && seen["uid_map"] == "0 100000 65536", "\(seen)")
            let user = link("/proc/\(pid)/ns/user")
            let owner = try box.aside(["lsns", "-n", "-o", "ONS", "-t", "time", "-p", "\(pid)"]).wait().stdout
            #expect(owner.trimmingCharacters(in: .whitespacesAndNewlines) == user, "\(owner) \(user)")
        }

        @Test func offsetsHoldBesideAJoinedNamespace() throws {
            let box = try Sandbox.current
            let holder = try box.aside(["unshare", "--uts", "sh", "-c", "echo ready; exec sleep 1000"])
            #expect(holder.says("ready"))
            let seen = try box.run(
                try box.bundle("clock", "ns") {
                    $0["hostname"] = nil
                    $0.namespace("uts", path: "/proc/\(holder.pid)/ns/uts")
                    $0.namespace("time")
                    try $0.set("linux.timeOffsets", json: #"{"boottime": {"secs": 5000}}"#)
                })
            #expect(isOff(seen, monotonic: 0, boottime: 5000), "\(seen)")
            #expect(seen["ns.uts"] == link("/proc/\(holder.pid)/ns/uts"), "\(seen)")
        }

        @Test func offsetsHoldThroughCreateAndStart() throws {
            let box = try Sandbox.current
            let running = try box.create(
                try box.bundle("clock") {
                    $0.namespace("time")
                    try $0.set("linux.timeOffsets", json: #"{"monotonic": {"secs": 5000}, "boottime": {"secs": 5000}}"#)
                })
            try box.ok("start", box.id)
            #expect(eventually(10) { running.facts["boottime"] != nil })
            let seen = Outcome(command: [], status: 0, stdout: running.stdout, stderr: running.stderr)
            #expect(isOff(seen, monotonic: 5000, boottime: 5000), "\(seen)")
            #expect(box.becomes("stopped"))
            try box.ok("delete", box.id)
        }

        @Test(arguments: [
            (
                #"{"monotonic": {"secs": -9000000000}}"#,
                "linux.timeOffsets.monotonic -9000000000 s 0 ns: the clock would not"
            ),
            (
                #"{"boottime": {"secs": 9000000000}}"#,
                "linux.timeOffsets.boottime 9000000000 s 0 ns: the clock would not"
            ),
            (#"{"boottime": {"secs": 9223372037}}"#, "linux.timeOffsets.boottime.secs: must be"),
            (#"{"boottime": {"nanosecs": 1000000000}}"#, "linux.timeOffsets.boottime.nanosecs: must be 0 to 999999999"),
            (#"{"boottime": {"nanosecs": -1}}"#, "linux.timeOffsets.boottime.nanosecs"),
            (#"{"boottime": {"secs": 1.5}}"#, "linux.timeOffsets.boottime.secs"),
            (#"{"realtime": {"secs": 1}}"#, "linux.timeOffsets"),
        ])
        func mistakesNameTheirField(json: String, text: String) throws {
            let line = try Sandbox.current.refuse {
                $0.namespace("time")
                try $0.set("linux.timeOffsets", json: json)
            }
            #expect(line.contains(text), "\(line)")
        }

        @Test func offsetsNeedATimeNamespace() throws {
            let line = try Sandbox.current.refuse {
                try $0.set("linux.timeOffsets", json: #"{"monotonic": {"secs": 1}}"#)
            }
            #expect(line.contains("linux.timeOffsets: needs a time namespace"), "\(line)")
        }

        @Test func offsetsOfAJoinedNamespaceAreRefused() throws {
            let line = try Sandbox.current.refuse {
                $0.namespace("time", path: "/proc/self/ns/time")
                try $0.set("linux.timeOffsets", json: #"{"monotonic": {"secs": 1}}"#)
            }
            #expect(line.contains("linux.timeOffsets: cannot be set"), "\(line)")
        }
    }

    /// linux.uidMappings and linux.gidMappings
    @Suite struct UserNamespaces {
        private func run(_ verbs: String..., edit: (inout Config) throws -> Void = { _ in }) throws -> Outcome {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/probe"] + verbs) {
                $0.userNamespace()
                try edit(&$0)
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome
        }

        @Test func theMappingsAreAsConfigured() throws {
            let seen = try run("userns", "ids")
            #expect(seen["uid_map"] == "0 100000 65536" && seen["gid_map"] == "0 100000 65536", "\(seen)")
            #expect(seen["uid"] == "0" && seen["gid"] == "0" && seen["groups"] == "", "\(seen)")
        }

        @Test func severalLinesOfMappingsHold() throws {
            let seen = try run("userns", "ids", "stat:/etc/passwd") {
                let lines =
                    #"[{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 10, "hostID": 200000, "size": 5}]"#
                try $0.set("linux.uidMappings", json: lines)
                try $0.set("linux.gidMappings", json: lines)
                $0["process.user"] = ["uid": 12, "gid": 13]
            }
            #expect(seen["uid_map"] == "0 100000 10,10 200000 5", "\(seen)")
            #expect(
                seen["uid"] == "12" && seen["gid"] == "13" && seen["stat./etc/passwd"]?.hasSuffix("0:0") == true,
                "\(seen)")
        }

        @Test func anotherUserHasItsGroups() throws {
            let seen = try run("ids") { $0["process.user"] = ["uid": 1000, "gid": 1001, "additionalGids": [5, 1002]] }
            #expect(seen["uid"] == "1000" && seen["gid"] == "1001" && seen["groups"] == "5 1002", "\(seen)")
        }

        @Test func onTheHostTheProcessIsTheMappedUser() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { $0.userNamespace() }
            try bundle.chown(to: 100_000)
            _ = try box.create(bundle)
            let pid = try #require(try box.state()["pid"] as? Int)
            try box.ok("start", box.id)
            #expect(eventually(5) { Leftovers.lines("/proc/\(pid)/cmdline").first?.hasPrefix("/probe") == true })
            let uids = Leftovers.lines("/proc/\(pid)/status").first { $0.hasPrefix("Uid:") }
            #expect(uids?.split(separator: "\t").last == "100000", "\(uids ?? "")")
        }

        @Test func theDevicesAreThere() throws {
            let seen = try run(
                "stat:/dev/null", "write:/dev/null:x", "read:/dev/zero", "open:/dev/ptmx:rw", "stat:/dev/tty")
            #expect(seen["stat./dev/null"]?.hasSuffix("1:3") == true && seen["write./dev/null"] == "ok", "\(seen)")
            #expect(seen["open./dev/ptmx"] == "ok" && seen["stat./dev/tty"]?.hasSuffix("5:0") == true, "\(seen)")
        }

        @Test func theMountsAreThere() throws {
            let seen = try run(
                "mount:/proc", "mount:/sys", "mount:/dev/mqueue", "mount:/dev/pts", "mqueue", "create:/dev/shm/x"
            ) {
                $0.namespace("cgroup")
                $0.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "ro"])
            }
            #expect(seen["mount./proc.type"] == "proc" && seen["mount./sys.type"] == "sysfs", "\(seen)")
            #expect(
                seen["mount./dev/pts.type"] == "devpts" && seen["mqueue"] == "ok" && seen["create./dev/shm/x"] == "ok",
                "\(seen)")
        }

        @Test func aSourceThatOnlyTheHostsRootReachesIsMounted() throws {
            let box = try Sandbox.current
            try box.folder("private", mode: 0o700)
            try box.folder("private/data")
            try box.file("private/data/hello", "world")
            let seen = try run("read:/data/hello") {
                $0.addMount("/data", type: "none", source: box.path("private/data"), options: ["rbind"])
            }
            #expect(seen["read./data/hello"] == "world", "\(seen)")
        }

        @Test func mappingsNeedAUserNamespace() throws {
            let line = try Sandbox.current.refuse {
                $0["linux.uidMappings"] = [["containerID": 0, "hostID": 100_000, "size": 10]]
                $0["linux.gidMappings"] = [["containerID": 0, "hostID": 100_000, "size": 10]]
            }
            #expect(line.contains("idMappings") && line.contains("user"), "\(line)")
        }

        @Test func halfOfTheMappingsIsRefused() throws {
            let line = try Sandbox.current.refuse {
                $0.namespace("user")
                $0["linux.uidMappings"] = [["containerID": 0, "hostID": 100_000, "size": 10]]
            }
            #expect(line.contains("linux.gidMappings"), "\(line)")
        }

        @Test func anEmptyRangeIsRefused() throws {
            let line = try Sandbox.current.refuse { $0.userNamespace(size: 0) }
            #expect(line.contains("idMappings[0].size"), "\(line)")
        }

        @Test func aUserWithoutAMappingIsRefused() throws {
            let line = try Sandbox.current.refuse {
                $0.userNamespace(size: 10)
                $0["process.user"] = ["uid": 1000, "gid": 0]
            }
            #expect(line.contains("process.user.uid") && line.contains("1000"), "\(line)")
        }
    }
}
