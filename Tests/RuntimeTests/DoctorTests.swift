import Foundation
import Testing

extension AllTests {
    /// doctor
    @Suite struct Doctoring {
        private static func report(_ outcome: Outcome) throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8))
            return try #require(value as? [String: Any])
        }

        /// What it says of this host is what this host does: containers run in the other tests.
        @Test func theReportAsRootIsFit() throws {
            let outcome = try Sandbox.current.plain(["doctor", "--format", "json"])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            let report = try Self.report(outcome)
            #expect(report["version"] as? Int == 1 && report["schema"] as? Int == 1 && report["fit"] as? Bool == true)
            let findings = try #require(report["findings"] as? [[String: Any]])
            #expect(
                Set(findings.compactMap { $0["group"] as? String }) == [
                    "kernel", "cgroup", "users", "security", "tools",
                ])
            for finding in findings {
                let verdict = finding["verdict"] as? String
                #expect(["ok", "warn", "missing"].contains(verdict) && finding["essential"] is Bool, "\(finding)")
                #expect((verdict == "ok") == (finding["cost"] == nil), "\(finding)")
            }
            var controllers: [String] = []
            for finding in findings where finding["verdict"] as? String == "ok" {
                let parts = (finding["id"] as? String ?? "").split(separator: ".").map(String.init)
                if parts.count == 3, parts[1] == "controller" { controllers.append(parts[2]) }
            }
            let usual: Set = ["cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma"]
            #expect(Set(controllers) == CgroupTree.controllers.intersection(usual))
        }

        @Test func theReportIsPrintedAsText() throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["doctor"])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(outcome.stdout.contains("\nkernel\n  ok      Linux "))
            #expect(outcome.stdout.contains("fit to run containers: "))
            // The first line says what the others come to.
            let lines = outcome.stdout.split(separator: "\n")
            let missing = lines.count { $0.hasPrefix("  missing ") }
            let warnings = lines.count { $0.hasPrefix("  warn ") }
            let counts = "\(missing) missing, \(warnings) warning\(warnings == 1 ? "" : "s")"
            #expect(lines.first?.hasPrefix("runbox doctor: fit to run containers: \(counts)") == true, "\(outcome)")
            #expect(lines.first?.contains("fail") == (missing > 0), "\(outcome)")
        }

        /// No word of a boot loader that is not there.
        @Test func remediesFitTheMachine() throws {
            let said = try Sandbox.current.plain(["doctor"]).stdout
            if !Requirement.exists("/etc/default/grub") { #expect(!said.contains("GRUB"), "\(said)") }
            if !Requirement.exists("/run/systemd/system") { #expect(!said.contains("systemd.unified"), "\(said)") }
        }

        @Test func coloursAreForTerminals() throws {
            let box = try Sandbox.current
            let escape = "\u{1b}["
            #expect(!(try box.plain(["doctor"]).stdout.contains(escape)))
            for (variables, isColored) in [
                (["TERM": "xterm"], true), (["TERM": "xterm", "NO_COLOR": "1"], false),
                (["TERM": "xterm", "NO_COLOR": ""], true), (["TERM": "dumb"], false),
            ] {
                let terminal = try Terminal()
                var surroundings = Surroundings(terminal: terminal.path)
                for (name, value) in variables { surroundings.environment[name] = value }
                let running = try box.begin(["doctor"], surroundings)
                #expect(terminal.reads("\ntools\r\n") && terminal.text.contains(escape) == isColored, "\(variables)")
                #expect(running.wait().status == 0)
            }
        }

        @Test(arguments: [true, false])
        func warningsAreColouredOnATerminal(isColored: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") { $0["process.umaskk"] = 1 }
            let terminal = try Terminal()
            var surroundings = Surroundings(terminal: terminal.path)
            surroundings.environment["TERM"] = "xterm"
            surroundings.environment["NO_COLOR"] = isColored ? nil : "1"
            let running = try box.begin(
                ["--root", box.root, "run", "--bundle", bundle.directory, box.id], surroundings)
            #expect(terminal.reads((isColored ? "\u{1b}[33mwarning\u{1b}[0m" : "warning") + ": "), "\(terminal.text)")
            #expect(running.wait().status == 0)
        }

        /// An ordinary user sees another host; the command works all the same.
        @Test func anOrdinaryUserGetsAReport() throws {
            let box = try Sandbox.current
            let program = box.path("runbox")
            try FileManager.default.copyItem(atPath: Programs.runtime, toPath: program)
            let nobody = Surroundings(
                prefix: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"])
            let running = try box.aside(nobody.prefix + [program, "doctor", "--format=json"])
            let outcome = running.wait()
            #expect([0, 1].contains(outcome.status) && outcome.stderr == "", "\(outcome)")
            let findings = try #require(try Self.report(outcome)["findings"] as? [[String: Any]])
            let ids = findings.compactMap { $0["id"] as? String }
            #expect(
                ids.contains("users.subuid") && ids.contains("users.newuidmap") && ids.contains("cgroup.delegation"))
            let isFit = !findings.contains { $0["verdict"] as? String == "missing" && $0["essential"] as? Bool == true }
            #expect(isFit == (outcome.status == 0))
        }

        @Test func nothingChangesOnTheHost() throws {
            let before = Leftovers.lines("/proc/self/mountinfo")
            _ = try Sandbox.current.plain(["doctor"])
            #expect(Leftovers.lines("/proc/self/mountinfo") == before)
        }

        @Test func unknownFormatsAreRefused() throws {
            let outcome = try Sandbox.current.plain(["doctor", "--format", "yaml"])
            #expect(outcome.status == 1 && outcome.stderr.contains("invalid format \"yaml\""), "\(outcome)")
        }
    }
}
