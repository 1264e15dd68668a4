import Foundation
import Testing

extension AllTests {
    /// How a bundle is named: by a flag, by the folder one is in, by a path instead of an ID.
    @Suite struct Bundles {
        @Test(arguments: [["--bundle", "DIR"], ["-b", "DIR"], ["--bundle=DIR"], ["-bundle", "DIR"]])
        func aBundleIsGivenByFlag(words: [String]) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            let flags = words.map { $0.replacingOccurrences(of: "DIR", with: bundle.directory) }
            let outcome = try box.plain(["--root", box.root, "run"] + flags + [box.id])
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        @Test func theFolderOneIsInIsTheDefault() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello")
            let outcome = try box.runtime("run", box.id, with: Surroundings(directory: bundle.directory))
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        /// A bundle in a folder whose name finds its leftovers.
        private func named(_ box: Sandbox, _ verbs: String...) throws -> Bundle {
            let bundle = try Bundle(directory: box.path(box.id("web")))
            try bundle.write(Config(args: ["/probe"] + verbs))
            return bundle
        }

        @Test(arguments: ["DIR/", "./DIR", "ABS", "ABS/", "./DIR/"])
        func aBundleIsGivenByPath(form: String) throws {
            let box = try Sandbox.current
            let bundle = try named(box, "say:hello", "uts")
            let word = form.replacingOccurrences(of: "DIR", with: box.id("web"))
                .replacingOccurrences(of: "ABS", with: bundle.directory)
            let outcome = try box.runtime("run", word)
            #expect(outcome.status == 0 && outcome.stdout.hasPrefix("hello\n"), "\(outcome)")
        }

        @Test func aDotIsTheCurrentFoldersBundle() throws {
            let box = try Sandbox.current
            let bundle = try named(box, "say:hello")
            let outcome = try box.runtime("run", ".", with: Surroundings(directory: bundle.directory))
            #expect(outcome.status == 0 && outcome.stdout == "hello\n", "\(outcome)")
        }

        /// Never another one: what has the name may be the same service, still running.
        @Test func theNameIsThatOfTheFolder() throws {
            let box = try Sandbox.current
            let bundle = try named(box, "hang")
            #expect(try box.runtime("run", "--detach", bundle.directory + "/").status == 0)
            let second = try box.runtime("run", "--detach", bundle.directory + "/")
            #expect(
                second.status == 1 && second.stderr.contains("already exists: \(box.id("web")) is running"), "\(second)"
            )
            #expect(try box.runtime("list", "-q").stdout == "\(box.id("web"))\n")
        }

