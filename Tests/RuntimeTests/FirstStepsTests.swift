import Foundation
import Testing

extension AllTests {
    /// What people meet who come from an engine, or mistype.
    @Suite struct FirstSteps {
        // MARK: Words of engines

        @Test(arguments: [
            (["run", "--rm", "alpine"], "--rm", "--keep"), (["run", "-it", "alpine"], "-it", "process.terminal"),
            (["run", "-dit", "alpine"], "-dit", "process.terminal"),
            (["run", "-i", "alpine"], "-i", "process.terminal"),
            (["run", "-p", "80:80", "alpine"], "-p", "--network host"),
            (["run", "--publish=80:80", "alpine"], "--publish", "--network host"),
            (["run", "-v", "/a:/b", "alpine"], "-v", "--mount"), (["run", "-e", "A=1", "alpine"], "-e", "--env"),
            (["run", "--name", "web", "alpine"], "--name", "--bundle DIR NAME"),
            (["create", "--user", "1", "alpine"], "--user", "runbox spec"),
            (["run", "--memory=1g", "alpine"], "--memory", "runbox spec"),
            (["rm", "web"], "rm", "runbox delete"),
            (["rm", "-f", "web"], "rm", "runbox delete"), (["ps", "-a"], "-a", "runbox list"),
            (["ps"], "ps", "runbox list"), (["pull", "alpine"], "pull", "no images"),
            (["images"], "images", "no images"), (["inspect", "web"], "inspect", "runbox state"),
            (["top", "web"], "top", "runbox ps"), (["exec", "-it", "web", "sh"], "-it", "--tty"),
            (["list", "-a"], "-a", "all containers"), (["kill", "-s", "KILL", "web"], "-s", "second argument"),
            (["run", "web/", "sh"], "run", "process.args"),
        ])
        func wordsOfEnginesAreAnswered(words: [String], typed: String, answer: String) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root] + words)
            #expect(outcome.status == 1 && outcome.stdout == "" && outcome.complaints.count == 1, "\(outcome)")
            let line = outcome.complaints.first ?? ""
            #expect(line.contains(typed) && line.contains(answer), "\(line)")
        }

        @Test(arguments: [
            (["run", "--bundel", "b", "x"], "not defined: --bundel; did you mean --bundle?"),
            (["run", "--detahc", "x"], "not defined: --detahc; did you mean --detach?"),
            (["wait", "--timout=3", "x"], "not defined: --timout; did you mean --timeout?"),
            (["--rot", "/x", "list"], "not defined: --rot; did you mean --root?"),
            (["list", "--frobnicate"], "not defined: --frobnicate; see"),
            (["stpo", "x"], "unknown command \"stpo\"; did you mean stop?"),
        ])
        func aSlipIsShownAsTyped(words: [String], line: String) throws {
            let outcome = try Sandbox.current.plain(words)
            #expect(outcome.status == 1 && outcome.stderr.contains(line), "\(outcome)")
        }

        // MARK: Bundles

        @Test func anImagesNameIsNoBundle() throws {
            let box = try Sandbox.current
            let here = Surroundings(directory: try box.folder("empty"))
            for words in [["run", "alpine"], ["create", "alpine:latest"], ["run", "docker.io/library/alpine"]] {
                let outcome = try box.plain(["--root", box.root] + words, here)
                #expect(outcome.status == 1 && outcome.stderr.contains("runbox runs bundles"), "\(outcome)")
                #expect(outcome.stderr.contains("JSON specification file config.json not found"), "\(outcome)")
            }
        }

        @Test func aBundleWithoutItsSlashIsRecognised() throws {
            let box = try Sandbox.current
            _ = try box.bundle("exit:0")
            let outcome = try box.plain(["--root", box.root, "run", "bundle"], Surroundings(directory: box.directory))
            #expect(outcome.status == 1 && outcome.stderr.contains("runbox run bundle/"), "\(outcome)")
        }

        @Test(arguments: [["run", "absent/"], ["run", "--bundle", "absent", "x"], ["check", "absent"]])
        func aMissingFolderSaysSo(words: [String]) throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--root", box.root] + words, Surroundings(directory: box.directory))
            #expect(outcome.status == 1, "\(outcome)")
            #expect((outcome.stderr + outcome.stdout).contains("/absent: there is no such folder"), "\(outcome)")
            #expect(!outcome.stderr.contains("runbox spec writes one"), "\(outcome)")
        }

        @Test func otherPlacesAreNamedForWhatTheyAre() throws {
            let box = try Sandbox.current
            try box.file("file")
            try FileManager.default.createSymbolicLink(
                atPath: box.path("link"), withDestinationPath: box.path("nowhere"))
            try box.folder("empty")
            for (place, words) in [
                ("file", "that is no folder"), ("link", "a symbolic link to what is not there"),
                ("empty", "runbox spec writes one"),
            ] {
                let outcome = try box.plain(["--root", box.root, "run", "\(box.path(place))/"])
                #expect(outcome.status == 1 && outcome.stderr.contains(words), "\(outcome)")
            }
        }

        // MARK: Temporary names, logs

        @Test(.needsRoot) func noTemporaryNameIsShown() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran")
            for path in ["\(box.path("no"))/pid", "/proc/pid", "/sys/pid"] {
                let line = try box.refused(try box.run(bundle, flags: ["--pid-file", path]))
                #expect(line.contains("open \(path): "), "\(line)")
                #expect(line.range(of: #"pid\.[0-9]"#, options: .regularExpression) == nil, "\(line)")
            }
            let spec = try box.plain(["spec", "--file", "\(box.path("no"))/config.json"])
            #expect(spec.status == 1 && spec.stderr.contains("\(box.path("no"))/config.json: not found"), "\(spec)")
            let state = try box.plain(["--root", "/proc/self", "run", "--bundle", bundle.directory, box.id])
            #expect(state.status == 1 && !state.stderr.contains(".new-"), "\(state)")
        }

        @Test func anUnwritableLogIsNoMistakeOfUsage() throws {
            let box = try Sandbox.current
            for log in [box.path("no/log"), box.directory] {
                let outcome = try box.plain(["--log", log, "list"])
                #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
                #expect(outcome.stderr.hasPrefix("the log cannot be opened: open \(log): "), "\(outcome)")
            }
        }

        // MARK: Strict

        @Test func strictIgnoresNothing() throws {
            let box = try Sandbox.current
            for edit in [["process.umaskk": 1], ["process.umaskk": 1, "process.user.uid": "x"]] as [[String: Any]] {
                let bundle = try box.bundle("say:it ran") { config in
                    for (path, value) in edit { config[path] = value }
                    config["annotations"] = ["run.oci.hooks.stdotu": "/x"]
                }
                let plain = try box.runtime("check", bundle.directory)
                #expect(plain.stdout.contains("(ignored)"), "\(plain)")
                for words in [["run", "--strict"], ["create", "--strict"], ["--debug", "run", "--strict"]] {
                    let outcome = try box.plain(
                        ["--root", box.root] + words + ["--bundle", bundle.directory, box.id])
                    #expect(outcome.status == 1 && outcome.stdout == "", "\(outcome)")
                    #expect(outcome.stderr.contains("config.json:"), "\(outcome)")
                    #expect(!outcome.stderr.contains("ignored"), "\(outcome)")
                }
                let check = try box.runtime("check", "--strict", bundle.directory)
                #expect(check.status == 1 && !check.stdout.contains("ignored"), "\(check)")
                #expect(check.stdout.contains("errors, 0 warnings"), "\(check)")
            }
        }

        // MARK: Terminals

        @Test func aTerminalThatNobodyTakesNamesItsField() throws {
            let box = try Sandbox.current
            let line = try box.refuse(flags: ["--detach"]) { $0["process.terminal"] = true }
            #expect(line.contains("process.terminal: cannot allocate tty"), "\(line)")
            #expect(line.contains("set process.terminal to false, or give --console-socket"), "\(line)")
        }

        // MARK: The root file system

        /// `current -> v2`: the folder that holds the root file system lies anywhere.
        @Test func theRootMayBeALinkToADirectory() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello", "stat:/probe")
            try FileManager.default.moveItem(atPath: bundle.directory + "/rootfs", toPath: box.path("v2"))
            try FileManager.default.createSymbolicLink(
                atPath: box.path("current"), withDestinationPath: "v2")
            try FileManager.default.createSymbolicLink(
                atPath: bundle.directory + "/rootfs", withDestinationPath: "../current")
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout.hasPrefix("hello\n"), "\(outcome)")
            let check = try box.runtime("check", bundle.directory)
            #expect(check.status == 0 && check.stdout == "0 errors, 0 warnings\n", "\(check)")
        }

        @Test(arguments: [
            ("/", "must not be the host's own root"), ("/absent", "not found"),
            ("/etc/passwd", "must be a directory, or a symbolic link to one"),
            ("rootfs", "must be a directory, or a symbolic link to one"),
        ])
        func otherLinksInTheRootsPlaceAreRefused(target: String, words: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran")
            try FileManager.default.moveItem(atPath: bundle.directory + "/rootfs", toPath: box.path("v2"))
            try FileManager.default.createSymbolicLink(
                atPath: bundle.directory + "/rootfs", withDestinationPath: target)
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("root.path") && line.contains(words), "\(line)")
            let check = try box.runtime("check", bundle.directory)
            #expect(check.status == 1 && check.stdout.contains("root.path: "), "\(check)")
            #expect(check.stdout.contains(words), "\(check)")
        }

        // MARK: Options of file systems

        @Test(arguments: [("sise=3m", true), ("size=3q", true), ("mode=9", false)])
        func anOptionThatTheKernelRefusesHasItsLine(option: String, isOption: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0.addMount("/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", option])
            }
            let lines = try String(contentsOfFile: bundle.directory + "/config.json", encoding: .utf8)
                .components(separatedBy: "\n")
            let written = try #require(lines.firstIndex { $0.contains("\"\(option)\"") }) + 1
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("at /t: ") && line.contains(option), "\(line)")
            let match = try #require(line.firstMatch(of: /; see config\.json:(\d+):\d+$/), "\(line)")
            let named = Int(match.1) ?? 0
            if isOption {
                #expect(named == written, "\(line)")
            } else {
                #expect((1...written).contains(named), "\(line)")
            }
        }
    }
}
