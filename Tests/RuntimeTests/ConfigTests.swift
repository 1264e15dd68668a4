import Foundation
import Testing

extension AllTests {
    /// What is said about a config.json that is wrong.
    @Suite struct Diagnostics {
        /// A configuration that runs, one line a field, with a place for one more line.
        private func text(_ process: String = "", top: String = "", uid: String = "0", linux: String = "") -> String {
            """
            {
                "ociVersion": "1.0.2",
                \(top)
                "root": { "path": "rootfs" },
                "process": {
                    "user": { "uid": \(uid), "gid": 0 },
                    \(process)
                    "args": ["/probe", "say:it ran"],
                    "cwd": "/"
                },
                "linux": {
                    \(linux)
                    "namespaces": [ { "type": "mount" }, { "type": "pid" } ]
                }
            }
            """
        }

        private func run(_ text: String, global: [String] = []) throws -> Outcome {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:unused")
            try bundle.write(text: text)
            return try box.run(bundle, global: global)
        }

        @Test func theUnchangedTextIsGood() throws {
            let outcome = try run(text())
            #expect(outcome.status == 0 && outcome.stdout == "it ran\n" && outcome.stderr == "", "\(outcome)")
        }

        @Test func aMistakeShowsPlacePathExpectedAndFound() throws {
            let line = try Sandbox.current.refused(try run(text(uid: "\"1000\"")))
            #expect(
                line.contains(#"config.json:6:26: process.user.uid: expected a number, found the string "1000""#),
                "\(line)")
        }

        @Test func createSaysTheSame() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:unused")
            try bundle.write(text: text(uid: "\"1000\""))
            let line = try box.refused(try box.runtime("create", "--bundle", bundle.directory, box.id))
            #expect(line.contains("config.json:6:26: process.user.uid: "), "\(line)")
        }

