import Foundation
import Testing

extension AllTests {
    /// linux.resources as the kernel's files say it afterwards. Specification: config-linux.md, "Control groups"; the
    /// kernel's cgroup-v2.rst. Like ``Limits`` they need the controllers of cgroup v2.
    @Suite struct Conversions {
        /// What a configuration says, what the files of the cgroup say then.
        struct Row: CustomTestStringConvertible, Sendable {
            let json: String
            let files: [String: String]
            var version = "1.3.0"
            /// The controllers that it needs, by the names of the files.
            var controllers: Set<String> { Set(files.keys.map { String($0.prefix { $0 != "." }) }) }
            var testDescription: String { json }

            init(_ json: String, _ files: [String: String], version: String = "1.3.0") {
                self.json = json
                self.files = files
                self.version = version
            }
        }

        static let processor: [Row] = [
            Row(#"{"cpu": {"shares": 0}}"#, ["cpu.weight": "100"]),
            Row(#"{"cpu": {"shares": 1}}"#, ["cpu.weight": "1"]),
            Row(#"{"cpu": {"shares": 2}}"#, ["cpu.weight": "1"]),
            Row(#"{"cpu": {"shares": 512}}"#, ["cpu.weight": "59"]),
            Row(#"{"cpu": {"shares": 1024}}"#, ["cpu.weight": "100"]),
            Row(#"{"cpu": {"shares": 2048}}"#, ["cpu.weight": "174"]),
            Row(#"{"cpu": {"shares": 262144}}"#, ["cpu.weight": "10000"]),
            Row(#"{"cpu": {"shares": 300000}}"#, ["cpu.weight": "10000"]),
            Row(#"{"cpu": {"quota": 50000}}"#, ["cpu.max": "50000 100000"]),
            Row(#"{"cpu": {"quota": 50000, "period": 200000}}"#, ["cpu.max": "50000 200000"]),
            Row(#"{"cpu": {"period": 50000}}"#, ["cpu.max": "max 50000"]),
            Row(#"{"cpu": {"quota": -1}}"#, ["cpu.max": "max 100000"]),
            Row(#"{"cpu": {"quota": 0, "period": 20000}}"#, ["cpu.max": "max 20000"]),
            Row(#"{"cpu": {"quota": 50000, "burst": 20000}}"#, ["cpu.max": "50000 100000", "cpu.max.burst": "20000"]),
            Row(#"{"cpu": {"idle": 1}}"#, ["cpu.idle": "1"]),
            Row(#"{"cpu": {"idle": 0, "shares": 512}}"#, ["cpu.idle": "0", "cpu.weight": "59"]),
            Row(#"{"cpu": {"cpus": "0", "mems": "0"}}"#, ["cpuset.cpus": "0", "cpuset.mems": "0"]),
        ]

        static let memory: [Row] = [
            Row(#"{"memory": {"limit": 67108864}}"#, ["memory.max": "67108864", "memory.swap.max": "max"]),
            Row(#"{"memory": {"limit": -1}}"#, ["memory.max": "max"]),
            Row(#"{"memory": {"limit": 0}}"#, ["memory.max": "max"]),
            Row(
                #"{"memory": {"limit": 67108864, "swap": 100663296}}"#,
                ["memory.max": "67108864", "memory.swap.max": "33554432"]),
            Row(
                #"{"memory": {"limit": 67108864, "swap": 67108864}}"#,
                ["memory.max": "67108864", "memory.swap.max": "0"]),
            Row(#"{"memory": {"limit": 67108864, "swap": -1}}"#, ["memory.swap.max": "max"]),
            Row(#"{"memory": {"limit": -1, "swap": -1}}"#, ["memory.max": "max", "memory.swap.max": "max"]),
            Row(#"{"memory": {"reservation": 33554432}}"#, ["memory.low": "33554432"]),
            Row(#"{"memory": {"reservation": -1}}"#, ["memory.low": "max"]),
            Row(#"{"memory": {"limit": 67108864, "useHierarchy": true}}"#, ["memory.max": "67108864"]),
        ]

        static let others: [Row] = [
            Row(#"{"pids": {"limit": 10}}"#, ["pids.max": "10"]),
            Row(#"{"pids": {"limit": -1}}"#, ["pids.max": "max"]),
            // 0 was "no limit" before version 1.3.
            Row(#"{"pids": {"limit": 0}}"#, ["pids.max": "max"], version: "1.2.0"),
            Row(
                #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}"#,
                ["hugetlb.2MB.max": "4194304", "hugetlb.2MB.rsvd.max": "4194304"]),
            Row(#"{"unified": {"memory.high": "33554432"}}"#, ["memory.high": "33554432"]),
            Row(#"{"unified": {"memory.min": "1048576"}}"#, ["memory.min": "1048576"]),
            Row(#"{"unified": {"memory.oom.group": "1"}}"#, ["memory.oom.group": "1"]),
            Row(#"{"unified": {"cpu.weight": "77"}}"#, ["cpu.weight": "77"]),
            // Applied last.
            Row(#"{"pids": {"limit": 10}, "unified": {"pids.max": "12"}}"#, ["pids.max": "12"]),
            Row(
                #"{"memory": {"limit": 67108864}, "pids": {"limit": 5}, "cpu": {"shares": 2, "quota": 10000}}"#,
                ["memory.max": "67108864", "pids.max": "5", "cpu.weight": "1", "cpu.max": "10000 100000"]),
        ]

        private func check(_ row: Row) throws {
            let box = try Sandbox.current
            _ = try box.create(
                try box.bundle("hang") {
                    $0["ociVersion"] = row.version
                    $0["linux.cgroupsPath"] = "/" + box.id
                    try $0.set("linux.resources", json: row.json)
                })
            for (file, value) in row.files { #expect(CgroupTree.read("/\(box.id)/\(file)") == value, "\(file)") }
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists("/" + box.id))
        }

        @Test(
            .needsControllers("cpu", "cpuset"),
            arguments: processor)
        func processorTimeIsConverted(row: Row) throws { try check(row) }

        @Test(.needsControllers("memory"), arguments: memory)
        func memoryLimitsAreConverted(row: Row) throws { try check(row) }

        @Test(
            .needsControllers("memory", "pids", "cpu", "hugetlb"), arguments: others)
        func pidsHugepagesAndUnifiedAreConverted(row: Row) throws { try check(row) }

        // MARK: Input and output

        @Test(
            .needsControllers("io"), .needsDisk
        )
        func throttlesAreConverted() throws {
            let disk = try #require(Requirement.disk)
            let number = disk.split(separator: ":")
            let device = #"[{"major": \#(number[0]), "minor": \#(number[1]), "rate": RATE}]"#
            let rates = ["ReadBps": 1_048_576, "WriteBps": 2_097_152, "ReadIOPS": 100, "WriteIOPS": 200]
            let fields = rates.map {
                #""throttle\#($0.key)Device": "# + device.replacingOccurrences(of: "RATE", with: "\($0.value)")
            }
            try check(
                Row(
                    "{\"blockIO\": {\(fields.joined(separator: ", "))}}",
                    ["io.max": "\(disk) rbps=1048576 wbps=2097152 riops=100 wiops=200"]))
            try check(
                Row(
                    #"{"unified": {"io.max": "\#(disk) rbps=4096\n\#(disk) riops=50"}}"#,
                    ["io.max": "\(disk) rbps=4096 wbps=max riops=50 wiops=max"]))
        }

        /// io.bfq.weight takes the weight as it is; without the scheduler BFQ it is io.weight, with another scale.
        @Test(
            .needsControllers("io"), arguments: [10, 500, 1000])
        func weightsAreConverted(weight: Int) throws {
            let box = try Sandbox.current
            _ = try box.create(
                try box.bundle("hang") {
                    $0["linux.cgroupsPath"] = "/" + box.id
                    $0["linux.resources.blockIO.weight"] = weight
                })
            if CgroupTree.exists("/\(box.id)/io.bfq.weight") {
                #expect(CgroupTree.read("/\(box.id)/io.bfq.weight") == "default \(weight)")
            } else {
                #expect(
                    CgroupTree.read("/\(box.id)/io.weight") == "default \([10: 1, 500: 4950, 1000: 10000][weight] ?? 0)"
                )
            }
            try box.ok("delete", "--force", box.id)
        }

        @Test(
            .needsControllers("io"), .needsBFQ)
        func weightsOfDevicesAreConverted() throws {
            let disk = try #require(Requirement.disk)
            let number = disk.split(separator: ":")
            try check(
                Row(
                    #"{"blockIO": {"weight": 300, "weightDevice": [{"major": \#(number[0]), "minor": \#(number[1]), "weight": 700}]}}"#,
                    ["io.bfq.weight": "default 300\n\(disk) 700"]))
        }
    }
}
