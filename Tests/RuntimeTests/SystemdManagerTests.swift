import Foundation
import Glibc
import Testing

extension AllTests {
    /// --systemd-cgroup
    @Suite(.needsSystemd)
    struct SystemdManager {
        private static let limits = """
            {"memory": {"limit": 33554432, "reservation": 16777216}, "pids": {"limit": 23}, "unified": {"memory.high": "31457280"}}
            """

        /// What of the limits systemd says, and what the kernel's files do.
        private func both(_ box: Sandbox, _ cgroup: String) throws -> (unit: [String: String], files: [String: String])
        {
            let unit = try box.show(box.unit, "MemoryMax", "MemoryLow", "MemoryHigh", "TasksMax")
            var files: [String: String] = [:]
            let names = [
                "MemoryMax": "memory.max", "MemoryLow": "memory.low", "MemoryHigh": "memory.high",
                "TasksMax": "pids.max",
            ]
            for (name, file) in names { files[name] = CgroupTree.read("\(cgroup)/\(file)") }
            return (unit, files)
        }

        @Test func theScopeHasTheConfiguredName() throws {
            let box = try Sandbox.current
            let cgroup = try box.begun(try box.scoped("hang"))
            #expect(cgroup.hasSuffix("\(Systemd.isUser ? "user" : "system").slice/\(box.unit)"), "\(cgroup)")
            let state = try box.state()
            #expect(state["systemd-scope"] as? String == box.unit)
            let pid = try #require(state["pid"] as? Int)
            #expect(Leftovers.lines("/proc/\(pid)/cgroup").contains("0::\(cgroup)"))
            let unit = try box.show(box.unit, "ActiveState", "Delegate", "Description")
            #expect(unit == ["ActiveState": "active", "Delegate": "yes", "Description": "runbox container"])
            try box.ok("delete", "--force", box.id)
            try box.expectNoUnit()
            #expect(!CgroupTree.exists(cgroup))
        }

