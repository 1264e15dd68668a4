import Foundation
import Glibc
import Testing

extension AllTests {
    /// What `spec` writes when it is asked for more than the usual.
    @Suite struct SpecFlags {
        /// The configuration that `spec` writes into a bundle with a root file system.
        private static func spec(
            _ flags: String..., environment: [String: String] = [:], location: SourceLocation = #_sourceLocation
        ) throws -> [String: Any] {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:0")
            let path = box.path("written.json")
            let outcome = try box.plain(
                ["spec", "--bundle", bundle.directory, "--file", path] + flags, Surroundings(environment: environment))
            #expect(
                outcome.status == 0 && outcome.stdout == "" && outcome.stderr == "", "\(outcome)",
                sourceLocation: location)
            let value = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            return try #require(value as? [String: Any])
        }

        private static func at(_ path: String, _ config: [String: Any]) -> Any? {
            var value: Any? = config
            for part in path.split(separator: ".") { value = (value as? [String: Any])?[String(part)] }
            return value
        }

        @Test func theProgramIsWritten() throws {
            let plain = try Self.spec("--", "httpd", "-f", "--help")
            #expect(Self.at("process.args", plain) as? [String] == ["httpd", "-f", "--help"])
            let flagged = try Self.spec("--arg", "sh", "--arg=-c", "--arg", "")
            #expect(Self.at("process.args", flagged) as? [String] == ["sh", "-c", ""])
            let both = try Self.spec("--arg", "env", "--", "sh")
            #expect(Self.at("process.args", both) as? [String] == ["env", "sh"])
        }

