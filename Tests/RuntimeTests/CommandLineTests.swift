import Foundation
import Testing

extension AllTests {
    /// Flags, help, version and usage errors.
    @Suite struct CommandLine {
        static let commands = [
            "run", "create", "start", "state", "kill", "delete", "list", "spec", "features", "wait", "doctor",
        ]

        // MARK: Version

        @Test(arguments: ["--version", "-v"])
        func versionPrintsRunboxAndSpecification(flag: String) throws {
            let outcome = try Sandbox.current.plain([flag])
            #expect(outcome.status == 0 && outcome.stderr == "")
            let lines = outcome.stdout.split(separator: "\n").map(String.init)
            let first = lines.first?.split(separator: " ") ?? []
            #expect(first.count == 3 && first[0] == "runbox" && first[1] == "version", "\(lines)")
            #expect(lines.contains { $0.hasPrefix("spec: 1.") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("commit: ") }, "\(lines)")
            #expect(
                !lines.dropFirst().contains { $0.contains("version") }, "one engine takes the last line with this word")
        }

        @Test func underTheNameRuncTheVersionIsRuncs() throws {
            let box = try Sandbox.current
            try FileManager.default.createSymbolicLink(atPath: box.path("runc"), withDestinationPath: Programs.runtime)
            let outcome = try box.aside([box.path("runc"), "--version"]).wait()
            #expect(outcome.stdout.hasPrefix("runc version "), "\(outcome)")
        }

        // MARK: Help

        @Test(arguments: ["--help", "-h", "help"])
        func helpNamesEveryCommand(word: String) throws {
            let outcome = try Sandbox.current.plain([word])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            for command in Self.commands { #expect(outcome.stdout.contains(command), "help without \(command)") }
            for flag in [
                "--root", "--log", "--log-format", "--log-level", "--debug", "--systemd-cgroup", "--cgroup-manager",
            ] {
                #expect(outcome.stdout.contains(flag), "help without \(flag)")
            }
        }

        @Test(arguments: CommandLine.commands)
        func everyCommandHasHelp(command: String) throws {
            let box = try Sandbox.current
            let asked = try box.plain(["help", command])
            let flagged = try box.plain([command, "--help"])
            #expect(asked.status == 0 && flagged.status == 0, "\(asked) \(flagged)")
            #expect(asked.stdout == flagged.stdout)
            #expect(
                asked.stdout.contains(command) && asked.stdout.count > 100, "too short to learn from: \(asked.stdout)")
        }

        @Test(arguments: ["create", "run"])
        func helpNamesTheFlagsOfCreation(command: String) throws {
            let outcome = try Sandbox.current.plain([command, "--help"])
            let flags = [
                "--bundle", "--config", "--console-socket", "--pid-file", "--no-pivot", "--no-new-keyring",
                "--preserve-fds",
            ]
            for flag in flags + (command == "run" ? ["--detach", "--keep", "--no-subreaper"] : []) {
                #expect(outcome.stdout.contains(flag), "help without \(flag)")
            }
        }

        @Test func helpOfAnUnknownCommandFails() throws {
            let outcome = try Sandbox.current.plain(["help", "frobnicate"])
            #expect(outcome.status != 0 && outcome.stderr.contains("frobnicate"), "\(outcome)")
        }

        // MARK: Forms of flags

        static let forms: [[String]] = [
            ["--root", "ROOT", "list"], ["--root=ROOT", "list"], ["-root", "ROOT", "list"], ["-root=ROOT", "list"],
            ["--debug=false", "--root", "ROOT", "list"], ["-debug=false", "--root", "ROOT", "list"],
            ["--root", "ROOT", "--log-format=json", "list", "--format=table"],
            ["--root", "ROOT", "--log-level", "error", "list", "-f", "table"],
            ["--root", "ROOT", "--rootless=auto", "list", "--format", "table"],
            ["--root", "ROOT", "--rootless", "false", "list", "-format", "table"],
            ["--root", "ROOT", "--cgroup-manager", "cgroupfs", "list"],
        ]

        @Test(arguments: forms)
        func flagsAreTakenInEveryForm(words: [String]) throws {
            let box = try Sandbox.current
            try box.folder("root", mode: 0o700)
            let outcome = try box.plain(words.map { $0.replacingOccurrences(of: "ROOT", with: box.root) })
            #expect(outcome.status == 0 && outcome.stdout.hasPrefix("ID"), "\(outcome)")
        }

