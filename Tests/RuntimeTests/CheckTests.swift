import Foundation
import Testing

extension AllTests {
    /// `runbox check` as a command: what it prints, what it exits with, and that it touches nothing. What it finds is
    /// in `HelpfulErrors`.
    @Suite struct Check {
        private func object(_ outcome: Outcome) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any] ?? [:]
        }

        @Test func aSoundBundleHasNoFindings() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            let outcome = try box.runtime("check", bundle.directory)
            #expect(
                outcome.status == 0 && outcome.stdout == "0 errors, 0 warnings\n" && outcome.stderr == "", "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: box.root), "no state folder is made")
        }

        @Test func whatSpecWritesHasNoFindings() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            try FileManager.default.removeItem(atPath: bundle.configPath)
            try box.ok("spec", "--bundle", bundle.directory)
            #expect(try box.runtime("check", bundle.directory).stdout == "0 errors, 0 warnings\n")
        }

        /// Whatever libseccomp there is: names of the profile that are newer are known as such.
        @Test func theShippedProfileHasNoFindings() throws {
            let box = try Sandbox.current
            let profile = try String(contentsOfFile: Programs.package + "/config/seccomp.json", encoding: .utf8)
            let bundle = try box.bundle("say:hello") { try $0.set("linux.seccomp", json: profile) }
            let outcome = try box.runtime("check", "--strict", bundle.directory)
            #expect(outcome.status == 0 && outcome.stdout == "0 errors, 0 warnings\n", "\(outcome)")
        }

        @Test func severitiesAreColouredOnATerminal() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") { $0["process.umaskk"] = 1 }
            for isColored in [true, false] {
                let terminal = try Terminal()
                var surroundings = Surroundings(terminal: terminal.path)
                surroundings.environment["TERM"] = "xterm"
                surroundings.environment["NO_COLOR"] = isColored ? nil : "1"
                let running = try box.begin(["check", bundle.directory], surroundings)
                #expect(
                    terminal.reads(isColored ? ": \u{1b}[33mwarning\u{1b}[0m: " : ": warning: "), "\(terminal.text)")
                #expect(running.wait().status == 0)
            }
        }

        @Test func everyWayToNameABundleWorks() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            var inside = Surroundings()
            inside.directory = bundle.directory
            #expect(try box.runtime("check", with: inside).status == 0)
            #expect(try box.runtime("check", "--bundle", bundle.directory).status == 0)
            try FileManager.default.moveItem(atPath: bundle.configPath, toPath: bundle.directory + "/other.json")
            #expect(try box.runtime("check", "--bundle", bundle.directory, "--config", "other.json").status == 0)
            let missing = try box.runtime("check", bundle.directory)
            #expect(
                missing.status == 1 && missing.stdout.contains("config.json not found in \(bundle.directory)"),
                "\(missing)")
            let twice = try box.runtime("check", bundle.directory, "--bundle", bundle.directory)
            #expect(twice.status == 1 && twice.stderr.contains("named twice"), "\(twice)")
            #expect(try box.runtime("check", "--format", "xml", bundle.directory).stderr.contains("text or json"))
        }

        @Test func findingsArePrintedAsJSON() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") {
                $0["process.umaskk"] = 1
                $0["mounts.0.options"] = ["nosuidd"]
            }
            let outcome = try box.runtime("check", "--format", "json", bundle.directory)
            let report = try object(outcome)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(report["version"] as? Int == 1 && report["ok"] as? Bool == true, "\(report)")
            #expect(report["errors"] as? Int == 0 && report["warnings"] as? Int == 2, "\(report)")
            #expect(report["bundle"] as? String == bundle.directory)
            let findings = report["findings"] as? [[String: Any]] ?? []
            #expect(
                findings.map { $0["path"] as? String } == ["mounts[0].options[0]", "process.umaskk"], "\(findings)")
            let first = findings.first ?? [:]
            #expect(first["severity"] as? String == "warning" && first["file"] as? String == "config.json")
            #expect(first["clause"] as? String == "config.md, Linux mount options")
            #expect((first["line"] as? Int ?? 0) > 1 && (first["column"] as? Int ?? 0) > 1, "\(first)")
            #expect((first["message"] as? String)?.contains("did you mean \"nosuid\"?") == true, "\(first)")
        }

        @Test func withStrictAWarningIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") { $0["process.umaskk"] = 1 }
            #expect(try box.runtime("check", bundle.directory).status == 0)
            let strict = try box.runtime("check", "--strict", "--format=json", bundle.directory)
            #expect(strict.status == 1)
            #expect(try object(strict)["ok"] as? Bool == false)
        }

        @Test func aSyntaxErrorHasItsPlace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            try bundle.write(text: "{\n  \"ociVersion\": 1,,\n}")
            let outcome = try box.runtime("check", bundle.directory)
            #expect(outcome.status == 1 && outcome.stdout.hasPrefix("config.json:2:"), "\(outcome)")
        }

        /// Types, cross-field rules and the look at the host in one go; and nothing about what stands in the place of
        /// a mistake.
        @Test func everythingIsFoundInOneGo() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/nowhere"]) {
                $0["process.user.uid"] = "1000"
                $0["hostname"] = "x"
                $0.dropNamespace("uts")
                $0.addMount("/data", source: "/no/such", options: ["bind"])
                $0["linux.seccomp"] = ["defaultAction": "SCMP_ACT_KIL"]
            }
            let lines = try box.runtime("check", bundle.directory).stdout
            for path in ["process.user.uid: ", "hostname: ", "mounts[6].source: ", "linux.seccomp.defaultAction: "] {
                #expect(lines.contains("error: \(path)"), "\(lines)")
            }
            #expect(lines.contains("4 errors, 0 warnings"), "the program depends on process, which is broken: \(lines)")
        }

        @Test func aProgramOnAMountIsInspected() throws {
            let box = try Sandbox.current
            let tools = try box.folder("tools")
            try box.file("tools/tool", "#!/usr/bin/python9\n", mode: 0o755)
            let found = try box.bundle(args: ["tool"]) {
                $0.addMount("/opt/tools", source: tools, options: ["rbind"])
                $0["process.env"] = ["PATH=/opt/tools"]
            }
            let outcome = try box.runtime("check", found.directory)
            #expect(outcome.stdout.contains("its interpreter /usr/bin/python9"), "\(outcome)")
            // Nobody knows what will be on a new file system.
            let unknown = try box.bundle(args: ["/data/tool"]) { $0.addMount("/data", type: "tmpfs", source: "tmpfs") }
            #expect(try box.runtime("check", unknown.directory).stdout == "0 errors, 0 warnings\n")
        }

        /// Links of the root file system are followed inside it.
        @Test func hostileLinksStayInside() throws {
            let box = try Sandbox.current
            try box.file("outside", "#!/bin/sh\n", mode: 0o755)
            let bundle = try box.bundle(args: ["/escape"])
            symlink("../../../../../../../../.." + box.path("outside"), bundle.rootfs + "/escape")
            let first = try box.runtime("check", bundle.directory)
            #expect(first.status == 1 && first.stdout.contains("symbolic link to"), "\(first)")
            let through = try box.bundle(args: ["/tools/outside"])
            symlink(box.directory, through.rootfs + "/tools")
            #expect(try box.runtime("check", through.directory).status == 1)
            let proc = try box.bundle(args: ["/magic/bin/true"])
            symlink("/proc/1/root", proc.rootfs + "/magic")
            #expect(
                try box.runtime("check", proc.directory).stdout == "0 errors, 0 warnings\n",
                "on a mount that is not there yet")
            let circle = try box.bundle(args: ["/circle"])
            symlink("circle", circle.rootfs + "/circle")
            #expect(try box.runtime("check", circle.directory).stdout.contains("in a circle"))
        }

        /// A FIFO in the place of a program must not hang whoever looks at it.
        @Test func aFIFOAsTheProgramIsRefusedWithoutWaiting() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/pipe"])
            mkfifo(bundle.rootfs + "/pipe", 0o755)
            #expect(try box.runtime("check", bundle.directory).stdout.contains("it is no regular file"))
        }

        @Test func anOrdinaryUserCanCheck() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/fault"]) { $0["hooks.prestart"] = [["path": "/no/hook"]] }
            try bundle.write("fault", "echo\n", mode: 0o755)
            chmod(bundle.directory, 0o755)
            var other = Surroundings()
            other.prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
            let outcome = try box.runtime("check", bundle.directory, with: other)
            #expect(outcome.status == 1 && outcome.stderr == "", "\(outcome)")
            #expect(
                outcome.stdout.contains("neither an ELF program") && outcome.stdout.contains("2 errors"), "\(outcome)")
        }

        @Test func warningsAreGivenForTheProgramAndItsRoot() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/script"]) {
                $0.userNamespace()
                try $0.set(
                    "linux.seccomp",
                    json:
                        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["exit_group"], "action": "SCMP_ACT_ERRNO"}]}"#
                )
            }
            try bundle.write("script", "#!/bin/sh -e\r\necho\r\n", mode: 0o755)
            let outcome = try box.runtime("check", bundle.directory)
            #expect(outcome.status == 0, "\(outcome)")
            for words in [
                "root.path: belongs to uid 0 of the host",
                "process.args[0]: the \"#!\" line of /script ends in a carriage return",
                "linux.seccomp: answers exit_group, by which programs end",
            ] { #expect(outcome.stdout.contains("warning: \(words)"), "\(outcome)") }
        }

        @Test func namesAreShownOnOneLine() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/a\n\u{1b}[31mb"])
            let outcome = try box.runtime("check", bundle.directory)
            #expect(
                outcome.stdout.split(separator: "\n").count == 2 && !outcome.stdout.contains("\u{1b}"), "\(outcome)")
        }
    }
}