        @Test func theConfigFileMayHaveAnotherName() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:usual")
            let other = try Config(args: ["/probe", "say:other"]).data()
            try other.write(to: URL(fileURLWithPath: bundle.directory + "/other.json"))
            let long = try box.runtime("run", "--bundle", bundle.directory, "--config", "other.json", box.id)
            #expect(long.status == 0 && long.stdout == "other\n", "\(long)")
            let short = try box.runtime("run", "-b", bundle.directory, "-f", bundle.directory + "/other.json", box.id)
            #expect(short.status == 0 && short.stdout == "other\n", "\(short)")
        }

        @Test func theStatesBundleIsAbsolute() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let relative = URL(fileURLWithPath: bundle.directory).lastPathComponent
            try box.ok("create", "--bundle", relative, box.id)
            let state = try box.state()
            #expect(state["bundle"] as? String == bundle.directory)
            #expect(state["rootfs"] as? String == bundle.rootfs)
        }

        // MARK: What is not there

        @Test func aMissingBundleIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refused(try box.runtime("run", "--bundle", box.path("nothing"), box.id))
            #expect(line.contains(box.path("nothing")), "\(line)")
        }

        @Test func aMissingBundleByPathIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refused(try box.runtime("run", "./nothing/"))
            #expect(line.contains("nothing"), "\(line)")
        }

        @Test func aBundleWithoutConfigIsAnError() throws {
            let box = try Sandbox.current
            let folder = try box.folder("empty")
            let line = try box.refused(try box.runtime("run", "--bundle", folder, box.id))
            #expect(line.contains("config.json"), "\(line)")
        }

        @Test func aConfigThatIsAFolderIsAnError() throws {
            let box = try Sandbox.current
            try box.folder("odd/config.json")
            let line = try box.refused(try box.runtime("run", "--bundle", box.path("odd"), box.id))
            #expect(line.contains("config.json"), "\(line)")
        }

        @Test func theConfigIsReadBeforeTheIDIsLookedAt() throws {
            let box = try Sandbox.current
            let folder = try box.folder("empty")
            let line = try box.refused(try box.runtime("create", "--bundle", folder, "a b"))
            #expect(line.contains("config.json"), "\(line)")
        }
    }

    /// `spec`
    @Suite struct SpecCommand {
        private func written(_ box: Sandbox, _ flags: [String] = []) throws -> Config {
            try box.folder("new")
            let outcome = try box.plain(["spec"] + flags, Surroundings(directory: box.path("new")))
            #expect(outcome.status == 0 && outcome.stdout == "" && outcome.stderr == "", "\(outcome)")
            return try parsed(box.path("new/config.json"))
        }

        private func parsed(_ path: String) throws -> Config {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            var config = Config(args: [])
            let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
            for key in config.object.keys { config[key] = nil }
            for (key, value) in object { config[key] = value }
            return config
        }

        @Test func specWritesTheDefault() throws {
            let config = try written(try Sandbox.current)
            #expect((config["ociVersion"] as? String)?.hasPrefix("1.") == true)
            #expect(config["process.terminal"] as? Bool == true)
            #expect(config["process.args"] as? [String] == ["sh"])
            #expect(config["process.cwd"] as? String == "/")
            #expect(config["process.noNewPrivileges"] as? Bool == true)
            #expect(config["root.path"] as? String == "rootfs" && config["root.readonly"] as? Bool == true)
            #expect(config["process.capabilities.bounding"] as? [String] == Config.capabilities)
            #expect((config["process.env"] as? [String])?.contains("TERM=xterm") == true)
            let mounts = (config["mounts"] as? [[String: Any]])?.compactMap { $0["destination"] as? String }
            #expect(mounts == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"])
            let namespaces = (config["linux.namespaces"] as? [[String: String]])?.compactMap { $0["type"] } ?? []
            #expect(Set(namespaces).isSuperset(of: ["pid", "network", "ipc", "uts", "mount"]), "\(namespaces)")
            #expect(config["process.rlimits.0.type"] as? String == "RLIMIT_NOFILE")
            #expect((config["linux.maskedPaths"] as? [String])?.contains("/proc/kcore") == true)
            #expect((config["linux.readonlyPaths"] as? [String])?.contains("/proc/sys") == true)
            #expect(config["linux.resources.devices.0.allow"] as? Bool == false)
        }

        @Test func specWritesIntoAnotherFolder() throws {
            let box = try Sandbox.current
            try box.folder("a")
            try box.folder("b")
            #expect(try box.plain(["spec", "-b", box.path("a")]).status == 0)
            #expect(try box.plain(["spec", "--bundle", box.path("b")]).status == 0)
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: box.path("a/config.json")))
                    == Data(contentsOf: URL(fileURLWithPath: box.path("b/config.json"))))
        }

        @Test func anExistingFileIsNotOverwritten() throws {
            let box = try Sandbox.current
            try box.file("config.json", "mine")
            let outcome = try box.plain(["spec"])
            #expect(
                outcome.status == 1 && outcome.stderr.contains("config.json") && outcome.stderr.contains("exists"),
                "\(outcome)")
            #expect(try String(contentsOfFile: box.path("config.json"), encoding: .utf8) == "mine")
        }

        @Test func specWritesARootlessConfig() throws {
            let config = try written(try Sandbox.current, ["--rootless"])
            let namespaces = (config["linux.namespaces"] as? [[String: String]])?.compactMap { $0["type"] } ?? []
            #expect(namespaces.contains("user") && !namespaces.contains("network"), "\(namespaces)")
            #expect((config["linux.uidMappings"] as? [Any])?.count == 1)
            #expect(
                config["linux.uidMappings.0.containerID"] as? Int == 0
                    && config["linux.uidMappings.0.size"] as? Int == 1)
            #expect((config["linux.gidMappings"] as? [Any])?.count == 1)
            #expect(config["linux.resources"] == nil)
            let options = (config["mounts"] as? [[String: Any]])?.flatMap { $0["options"] as? [String] ?? [] } ?? []
            #expect(!options.contains { $0.hasPrefix("gid=") || $0.hasPrefix("uid=") }, "\(options)")
            let sys = (config["mounts"] as? [[String: Any]])?.first { $0["destination"] as? String == "/sys" }
            #expect((sys?["options"] as? [String])?.contains("rbind") == true)
        }

        @Test func runTakesItUnchanged() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:unused")
            try FileManager.default.removeItem(atPath: bundle.configPath)
            #expect(try box.plain(["spec", "--bundle", bundle.directory]).status == 0)
            let terminal = try Terminal()
            let running = try box.begin(
                ["--root", box.root, "run", "--bundle", bundle.directory, box.id], Surroundings(terminal: terminal.path)
            )
            #expect(terminal.reads("# "), "no prompt: \(terminal.text)")
            terminal.type("echo $((6*7)); exit 5\n")
            #expect(terminal.reads("42"))
            #expect(running.wait().status == 5)
        }
    }
}