        /// Wrong types, as the text of one line and the path that must be named; the place is where the value begins.
        static let wrongTypes: [(line: Int, value: String, path: String, text: String)] = [
            (7, "\"A=b\"", "process.env", #""env": "A=b","#),
            (7, "5", "process.env[1]", #""env": ["A=b", 5],"#),
            (7, "1", "process.terminal", #""terminal": 1,"#),
            (7, "\"yes\"", "process.noNewPrivileges", #""noNewPrivileges": "yes","#),
            (7, "1.5", "process.oomScoreAdj", #""oomScoreAdj": 1.5,"#),
            (7, "{}", "process.rlimits", #""rlimits": {},"#),
            (
                7, "\"many\"", "process.rlimits[0].soft",
                #""rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1, "soft": "many"}],"#
            ),
            (7, "-1", "process.rlimits[0].hard", #""rlimits": [{"type": "RLIMIT_NOFILE", "hard": -1, "soft": 1}],"#),
            (
                7, "\"RLIMIT_COFFEE\"", "process.rlimits[0].type",
                #""rlimits": [{"type": "RLIMIT_COFFEE", "hard": 1, "soft": 1}],"#
            ),
            (7, "\"tall\"", "process.consoleSize.height", #""consoleSize": {"height": "tall", "width": 80},"#),
            (7, "\"SCHED_COFFEE\"", "process.scheduler.policy", #""scheduler": {"policy": "SCHED_COFFEE"},"#),
            (
                7, "\"IOPRIO_CLASS_X\"", "process.ioPriority.class",
                #""ioPriority": {"class": "IOPRIO_CLASS_X", "priority": 1},"#
            ),
            (7, "[1]", "process.capabilities", #""capabilities": [1],"#),
        ]

        @Test(arguments: wrongTypes.indices)
        func wrongTypesOfProcessAreNamed(index: Int) throws {
            let mistake = Self.wrongTypes[index]
            let document = text(mistake.text)
            let row = document.split(separator: "\n", omittingEmptySubsequences: false)[mistake.line - 1]
            let at = try #require(row.range(of: ": " + mistake.value) ?? row.range(of: ", " + mistake.value))
            let column = row.distance(from: row.startIndex, to: at.lowerBound) + 3
            let line = try Sandbox.current.refused(try run(document))
            #expect(
                line.contains("config.json:\(mistake.line):\(column): \(mistake.path): "), "column \(column): \(line)")
        }

        static let wrongElsewhere: [(path: String, top: String, linux: String)] = [
            ("hostname", #""hostname": 5,"#, ""),
            ("annotations", #""annotations": [],"#, ""),
            ("mounts", #""mounts": {},"#, ""),
            ("mounts[0].destination", #""mounts": [{"source": "a"}],"#, ""),
            ("mounts[0].options", #""mounts": [{"destination": "/a", "options": "ro"}],"#, ""),
            ("hooks.poststop[0].path", #""hooks": {"poststop": [{"args": []}]},"#, ""),
            ("hooks.prestart[0].timeout", #""hooks": {"prestart": [{"path": "/bin/true", "timeout": "soon"}]},"#, ""),
            ("linux.sysctl", "", #""sysctl": "no","#),
            ("linux.uidMappings[0].size", "", #""uidMappings": [{"containerID": 0, "hostID": 0}],"#),
            ("linux.devices[0].type", "", #""devices": [{"path": "/dev/x", "type": "z"}],"#),
            ("linux.devices[0].major", "", #""devices": [{"path": "/dev/x", "type": "c", "major": "1", "minor": 3}],"#),
            ("linux.seccomp.defaultAction", "", #""seccomp": {"defaultAction": "SCMP_ACT_COFFEE"},"#),
            (
                "linux.seccomp.syscalls[0].names", "",
                #""seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO"}]},"#
            ),
            (
                "linux.seccomp.architectures[0]", "",
                #""seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_TOASTER"]},"#
            ),
            ("linux.rootfsPropagation", "", #""rootfsPropagation": "sideways","#),
            ("linux.maskedPaths[0]", "", #""maskedPaths": [7],"#),
            ("linux.personality.domain", "", #""personality": {"domain": "LINUX128"},"#),
            ("linux.resources.pids.limit", "", #""resources": {"pids": {"limit": "ten"}},"#),
            ("linux.resources.devices[0].allow", "", #""resources": {"devices": [{"access": "rwm"}]},"#),
            ("linux.resources.memory.limit", "", #""resources": {"memory": {"limit": 1e99}},"#),
            ("linux.cgroupsPath", "", #""cgroupsPath": 1,"#),
        ]

        @Test(arguments: wrongElsewhere.indices)
        func wrongTypesElsewhereAreNamed(index: Int) throws {
            let mistake = Self.wrongElsewhere[index]
            let line = try Sandbox.current.refused(try run(text(top: mistake.top, linux: mistake.linux)))
            #expect(line.contains(mistake.top.isEmpty ? "config.json:12:" : "config.json:3:"), "\(line)")
            #expect(Self.names(line, mistake.path), "\(line)")
        }

        @Test(arguments: ["ociVersion", "root", "process.cwd", "process.args", "process.user.uid", "root.path"])
        func missingFieldsAreNamed(path: String) throws {
            let box = try Sandbox.current
            let line = try box.refuse { $0[path] = nil }
            #expect(line.contains("config.json:") && Self.names(line, path), "\(line)")
        }

        /// Whether a message is about a field: by its path, or by its parent's path and the name of what is missing
        /// there.
        static func names(_ line: String, _ path: String) -> Bool {
            guard line.contains("missing required field"), let dot = path.lastIndex(of: ".") else {
                return line.contains(": \(path): ") || line.contains("\"\(path)\"")
            }
            return line.contains(": \(path[..<dot]): ") && line.contains("\"\(path[path.index(after: dot)...])\"")
        }

        // MARK: More than one

        private let three = #""terminal": "x", "env": 5, "noNewPrivileges": [],"#

        @Test func theFirstMistakeIsShownAndTheOthersAreCounted() throws {
            let line = try Sandbox.current.refused(try run(text(three)))
            #expect(line.contains("process.terminal: ") && !line.contains("process.env"), "\(line)")
            #expect(line.contains("2 more"), "\(line)")
        }

        @Test func debugShowsAllMistakes() throws {
            let outcome = try run(text(three), global: ["--debug"])
            #expect(outcome.status == 1)
            for path in ["process.terminal", "process.env", "process.noNewPrivileges"] {
                #expect(outcome.stderr.contains(": \(path): "), "\(outcome)")
            }
        }

        // MARK: Unknown keys

        @Test func anUnknownKeyIsAWarningWithTheNearest() throws {
            let outcome = try run(text(#""noNewPrivilege": true,"#))
            #expect(outcome.status == 0 && outcome.stdout == "it ran\n", "\(outcome)")
            #expect(outcome.complaints.count == 1, "\(outcome)")
            #expect(
                outcome.stderr.contains("noNewPrivilege") && outcome.stderr.contains("noNewPrivileges"), "\(outcome)")
            #expect(outcome.stderr.contains("7:"), "a place: \(outcome)")
        }

        @Test func keysOfOtherPlatformsAreIgnored() throws {
            let outcome = try run(
                text(top: #""windows": {"layerFolders": ["C:\\"]}, "solaris": {}, "vm": {"kernel": {"path": "/k"}},"#))
            #expect(
                outcome.status == 0 && outcome.stdout == "it ran\n" && !outcome.stderr.contains("error"), "\(outcome)")
        }

        // MARK: Not JSON

        static let broken: [(String, String)] = [
            ("", "1:1"), ("{", "1:2"), ("[]", "1:1"), ("null", "1:1"), ("{\"a\" 1}", "1:6"), ("{} x", "1:4"),
            ("{\"a\": tru}", "1:"),
            ("{\"a\": 01}", "1:"), ("{\"a\": \"\\x\"}", "1:"), ("{\n  \"a\": \"b\n\"}", "2:"),
            ("{\"a\": [1,]}", "1:"),
        ]

        @Test(arguments: broken.indices)
        func brokenJSONHasItsPlace(index: Int) throws {
            let (document, place) = Self.broken[index]
            let line = try Sandbox.current.refused(try run(document))
            #expect(line.contains("config.json:\(place)"), "\(line)")
        }

        @Test func duplicateKeysAreRefused() throws {
            let line = try Sandbox.current.refused(try run(text(#""cwd": "/tmp","#)))
            #expect(
                line.contains("config.json:") && line.contains("cwd")
                    && (line.contains("twice") || line.contains("duplicate")),
                "\(line)")
        }

        @Test func badUTF8IsRefused() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:unused")
            var bytes = Array(text(top: "\"hostname\": \"??\",").utf8)
            let at = try #require(bytes.firstIndex(of: UInt8(ascii: "?")))
            bytes[at] = 0xff
            try Data(bytes).write(to: URL(fileURLWithPath: bundle.configPath))
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("config.json:3:") && line.contains("UTF-8"), "\(line)")
        }

        @Test func deepNestingIsRefused() throws {
            let depth = 200_000
            let line = try Sandbox.current.refused(
                try run(String(repeating: "[", count: depth) + String(repeating: "]", count: depth)))
            #expect(line.contains("config.json:1:"), "\(line)")
        }

        // MARK: Versions

        @Test(arguments: ["1.0.0", "1.0.2", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0", "1.3.0+dev"])
        func supportedVersionsAreAccepted(version: String) throws {
            let seen = try Sandbox.current.look("say:hello") { $0["ociVersion"] = version }
            #expect(seen.text == "hello\n")
        }

        @Test func aNewerMinorVersionIsAccepted() throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.bundle("say:hello") { $0["ociVersion"] = "1.99.0" })
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        @Test(arguments: ["2.0.0", "0.9.0", "1", "one", "", "1.0.0.0"])
        func unsupportedVersionsAreRefused(version: String) throws {
            let line = try Sandbox.current.refuse { $0["ociVersion"] = version }
            #expect(line.contains("ociVersion") && line.contains("config.json:"), "\(line)")
        }
    }
}