        @Test func theEnvironmentIsMerged() throws {
            let box = try Sandbox.current
            let file = try box.file("env", "# a comment\n\nA=from file\r\n  B=x=y\nGIVEN\nABSENT\nPATH=/bin\n")
            let config = try Self.spec(
                "--env-file", file, "--env", "A=1", "-e", "GIVEN", "-e", "E=", environment: ["GIVEN": "value"])
            #expect(
                Self.at("process.env", config) as? [String] == [
                    "PATH=/bin", "TERM=xterm", "A=1", "B=x=y", "GIVEN=value", "E=",
                ])
        }

        private static let passwd = """
            root:x:0:0:root:/root:/bin/sh
            web:x:33:44:web:/srv:/bin/false
            broken:x:many:1::/:
            other:x:1000:1000::/:
            """
        private static let group = "root:x:0:\nweb:x:44:web\ntty:x:5:other,web\ndisk:x:6:other,webber\nlog:x:7:web\n"

        struct UserCase: Sendable {
            let text: String
            let uid: Int
            let gid: Int
            var groups: [Int] = []
        }

        @Test(arguments: [
            UserCase(text: "web", uid: 33, gid: 44, groups: [5, 7]),
            UserCase(text: "33", uid: 33, gid: 44, groups: [5, 7]),
            UserCase(text: "web:tty", uid: 33, gid: 5), UserCase(text: "web:9", uid: 33, gid: 9),
            UserCase(text: "77", uid: 77, gid: 0), UserCase(text: "77:log", uid: 77, gid: 7),
            UserCase(text: "77:78", uid: 77, gid: 78), UserCase(text: "root", uid: 0, gid: 0),
        ])
        func usersAreLookedUpInTheBundle(user: UserCase) throws {
            let config = try withUsers { try $0("--user", user.text) }
            #expect(Self.at("process.user.uid", config) as? Int == user.uid)
            #expect(Self.at("process.user.gid", config) as? Int == user.gid)
            #expect(Self.at("process.user.additionalGids", config) as? [Int] ?? [] == user.groups)
        }

        private func withUsers(_ body: ((String...) throws -> [String: Any]) throws -> [String: Any]) throws -> [String:
            Any]
        {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:0")
            let name = bundle.directory.split(separator: "/").last.map(String.init) ?? ""
            try box.file("\(name)/rootfs/etc/passwd", Self.passwd)
            try box.file("\(name)/rootfs/etc/group", Self.group)
            return try body { (flags: String...) in
                let path = box.path("written.json")
                let outcome = try box.plain(["spec", "--bundle", bundle.directory, "--file", path] + flags)
                #expect(outcome.status == 0, "\(outcome)")
                let value = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
                return value as? [String: Any] ?? [:]
            }
        }

        /// An image's links lead nowhere else, and its devices and FIFOs are not opened.
        @Test func theImagesListsAreReadInsideTheImage() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:0")
            let etc = bundle.directory + "/rootfs/etc"
            try FileManager.default.createDirectory(atPath: etc, withIntermediateDirectories: true)
            try? FileManager.default.removeItem(atPath: etc + "/passwd")
            try FileManager.default.createSymbolicLink(atPath: etc + "/passwd", withDestinationPath: "/etc/passwd2")
            try Self.passwd.write(toFile: etc + "/passwd2", atomically: false, encoding: .utf8)
            let path = box.path("written.json")
            let spec = ["spec", "--bundle", bundle.directory, "--file", path, "--user"]
            #expect(try box.plain(spec + ["web"]).status == 0)
            try FileManager.default.removeItem(atPath: etc + "/passwd")
            mkfifo(etc + "/passwd", 0o644)
            let outcome = try box.plain(spec + ["web"])
            #expect(outcome.status == 1 && outcome.stderr.contains("\"web\" for flag --user"), "\(outcome)")
        }

        struct MountCase: Sendable {
            let text: String
            let destination: String
            var type = "bind"
            let source: String
            let options: [String]
        }

        @Test(arguments: [
            MountCase(text: "/data:/data", destination: "/data", source: "/data", options: ["rbind"]),
            MountCase(text: "data:/d:ro", destination: "/d", source: "HERE/data", options: ["rbind", "ro"]),
            MountCase(
                text: "/a:/b:bind,ro,nosuid", destination: "/b", source: "/a", options: ["bind", "ro", "nosuid"]),
            MountCase(
                text: "type=bind,src=/a,dst=/b,readonly", destination: "/b", source: "/a", options: ["rbind", "ro"]),
            MountCase(
                text: "source=data,target=/b,bind-propagation=rslave,ro=false", destination: "/b", source: "HERE/data",
                options: ["rbind", "rslave", "rw"]),
            MountCase(
                text: "type=tmpfs,destination=/tmp,size=16m,mode=1777", destination: "/tmp", type: "tmpfs",
                source: "tmpfs", options: ["size=16m", "mode=1777"]),
            MountCase(
                text: "type=tmpfs,dst=/tmp,tmpfs-size=1m,tmpfs-mode=700,noexec", destination: "/tmp", type: "tmpfs",
                source: "tmpfs", options: ["size=1m", "mode=700", "noexec"]),
        ])
        func mountsAreWritten(mount: MountCase) throws {
            let box = try Sandbox.current
            let config = try Self.spec("--mount", mount.text)
            let written = try #require((config["mounts"] as? [[String: Any]])?.last)
            #expect(written["destination"] as? String == mount.destination)
            #expect(written["type"] as? String == mount.type)
            #expect(
                written["source"] as? String == mount.source.replacingOccurrences(of: "HERE", with: box.directory))
            #expect(written["options"] as? [String] == mount.options)
        }

        @Test func severalMountsKeepTheirOrder() throws {
            let config = try Self.spec("--mount", "/a:/a", "--mount", "/b:/a/b")
            let mounts = config["mounts"] as? [[String: Any]] ?? []
            #expect(mounts.suffix(2).map { $0["destination"] as? String } == ["/a", "/a/b"])
        }

        @Test func limitsAreWritten() throws {
            let config = try Self.spec("--memory", "64m", "--cpus", "1.5", "--pids", "20")
            #expect(Self.at("linux.resources.memory.limit", config) as? Int == 64 << 20)
            #expect(Self.at("linux.resources.cpu.quota", config) as? Int == 150_000)
            #expect(Self.at("linux.resources.cpu.period", config) as? Int == 100_000)
            #expect(Self.at("linux.resources.pids.limit", config) as? Int == 20)
            #expect((Self.at("linux.resources.devices", config) as? [Any])?.count == 1)
            let rootless = try Self.spec("--rootless", "--memory", "1g")
            #expect(Self.at("linux.resources.memory.limit", rootless) as? Int == 1 << 30)
            #expect(Self.at("linux.resources.devices", rootless) == nil)
        }

        @Test(arguments: [("0.5", 50_000), (".5", 50_000), ("2", 200_000), ("0.01", 1000), ("2.123456", 212_345)])
        func numbersOfCPUsAreRead(text: String, quota: Int) throws {
            #expect(Self.at("linux.resources.cpu.quota", try Self.spec("--cpus", text)) as? Int == quota)
        }

        @Test func smallWishesAreWritten() throws {
            let config = try Self.spec(
                "--cwd", "/srv", "--hostname", "web", "--no-terminal", "--read-only=false", "--network", "host")
            #expect(Self.at("process.cwd", config) as? String == "/srv")
            #expect(config["hostname"] as? String == "web")
            #expect(Self.at("process.terminal", config) as? Bool == false)
            #expect((Self.at("process.env", config) as? [String])?.contains { $0.hasPrefix("TERM=") } == false)
            #expect(Self.at("root.readonly", config) as? Bool == false)
            #expect(!namespaces(config).contains("network"))
            let usual = try Self.spec("--read-only")
            #expect(Self.at("root.readonly", usual) as? Bool == true && namespaces(usual).contains("network"))
            #expect(Self.at("process.terminal", usual) as? Bool == true)
        }

        @Test(arguments: ["none", "new"]) func aNetworkOfItsOwnIsForOrdinaryUsersToo(word: String) throws {
            let config = try Self.spec("--rootless", "--network", word)
            #expect(namespaces(config).contains("network"))
            let sysfs = (config["mounts"] as? [[String: Any]])?.first { $0["destination"] as? String == "/sys" }
            #expect(sysfs?["type"] as? String == "sysfs")
            #expect(namespaces(try Self.spec("--network", word)).contains("network"))
        }

        private func namespaces(_ config: [String: Any]) -> [String] {
            (Self.at("linux.namespaces", config) as? [[String: Any]] ?? []).compactMap { $0["type"] as? String }
        }

        @Test func aFileOfSeccompRulesIsTakenAsItIs() throws {
            let box = try Sandbox.current
            let file = try box.file("rules.json", #"{ "defaultAction": "SCMP_ACT_ALLOW" }"# + "\n\n")
            let config = try Self.spec("--seccomp", file)
            #expect(Self.at("linux.seccomp.defaultAction", config) as? String == "SCMP_ACT_ALLOW")
        }

        /// Beside the executable, where `make install` puts them.
        @Test func theInstalledRulesAreTheDefault() throws {
            let box = try Sandbox.current
            try box.folder("usr/bin")
            let program = box.path("usr/bin/runbox")
            try FileManager.default.copyItem(
                atPath: URL(fileURLWithPath: Programs.runtime).resolvingSymlinksInPath().path, toPath: program)
            try box.file("usr/share/runbox/seccomp.json", #"{"defaultAction": "SCMP_ACT_LOG"}"#)
            let outcome = try box.aside([program, "spec", "--seccomp", "default", "-f", box.path("c.json")]).wait()
            #expect(outcome.status == 0, "\(outcome)")
            let text = try String(contentsOfFile: box.path("c.json"), encoding: .utf8)
            #expect(text.contains("SCMP_ACT_LOG"))
        }

        @Test func theProjectsRulesMakeAFileThatCheckAccepts() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:0")
            try FileManager.default.removeItem(atPath: bundle.directory + "/config.json")
            let outcome = try box.plain([
                "spec", "--bundle", bundle.directory, "--seccomp", Programs.package + "/config/seccomp.json",
                "--no-terminal", "--", "/probe", "say:hello",
            ])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try box.runtime("check", bundle.directory).stdout.contains("0 errors"))
            #expect(try box.run(bundle).stdout == "hello\n")
        }

        @Test func aWishedContainerIsWhatWasWished() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:0")
            try box.file("shared/file", "content")
            try FileManager.default.removeItem(atPath: bundle.directory + "/config.json")
            let outcome = try box.plain([
                "spec", "-b", bundle.directory, "--no-terminal", "--user", "1000:1000", "--cwd", "/tmp", "-e", "A=1",
                "--hostname", "named", "--mount", "shared:/mnt:ro", "--mount", "type=tmpfs,dst=/tmp,mode=1777", "--",
                "/probe", "ids", "cwd", "env", "uts", "read:/mnt/file", "create:/mnt/new", "create:/new",
            ])
            #expect(outcome.status == 0, "\(outcome)")
            let facts = try box.run(bundle)
            #expect(facts.status == 0 && facts["cwd"] == "/tmp" && facts["env.A"] == "1", "\(facts)")
            #expect(facts["read./mnt/file"] == "content" && facts["create./mnt/new"] == "EROFS", "\(facts)")
            #expect(facts["create./new"] == "EROFS", "the root is read-only: \(facts)")
            #expect(facts.stdout.contains("named"), "\(facts)")
        }

        @Test(arguments: [
            ["--user", "nobody-there"], ["--user", "1:"], ["--user", ":1"], ["--user", "1:2:3"], ["--user", ""],
            ["--user", "1:nogroup-there"], ["--cwd", "relative"], ["--mount", "/a"], ["--mount", "/a:b"],
            ["--mount", "type=bind,dst=/b"], ["--mount", "type=volume,src=v,dst=/b"], ["--mount", "type=tmpfs"],
            ["--memory", "much"], ["--memory", "-1"], ["--memory", "0"], ["--cpus", "0"], ["--cpus", "1.5.2"],
            ["--cpus", "-1"], ["--pids", "0"], ["--pids", "some"], ["--network", "bridge"], ["--env", "=x"],
            ["--env", "NOT_SET_ANYWHERE"], ["--env-file", "absent"], ["--seccomp", "absent"], ["sh"], ["web/"],
            ["--", ""],
        ])
        func mistakesAreOneLineAndWriteNothing(flags: [String]) throws {
            let box = try Sandbox.current
            let here = Surroundings(directory: try box.folder("here"))
            let outcome = try box.plain(["spec"] + flags, here)
            #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.stdout == "", "\(outcome)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: box.path("here")).isEmpty)
        }

        @Test(arguments: [
            (#"{"defaultAction": "SCMP_ACT_PERHAPS"}"#, "linux.seccomp.defaultAction"), ("[1]", "linux.seccomp"),
            ("{", "1:2"), ("", "1:1"), (#"{"archMap": []}"#, "defaultAction"),
        ])
        func rulesThatAreNoneAreRefused(text: String, words: String) throws {
            let box = try Sandbox.current
            let file = try box.file("rules.json", text)
            let outcome = try box.plain(["spec", "--seccomp", file, "-f", box.path("c.json")])
            #expect(outcome.status == 1 && outcome.stderr.contains(words), "\(outcome)")
            #expect(outcome.stderr.contains("rules.json"), "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: box.path("c.json")))
        }

        @Test func aMissingBundleFolderIsNamed() throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["spec", "--bundle", box.path("no")])
            #expect(
                outcome.status == 1 && outcome.stderr.contains("there is no folder \(box.path("no"))"), "\(outcome)")
        }
    }
}