        @Test func aBooleanSaidFalseIsOff() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:3")
            // In the foreground the payload's status comes back; detached it would be 0.
            #expect(try box.run(bundle, flags: ["--detach=false", "--keep=false"]).status == 3)
        }

        @Test func longFlagsOfRunMayHaveOneDash() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            let outcome = try box.runtime(
                "run", "-bundle", bundle.directory, "-no-subreaper", "-pid-file=\(box.path("pid"))", box.id)
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        @Test func doubleDashEndsTheFlags() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            let outcome = try box.runtime("run", "-b", bundle.directory, "--", box.id)
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        // MARK: Usage errors

        static let mistakes: [[String]] = [
            ["frobnicate"], ["--frobnicate", "list"], ["list", "--frobnicate"], ["run", "--frobnicate", "ID"],
            ["state"], ["start"], ["kill"], ["delete"], ["create"], ["state", "ID", "more"], ["delete", "ID", "more"],
            ["run", "ID", "more"], ["create", "ID", "more"], ["list", "more"],
            ["--log-format", "yaml", "list"], ["--log-level", "loud", "list"], ["--cgroup-manager", "magic", "list"],
            ["--rootless=perhaps", "list"], ["list", "--format", "yaml"], ["run", "--preserve-fds", "many", "ID"],
            ["run", "--preserve-fds=-1", "ID"], ["--debug=perhaps", "list"], ["run", "--bundle"],
        ]

        @Test(arguments: mistakes)
        func usageErrorsNameTheCulprit(words: [String]) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root] + words.map { $0 == "ID" ? box.id : $0 })
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.stdout == "", "a usage error is said on stderr")
            let culprit =
                words.first { !["list", "run", "ID", "state", "start", "kill", "delete", "create"].contains($0) }
                ?? words[0]
            let bare = String(culprit.drop { $0 == "-" }.prefix { $0 != "=" })
            // A flag by its name or by its bad value; a wrong number of arguments by its command.
            let named =
                Self.commands.contains(words[0])
                ? [bare, words[0]] : [bare] + words.dropFirst().prefix { $0 != "list" }
            #expect(
                named.contains { outcome.stderr.contains($0) },
                "the error names \(bare): \(outcome)")
            #expect(!FileManager.default.fileExists(atPath: box.root + "/" + box.id))
        }

        @Test(
            .needsHostWithoutSystemd,
            arguments: [
                ["--systemd-cgroup"], ["--cgroup-manager", "systemd"],
                ["--cgroup-manager=systemd", "--systemd-cgroup"],
            ])
        func aMissingSystemdIsAnErrorWithARemedy(flags: [String]) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["linux.cgroupsPath"] = "system.slice:rbt:\(box.id)" }
            var surroundings = Surroundings()
            surroundings.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=\(box.path("bus"))"
            let line = try box.refused(try box.run(bundle, global: flags, with: surroundings))
            #expect(line.contains("/run/systemd/private: not found, \(box.path("bus")): not found"), "\(line)")
            #expect(line.contains("use --cgroup-manager=cgroupfs"), "\(line)")
        }

        @Test(arguments: ["cgroupfs", "disabled"])
        func contradictoryCgroupManagersAreRefused(name: String) throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("say:it ran"), global: ["--systemd-cgroup", "--cgroup-manager", name])
            #expect(try box.refused(outcome).contains("contradicts --cgroup-manager \(name)"))
        }

        @Test(arguments: [
            ("/a/b", "/a/b"), ("a:b", "a:b"), ("a:b:c", "\"a\" is no slice"), ("system.slice:a:b/c", "a-b/c.scope"),
            ("system.slice:a:b.slice", "b.slice is a slice"),
        ])
        func pathsThatNameNoUnitAreRefused(path: String, word: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["linux.cgroupsPath"] = path }
            let line = try box.refused(try box.run(bundle, global: ["--systemd-cgroup"]))
            #expect(line.contains("linux.cgroupsPath") && line.contains(word), "\(line)")
        }

        // MARK: Container IDs

        @Test(arguments: ["a b", ".", "..", "a/b", "ä", "a\n", "a*", "", "a:b", "../x"])
        func badIDsAreRefused(id: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran")
            let outcome = try box.runtime("create", "--bundle", bundle.directory, id)
            let line = try box.refused(outcome)
            // What holds a `/`, or is a folder's name for "here" and "above", is taken for a bundle's path, and there
            // is none.
            let isPath = id.contains("/") || id == "." || id == ".."
            #expect(isPath ? line.contains("config.json") : line.contains("invalid container ID"), "\(line)")
        }

        @Test(arguments: ["A", "a.b", "a_b", "a+b", "a-b", "0", "aA0_+.-"])
        func goodIDsAreTaken(suffix: String) throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.bundle("say:hello"), id: box.id + suffix)
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        // MARK: The root folder

        @Test func theRootFolderIsMadePrivate() throws {
            let box = try Sandbox.current
            _ = try box.run(try box.bundle("say:hello"))
            let mode = try FileManager.default.attributesOfItem(atPath: box.root)[.posixPermissions] as? Int
            #expect((mode ?? 0o777) & 0o077 == 0 || mode == 0o711, "mode \(String(mode ?? 0, radix: 8))")
        }

        @Test func listOfARootThatIsNamedAndNotThereIsAnError() throws {
            let box = try Sandbox.current
            for flags in [[], ["--format", "json"], ["-q"]] {
                let outcome = try box.plain(["--root", box.root, "list"] + flags)
                #expect(outcome.status == 1 && outcome.stdout == "" && outcome.complaints.count == 1, "\(outcome)")
                #expect(outcome.stderr.contains("list \(box.root): there is no such folder"), "\(outcome)")
            }
            try box.folder("root", mode: 0o700)
            let json = try box.runtime("list", "--format", "json")
            #expect(json.status == 0 && json.stdout == "[]\n", "\(json)")
        }

        /// The usual one is made with the first container.
        @Test func listOfTheUsualRootIsEmptyBeforeTheFirstContainer() throws {
            let box = try Sandbox.current
            let list = ["unshare", "--user", "--map-root-user", Programs.runtime, "list"]
            let outcome = try box.aside(
                list, Surroundings(environment: ["XDG_RUNTIME_DIR": try box.folder("run")])
            ).wait()
            #expect(outcome.status == 0 && outcome.stdout.split(separator: "\n").count == 1, "\(outcome)")
        }

        @Test func featuresTakesTheOneFormatThatItHas() throws {
            let box = try Sandbox.current
            let plain = try box.plain(["features"])
            for flags in [["--format", "json"], ["-f", "json"], ["--format=json"]] {
                #expect(try box.plain(["features"] + flags).stdout == plain.stdout)
            }
            #expect(try box.plain(["features", "--format", "yaml"]).status == 1)
        }
    }
}
