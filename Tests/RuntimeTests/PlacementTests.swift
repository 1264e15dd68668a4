import Foundation
import Testing

extension AllTests {
    /// linux.memoryPolicy
    @Suite struct MemoryPolicies {
        /// What get_mempolicy(2) answers on a machine whose only node with memory is 0.
        static let words: [(json: String, mode: String, nodes: String)] = [
            (#"{"mode": "MPOL_DEFAULT"}"#, "0", ""), (#"{"mode": "MPOL_LOCAL"}"#, "4", ""),
            (#"{"mode": "MPOL_PREFERRED"}"#, "4", ""), (#"{"mode": "MPOL_PREFERRED", "nodes": "0"}"#, "1", "0"),
            (#"{"mode": "MPOL_BIND", "nodes": "0"}"#, "2", "0"),
            (#"{"mode": "MPOL_INTERLEAVE", "nodes": "0"}"#, "3", "0"),
            (#"{"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}"#, "5", "0"),
            (#"{"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}"#, "6", "0"),
            (#"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}"#, "32770", "0"),
            (#"{"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}"#, "16387", "0"),
            (#"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}"#, "8194", "0"),
        ]

        @Test(.needsOneMemoryNode, arguments: words.indices)
        func everyModeIsSet(index: Int) throws {
            let (json, mode, nodes) = Self.words[index]
            let seen = try Sandbox.current.look("mempolicy") { try $0.set("linux.memoryPolicy", json: json) }
            #expect(seen["mempolicy"] == mode && seen["mempolicy.nodes"] == nodes, "\(json): \(seen)")
        }

        @Test(.needsOneMemoryNode)
        func aNodeThatTheHostLacksIsAnError() throws {
            let line = try Sandbox.current.refuse {
                try $0.set("linux.memoryPolicy", json: #"{"mode": "MPOL_BIND", "nodes": "1000"}"#)
            }
            #expect(
                line.contains(
                    "linux.memoryPolicy.nodes: invalid memory policy: this machine has no memory node 1000, only 0"),
                "\(line)")
        }

        @Test(.needsOneMemoryNode)
        func aNodeThatTheHostLacksIsLeftOutWithAWarning() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("mempolicy") {
                    try $0.set("linux.memoryPolicy", json: #"{"mode": "MPOL_INTERLEAVE", "nodes": "0-3,1000"}"#)
                })
            #expect(outcome.status == 0 && outcome["mempolicy.nodes"] == "0", "\(outcome)")
            #expect(outcome.stderr.contains("this machine has no memory node 1-3,1000, only 0; left out"), "\(outcome)")
        }

        @Test(arguments: [
            (#"{"mode": "MPOL_BIND"}"#, "linux.memoryPolicy: invalid memory policy: the mode MPOL_BIND needs"),
            (#"{"mode": "MPOL_LOCAL", "nodes": "0"}"#, "linux.memoryPolicy.nodes"),
            (#"{"mode": "MPOL_BIND", "nodes": "0-"}"#, "linux.memoryPolicy.nodes"),
            (#"{"mode": "MPOL_BOUND", "nodes": "0"}"#, "linux.memoryPolicy.mode"),
            (#"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC"]}"#, "linux.memoryPolicy.flags[0]"),
            (
                #"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}"#,
                "linux.memoryPolicy.flags"
            ),
        ])
        func mistakesNameTheirField(json: String, field: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("linux.memoryPolicy", json: json) }
            #expect(line.contains(field) && line.contains(": invalid memory policy"), "\(line)")
        }
    }

    /// On which CPUs the init runs, and process.execCPUAffinity, which is for `exec` only
    @Suite struct CPUAffinities {
        @Test(.needsTwoCPUs)
        func theCallersMaskIsNotTheContainers() throws {
            let all = ProcessInfo.processInfo.activeProcessorCount
            let seen = try Sandbox.current.look("affinity", with: Surroundings(prefix: ["taskset", "-c", "0"]))
            #expect(seen["affinity"] == "\(all)", "\(seen)")
        }

        @Test func theAffinityIsForExecOnly() throws {
            let all = ProcessInfo.processInfo.activeProcessorCount
            let seen = try Sandbox.current.look("affinity") {
                try $0.set("process.execCPUAffinity", json: #"{"initial": "0", "final": "0"}"#)
            }
            #expect(seen["affinity"] == "\(all)", "\(seen)")
        }

        @Test(arguments: [
            (#"{"initial": "3-1"}"#, "process.execCPUAffinity.initial: the range 3-1 runs backwards"),
            (#"{"final": "0-99999"}"#, "process.execCPUAffinity.final: names CPU 99999"),
            (#"{"final": "1-"}"#, "process.execCPUAffinity.final: expected a list"),
            (#"{"initial": "all"}"#, "process.execCPUAffinity.initial: expected a list"),
            (#"{"initial": 3}"#, "process.execCPUAffinity.initial: expected a string"),
        ])
        func mistakesNameTheirField(json: String, text: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("process.execCPUAffinity", json: json) }
            #expect(line.contains(text), "\(line)")
        }
    }
}
