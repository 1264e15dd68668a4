import Foundation
import Glibc
import Testing

extension AllTests {
    /// events
    @Suite struct Events {
        private func running(
            _ box: Sandbox, edit: (inout Config) throws -> Void = { _ in }
        ) throws {
            let created = try box.create(try box.bundle("hang", edit: edit))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
        }

        private func events(_ text: String) throws -> [[String: Any]] {
            try text.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            }
        }

        private func data(_ event: [String: Any]?) throws -> [String: Any] {
            try #require(event?["data"] as? [String: Any])
        }

        /// go-runc: `events --stats ID`.
        @Test func statsPrintsOneEvent() throws {
            let box = try Sandbox.current
            try running(box)
            let outcome = try box.ok("events", "--stats", box.id)
            #expect(outcome.stderr == "")
            let seen = try events(outcome.stdout)
            #expect(seen.count == 1 && seen[0]["type"] as? String == "stats" && seen[0]["id"] as? String == box.id)
            let data = try data(seen.first)
            #expect(
                Set(data.keys) == [
                    "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces",
                ])
            let cpu = try #require(data["cpu"] as? [String: Any])
            let usage = try #require(cpu["usage"] as? [String: Any])
            let total = try #require(usage["total"] as? Int, "every v2 cgroup counts the time")
            #expect(total > 0 && total % 1000 == 0, "nanoseconds, counted in microseconds")
            #expect(usage["kernel"] is Int && usage["user"] is Int && cpu["throttling"] is [String: Any])
            let memory = try #require(data["memory"] as? [String: Any])
            for key in ["usage", "swap", "kernel", "kernelTCP"] {
                let entry = try #require(memory[key] as? [String: Any], "\(key)")
                #expect(entry["limit"] != nil && entry["failcnt"] != nil)
            }
            let interfaces = try #require(data["network_interfaces"] as? [[String: Any]])
            #expect(interfaces.map { $0["Name"] as? String } == ["lo"], "a network of its own has the loopback device")
        }

        @Test(.needsControllers("hugetlb"))
        func hugePagesAreCounted() throws {
            let box = try Sandbox.current
            try running(box) {
                try $0.set("linux.resources", json: #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}"#)
            }
            let seen = try events(try box.ok("events", "--stats", box.id).stdout)
            let pages = try #require(try data(seen.first)["hugetlb"] as? [String: Any])
            let entry = try #require(pages["2MB"] as? [String: Any], "\(pages)")
            #expect(entry["usage"] as? Int == 0 && entry["failcnt"] as? Int == 0)
        }

        @Test func theHostsNetworkIsNotTheContainers() throws {
            let box = try Sandbox.current
            try running(box) { $0.dropNamespace("network") }
            let seen = try events(try box.ok("events", "--stats", box.id).stdout)
            #expect((try data(seen.first)["network_interfaces"] as? [Any])?.isEmpty == true)
        }

        /// go-runc: `events --interval=5s ID`; here with less, to see several.
        @Test(arguments: [["--interval=20ms"], ["--interval", "20ms"], ["-interval", "0.02s"]])
        func eventsComeAtTheInterval(flags: [String]) throws {
            let box = try Sandbox.current
            try running(box)
            let watch = try box.begin(["--root", box.root, "events"] + flags + [box.id])
            #expect(eventually(10) { watch.stdout.split(separator: "\n").count >= 3 })
            #expect(!watch.hasEnded())
            try box.ok("kill", box.id, "KILL")
            let outcome = watch.wait(seconds: 10)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            let seen = try events(outcome.stdout)
            #expect(seen.allSatisfy { $0["type"] as? String == "stats" && $0["id"] as? String == box.id })
        }

        /// Long before the interval is over.
        @Test func endsWithTheContainer() throws {
            let box = try Sandbox.current
            try running(box)
            let watch = try box.begin(["--root", box.root, "events", "--interval", "1h", box.id])
            #expect(watch.says(#""type":"stats""#), "the first line comes at once")
            try box.ok("delete", "--force", box.id)
            let outcome = watch.wait(seconds: 10)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(try events(outcome.stdout).count == 1)
        }

        @Test func endsWhenTheReaderIsGone() throws {
            let box = try Sandbox.current
            try running(box)
            var ends: [Int32] = [-1, -1]
            #expect(pipe(&ends) == 0)
            let watch = try box.begin(
                ["--root", box.root, "events", "--interval", "1h", box.id], Surroundings(descriptors: [nil, ends[1]]))
            close(ends[1])
            var byte: UInt8 = 0
            #expect(read(ends[0], &byte, 1) == 1 && byte == UInt8(ascii: "{"))
            close(ends[0])
            let outcome = watch.wait(seconds: 10)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
        }

        @Test func statsWorkBeforeTheStartAndWhilePaused() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("hang"))
            #expect(try events(try box.ok("events", "--stats", box.id).stdout).count == 1)
            try box.ok("pause", box.id)
            #expect(try events(try box.ok("events", "--stats", box.id).stdout).count == 1)
        }

        @Test func aStoppedContainerHasNoEvents() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            for flags in [["--stats"], []] {
                let outcome = try box.plain(["--root", box.root, "events"] + flags + [box.id])
                #expect(
                    outcome.status == 1 && outcome.stderr.contains("container with id \(box.id) is not running"),
                    "\(outcome)")
                #expect(outcome.stdout == "" && outcome.complaints.count == 1, "\(outcome)")
            }
        }

        @Test func eventsNeedACgroup() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let created = try box.plain([
                "--root", box.root, "--cgroup-manager", "disabled", "create", "--bundle", bundle.directory, box.id,
            ])
            #expect(created.status == 0, "\(created)")
            let outcome = try box.runtime("events", "--stats", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("the container has no cgroup"), "\(outcome)")
        }

        @Test(arguments: ["0", "0s", "-5s", "5x", "", "s", "1.5"])
        func malformedIntervalsAreRefused(text: String) throws {
            let box = try Sandbox.current
            let outcome = try box.runtime("events", "--interval", text, box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("Incorrect Usage"), "\(outcome)")
        }

        /// The container runs out of its memory: the news comes before the end.
        @Test(.needsControllers("memory"))
        func runningOutOfMemoryIsAnEvent() throws {
            let box = try Sandbox.current
            let created = try box.create(
                try box.bundle(args: ["/bin/sh", "-c", "echo ready; sleep 1; x=xxxxxxxx; while :; do x=$x$x; done"]) {
                    try $0.set("linux.resources.memory", json: #"{"limit": 16777216, "swap": 16777216}"#)
                })
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let watch = try box.begin(["--root", box.root, "events", "--interval", "1h", box.id])
            let outcome = watch.wait(seconds: 20)
            #expect(outcome.status == 0 && outcome.stdout.contains(#"{"type":"oom","id":"\#(box.id)"}"#), "\(outcome)")
        }
    }
}
