import Foundation
import Testing

extension AllTests {
    /// ps
    @Suite struct ProcessList {
        /// The rows of a table as their columns.
        private func rows(_ text: String) -> [[String]] {
            text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        }

        private func running(_ box: Sandbox, edit: (inout Config) throws -> Void = { _ in }) throws -> [Int] {
            let created = try box.create(try box.bundle("child", "hang", edit: edit))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            return try numbers(try box.ok("ps", "--format", "json", box.id))
        }

        private func numbers(_ outcome: Outcome) throws -> [Int] {
            try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [Int], "\(outcome)")
        }

        /// go-runc: `ps --format json ID`.
        @Test func psPrintsTheProcessesAsJSON() throws {
            let box = try Sandbox.current
            let pids = try running(box)
            let pid = try #require(try box.state()["pid"] as? Int)
            #expect(pids.count == 2 && pids.contains(pid) && pids == pids.sorted())
            for words in [
                ["ps", "-f", "json", box.id], ["ps", "--format=json", box.id], ["ps", "-format", "json", box.id],
            ] {
                let outcome = try box.plain(["--root", box.root] + words)
                #expect(try numbers(outcome) == pids && outcome.stderr == "", "\(outcome)")
                #expect(outcome.stdout.filter { $0 == "\n" }.count == 1, "one line: \(outcome)")
            }
        }

        @Test(.needsProgram("ps"))
        func psPrintsTheProcessesAsATable() throws {
            let box = try Sandbox.current
            let pids = try running(box)
            let outcome = try box.ok("ps", box.id)
            let table = rows(outcome.stdout)
            #expect(table.first?.prefix(3) == ["UID", "PID", "PPID"], "the columns of ps -ef: \(outcome)")
            #expect(table.dropFirst().compactMap { Int($0[1]) }.sorted() == pids, "\(outcome)")
            #expect(outcome.stdout.contains("/probe child hang") && outcome.stderr == "", "\(outcome)")
        }

        /// go-runc: `ps --format table ID OPTS…`; flags behind the name are those of ps.
        @Test(
            .needsProgram("ps"),
            arguments: [
                ["-o", "pid,args"], ["--format", "pid,args"], ["-e", "-o", "ppid,pid"], ["aux"], ["-f", "-e"],
            ])
        func optionsOfPsAreTaken(options: [String]) throws {
            let box = try Sandbox.current
            let pids = try running(box)
            let words = ["ps", "--format", "table", box.id] + options
            // Without -e, ps shows the processes of its own terminal and user only.
            let outcome = try box.plain(["--root", box.root] + words)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            let table = rows(outcome.stdout)
            let column = try #require(table.first?.firstIndex(of: "PID"), "\(outcome)")
            let seen = table.dropFirst().compactMap { Int($0[column]) }
            #expect(Set(seen).isSubset(of: pids), "\(outcome)")
            if options.contains("-e") || options == ["aux"] { #expect(seen.sorted() == pids, "\(outcome)") }
        }

        @Test(
            .needsProgram("ps"),
            arguments: [
                (["-e", "-o", "args"], "couldn't find PID field in the output of ps -e -o args"),
                (["--nonsense"], "ps --nonsense ended with status 1: "),
            ])
        func optionsWithoutPidsAreRefused(options: [String], words: String) throws {
            let box = try Sandbox.current
            _ = try running(box)
            let outcome = try box.plain(["--root", box.root, "ps", box.id] + options)
            #expect(outcome.status == 1 && outcome.stderr.contains(words), "\(outcome)")
            #expect(outcome.stdout == "" && outcome.complaints.count == 1, "\(outcome)")
        }

        @Test func aHostWithoutPsIsAnErrorWithARemedy() throws {
            let box = try Sandbox.current
            let pids = try running(box)
            let bare = Surroundings(environment: ["PATH": box.directory])
            let outcome = try box.runtime("ps", box.id, with: bare)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains("ps: executable file not found in $PATH"), "\(outcome)")
            #expect(outcome.stderr.contains("apt-get install procps"), "\(outcome)")
            #expect(try numbers(try box.runtime("ps", "-f", "json", box.id, with: bare)) == pids)
        }

        @Test func processesInCgroupsBelowAreListed() throws {
            let box = try Sandbox.current
            let name = "/\(box.id)-tree"
            let pids = try running(box) { $0["linux.cgroupsPath"] = name }
            let tree = try #require(CgroupTree.path)
            try FileManager.default.createDirectory(
                atPath: tree + name + "/below/deeper", withIntermediateDirectories: true)
            let moved = try #require(pids.last)
            try "\(moved)".write(
                toFile: tree + name + "/below/deeper/cgroup.procs", atomically: false, encoding: .utf8)
            #expect(try numbers(try box.ok("ps", "-f", "json", box.id)) == pids)
        }

        @Test func psWorksBeforeTheStartAndAfterTheEnd() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            let pid = try #require(try box.state()["pid"] as? Int)
            #expect(try numbers(try box.ok("ps", "-f", "json", box.id)) == [pid])
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            #expect(try box.ok("ps", "-f", "json", box.id).stdout == "[]\n")
        }

        @Test(.needsProgram("ps")) func theTableOfAStoppedContainerHasNoRows() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            try box.ok("start", box.id)
            #expect(box.becomes("stopped"))
            let table = try box.ok("ps", box.id).stdout
            #expect(table.hasPrefix("UID") && table.filter { $0 == "\n" }.count == 1, "\(table)")
        }

        @Test func psNeedsACgroup() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let created = try box.plain([
                "--root", box.root, "--cgroup-manager", "disabled", "create", "--bundle", bundle.directory, box.id,
            ])
            #expect(created.status == 0, "\(created)")
            for format in ["json", "table"] {
                let outcome = try box.runtime("ps", "-f", format, box.id)
                #expect(
                    outcome.status == 1
                        && outcome.stderr.contains("the container has no cgroup, which listing its processes needs"),
                    "\(outcome)")
            }
        }

        @Test(arguments: [["ps"], ["ps", "--format", "xml", "ID"], ["ps", "--nonsense", "ID"]])
        func malformedFlagsAreUsageErrors(words: [String]) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root] + words)
            #expect(outcome.status == 1 && outcome.stderr.contains("Incorrect Usage"), "\(outcome)")
        }
    }
}