        @Test func unitAndCgroupHaveTheSameLimits() throws {
            let box = try Sandbox.current
            let cgroup = try box.begun(try box.scoped("hang") { try $0.set("linux.resources", json: Self.limits) })
            let made = try both(box, cgroup)
            #expect(
                made.unit == [
                    "MemoryMax": "33554432", "MemoryLow": "16777216", "MemoryHigh": "31457280", "TasksMax": "23",
                ])
            #expect(made.files == made.unit)
            let update = try box.runtime(
                "update", "--memory", "67108864", "--pids-limit", "40", box.id, with: Systemd.surroundings)
            #expect(update.status == 0, "\(update)")
            let changed = try both(box, cgroup)
            #expect(
                changed.unit == [
                    "MemoryMax": "67108864", "MemoryLow": "16777216", "MemoryHigh": "31457280", "TasksMax": "40",
                ])
            #expect(changed.files == changed.unit)
            #expect(try box.systemctl("daemon-reload").status == 0)
            let reloaded = try both(box, cgroup)
            #expect(reloaded.unit == changed.unit && reloaded.files == changed.unit)
        }

        /// What the kernel refuses, systemd does not believe either.
        @Test func aRefusedUpdateChangesNothing() throws {
            let box = try Sandbox.current
            let cgroup = try box.begun(try box.scoped("hang") { try $0.set("linux.resources", json: Self.limits) })
            let before = try both(box, cgroup)
            let file = try box.file("update.json", #"{"pids":{"limit":7},"unified":{"memory.high":"nonsense"}}"#)
            let outcome = try box.runtime("update", "--resources", file, box.id, with: Systemd.surroundings)
            #expect(outcome.status == 1 && outcome.stderr.contains("memory.high"), "\(outcome)")
            let after = try both(box, cgroup)
            #expect(after.unit == before.unit && after.files == before.files)
        }

        @Test(.needsSystemManager("a user's systemd has seldom the controllers cpu and cpuset"))
        func processorLimitsAreTheUnits() throws {
            let box = try Sandbox.current
            let cgroup = try box.begun(
                try box.scoped("hang") {
                    try $0.set(
                        "linux.resources.cpu",
                        json: #"{"shares": 512, "quota": 33333, "period": 100000, "cpus": "0", "mems": "0"}"#)
                })
            // Rounded up to what systemd can say.
            #expect(CgroupTree.read(cgroup + "/cpu.max") == "34000 100000")
            #expect(CgroupTree.read(cgroup + "/cpu.weight") == "59")
            #expect(CgroupTree.read(cgroup + "/cpuset.cpus") == "0")
            let unit = try box.show(
                box.unit, "CPUWeight", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "AllowedCPUs", "AllowedMemoryNodes")
            #expect(
                unit == [
                    "CPUWeight": "59", "CPUQuotaPerSecUSec": "340ms", "CPUQuotaPeriodUSec": "100ms", "AllowedCPUs": "0",
                    "AllowedMemoryNodes": "0",
                ])
        }

        @Test func slicesAreNestedByTheirNames() throws {
            let box = try Sandbox.current
            let cgroup = try box.begun(
                try box.scoped("hang") { $0["linux.cgroupsPath"] = "rbt-\(box.id)-deep.slice:rbt:\(box.id)" })
            #expect(
                cgroup.hasSuffix("/rbt.slice/rbt-\(box.id).slice/rbt-\(box.id)-deep.slice/\(box.unit)"), "\(cgroup)")
            try box.ok("delete", "--force", box.id)
            // Slices are systemd's to keep; these are nobody's any more.
            for slice in ["rbt-\(box.id)-deep.slice", "rbt-\(box.id).slice"] { _ = try box.systemctl("stop", slice) }
        }

        @Test func annotationsAreProperties() throws {
            let box = try Sandbox.current
            _ = try box.begun(
                try box.scoped("hang") {
                    $0["annotations"] = [
                        "org.systemd.property.TimeoutStopSec": "uint64 7",
                        "org.systemd.property.CollectMode": "'inactive-or-failed'",
                        "org.systemd.property.Description": "'my container'",
                    ]
                })
            let unit = try box.show(box.unit, "TimeoutStopUSec", "CollectMode", "Description")
            #expect(
                unit == ["TimeoutStopUSec": "7s", "CollectMode": "inactive-or-failed", "Description": "my container"])
        }

        @Test(arguments: [
            ("org.systemd.property.TimeoutStopSec", "'x'", "number of seconds"),
            ("org.systemd.property.PIDs", "[uint32 1]", "set by runbox itself"),
            ("org.systemd.property.A-B", "1", "letters and digits"),
            ("org.systemd.property.Nonsense", "true", "Nonsense"),
            ("run.oci.systemd.subgroup", "a/b", "below the scope"),
        ])
        func refusedAnnotationsAreErrors(name: String, value: String, word: String) throws {
            let box = try Sandbox.current
            let bundle = try box.scoped("say:it ran") { $0["annotations"] = [name: value] }
            let line = try box.refused(try box.scope(["run", "--bundle", bundle.directory, box.id]))
            #expect(line.contains(word), "\(line)")
            try box.expectNoUnit()
        }

        @Test func theContainerLivesInACgroupBelowTheScope() throws {
            let box = try Sandbox.current
            let cgroup = try box.begun(
                try box.scoped("hang") {
                    $0["annotations"] = ["run.oci.systemd.subgroup": "container"]
                    try $0.set("linux.resources", json: Self.limits)
                })
            let pid = try #require(try box.state()["pid"] as? Int)
            #expect(Leftovers.lines("/proc/\(pid)/cgroup").contains("0::\(cgroup)/container"))
            #expect(CgroupTree.read(cgroup + "/pids.max") == "23")
            let exec = try box.runtime("exec", box.id, "/bin/cat", "/proc/self/cgroup")
            #expect(exec.stdout.contains("container"), "\(exec)")
            try box.ok("delete", "--force", box.id)
            try box.expectNoUnit()
        }

        @Test func everyCommandWorksOnAScope() throws {
            let box = try Sandbox.current
            _ = try box.begun(try box.scoped("child", "wait:TERM:0"))
            #expect(try box.runtime("exec", box.id, "/probe", "say:here").stdout == "here\n")
            try box.ok("pause", box.id)
            #expect(try box.status() == "paused")
            try box.ok("resume", box.id)
            #expect(try box.ok("ps", "-f", "json", box.id).stdout.split(separator: ",").count == 2)
            try box.ok("kill", box.id, "TERM")
            #expect(box.becomes("stopped"))
            try box.ok("delete", box.id)
            try box.expectNoUnit()
        }

        @Test func aForegroundRunLeavesNoUnit() throws {
            let box = try Sandbox.current
            let bundle = try box.scoped("say:hello", "exit:7")
            let outcome = try box.scope(["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 7 && outcome.stdout == "hello\n" && outcome.stderr == "", "\(outcome)")
            try box.expectNoUnit()
        }

        @Test func aFailedCreationLeavesNoUnit() throws {
            let box = try Sandbox.current
            let bundle = try box.scoped("say:it ran") { $0["process.args"] = ["/nothing"] }
            try box.refused(try box.scope(["run", "--bundle", bundle.directory, box.id]), status: 127)
            try box.expectNoUnit()
        }

        @Test func aUnitThatIsNotTheContainersIsNotTouched() throws {
            let box = try Sandbox.current
            let words =
                ["systemd-run"] + (Systemd.isUser ? ["--user"] : []) + ["--scope", "--unit", box.unit, "sleep", "60"]
            let other = try box.aside(words, Systemd.surroundings)
            #expect(eventually(20) { (try? box.show(box.unit, "ActiveState")["ActiveState"]) == "active" })
            let bundle = try box.scoped("say:it ran")
            let outcome = try box.scope(["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 1 && outcome.stderr.contains("systemctl stop \(box.unit)"), "\(outcome)")
            #expect(!other.hasEnded())
            _ = try box.systemctl("stop", box.unit)
            _ = other.wait()
        }

        /// A unit that has failed keeps its name until somebody resets it.
        @Test func aFailedUnitIsResetAndUsed() throws {
            let box = try Sandbox.current
            let words =
                ["systemd-run"] + (Systemd.isUser ? ["--user"] : [])
                + ["--scope", "--unit", box.unit, "-p", "RuntimeMaxSec=1", "sleep", "60"]
            _ = try box.aside(words, Systemd.surroundings).wait()
            #expect(eventually(20) { (try? box.show(box.unit, "ActiveState")["ActiveState"]) == "failed" })
            let bundle = try box.scoped("say:hello")
            let outcome = try box.scope(["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
            try box.expectNoUnit()
        }

        /// Both programs judge, systemd's and runbox's: systemd's list cannot say the denial, and runbox's stands
        /// when systemd installs its own anew.
        @Test(.needsSystemManager("device programs are root's"))
        func deviceRulesHoldAfterAReload() throws {
            let box = try Sandbox.current
            _ = try box.begun(
                try box.scoped("hang") {
                    for set in ["bounding", "effective", "permitted"] {
                        $0["process.capabilities.\(set).+"] = "CAP_MKNOD"
                    }
                    $0["process.noNewPrivileges"] = false
                    try $0.set(
                        "linux.resources.devices",
                        json: """
                            [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "access": "rw"},
                             {"allow": false, "type": "c", "major": 10, "minor": 229, "access": "w"}]
                            """)
                })
            let unit = try box.show(box.unit, "DevicePolicy", "DeviceAllow")
            #expect(unit["DevicePolicy"] == "strict", "\(unit)")
            // Opening a device that no driver has ends with ENXIO or ENODEV, if the programs let it come so far.
            func answers() throws -> [String] {
                let script = """
                    cd /tmp; [ -e vda ] || { mknod vda b 254 0; mknod fuse c 10 229; mknod other c 10 250; }
                    for f in other fuse; do true 2>&1 < $f | sed 's/.*: //'; done
                    (true > fuse) 2>&1 | sed 's/.*: //'; (true < vda) 2>&1 | sed 's/.*: //'; (true < /dev/zero) && echo zero
                    """
                let outcome = try box.runtime("exec", box.id, "/bin/busybox", "sh", "-c", script)
                return outcome.stdout.split(separator: "\n").map(String.init)
            }
            let before = try answers()
            #expect(before.last == "zero" && before.filter { $0 == "Operation not permitted" }.count == 2, "\(before)")
            #expect(try box.systemctl("daemon-reload").status == 0)
            #expect(try answers() == before)
            #expect(try box.systemctl("set-property", "--runtime", box.unit, "TasksMax=50").status == 0)
            #expect(try answers() == before)
        }

        /// The counters go with the cgroup, which systemd takes away at once; the kernel's log remembers.
        @Test(.needsSystemManager("the kernel's log is root's"))
        func runningOutOfMemoryIsExplained() throws {
            let box = try Sandbox.current
            let bundle = try box.scoped {
                $0["process.args"] = ["/bin/busybox", "tail", "/dev/zero"]
                try $0.set("linux.resources", json: #"{"memory": {"limit": 20971520, "swap": 20971520}}"#)
            }
            let outcome = try box.scope(["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 137, "\(outcome)")
            #expect(
                outcome.stderr.contains("lack of memory: linux.resources.memory.limit is 20971520 bytes"), "\(outcome)")
            try box.expectNoUnit()
        }

        /// systemd takes the cgroup away with the last process; who is asked afterwards finds no other container's.
        @Test func aNameCanBeUsedAgain() throws {
            let box = try Sandbox.current
            _ = try box.begun(try box.scoped("exit:0"))
            #expect(box.becomes("stopped"))
            let second = try box.scoped("hang")
            let running = try box.begin(
                ["--root", box.root, "--systemd-cgroup", "run", "-d", "--bundle", second.directory, box.id("b")],
                Systemd.surroundings)
            #expect(running.wait().status == 0, "\(running.stderr)")
            let outcome = try box.runtime("delete", "--force", box.id, with: Systemd.surroundings)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try box.status(box.id("b")) == "running")
            #expect(try box.show(box.unit, "ActiveState")["ActiveState"] == "active")
            try box.ok("delete", "--force", box.id("b"))
            try box.expectNoUnit()
        }

        /// On systemd's own socket each caller gets the signals of all units: who reads them slowly has no answer in
        /// time when this many begin together.
        @Test func manyContainersBeginAtOnce() throws {
            let box = try Sandbox.current
            let running = try (1...25).map { number in
                let id = box.id("m\(number)")
                let bundle = try box.scoped("exit:0") { $0["linux.cgroupsPath"] = ":rbt:\(id)" }
                return try box.begin(
                    ["--root", box.root, "--systemd-cgroup", "run", "--bundle", bundle.directory, id],
                    Systemd.surroundings)
            }
            for one in running { #expect(one.wait(seconds: 120).status == 0, "\(one.stderr)") }
            try box.expectNoUnit()
        }
    }
}
