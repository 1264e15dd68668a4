import Foundation
import Testing

extension AllTests {
    /// mounts add, mounts remove
    @Suite(.needsRoot) struct RunningMounts {
        /// A container that runs and is nobody's child here.
        private static func started(_ box: Sandbox, edit: (inout Config) throws -> Void = { _ in }) throws {
            let bundle = try box.bundle("say:ready", "hang", edit: edit)
            // Root of a user namespace can make nothing in a root file system of the host's root.
            try FileManager.default.createDirectory(
                atPath: bundle.directory + "/rootfs/data/new", withIntermediateDirectories: true)
            let created = try box.create(bundle)
            try box.ok("start", box.id)
            #expect(created.says("ready"))
        }

        private static func mounts(_ verb: String, _ json: String, flags: [String] = []) throws -> Outcome {
            let box = try Sandbox.current
            let file = try box.file("mounts.json", json)
            return try box.plain(["--root", box.root] + flags + ["mounts", verb, box.id, file])
        }

        private static func look(_ verbs: String...) throws -> Outcome {
            let box = try Sandbox.current
            return try box.plain(["--root", box.root, "exec", box.id, "/probe"] + verbs)
        }

        @Test(arguments: [false, true]) func aFolderComesAndGoes(inUserNamespace: Bool) throws {
            let box = try Sandbox.current
            try box.folder("shared", mode: 0o777)
            try box.file("shared/file", "content")
            try Self.started(box) { if inUserNamespace { $0.userNamespace() } }
            let json = """
                [{"destination": "/data/new", "source": "\(box.path("shared"))", "options": ["rbind", "ro", "nosuid"]}]
                """
            let added = try Self.mounts("add", json)
            #expect(added.status == 0 && added.stdout == "" && added.stderr == "", "\(added)")
            let facts = try Self.look("read:/data/new/file", "create:/data/new/x", "mount:/data/new")
            #expect(facts["read./data/new/file"] == "content" && facts["create./data/new/x"] == "EROFS", "\(facts)")
            #expect(facts["mount./data/new.options"]?.contains("nosuid") == true, "\(facts)")
            // Nothing shows on the host.
            let host = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
            #expect(!host.contains("/data/new"))
            let removed = try Self.mounts("remove", json)
            #expect(removed.status == 0 && removed.stderr == "", "\(removed)")
            #expect(try Self.look("read:/data/new/file")["read./data/new/file"] == "ENOENT")
            let again = try Self.mounts("remove", json)
            #expect(again.status == 1 && again.stderr.contains("nothing is mounted there"), "\(again)")
        }

        @Test func anObjectIsTakenTooAndSeveralNest() throws {
            let box = try Sandbox.current
            let file = try box.file("one", "content")
            try Self.started(box)
            let json = """
                {"mounts": [
                  {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m", "mode=700"]},
                  {"destination": "/t/below/file", "type": "bind", "source": "\(file)", "options": ["bind", "ro"]}
                ]}
                """
            #expect(try Self.mounts("add", json).status == 0)
            let facts = try Self.look("read:/t/below/file", "stat:/t", "create:/t/x")
            #expect(facts["read./t/below/file"] == "content" && facts["create./t/x"] == "ok", "\(facts)")
            #expect(facts["stat./t"]?.contains("0700") == true, "\(facts)")
            let removed = try Self.mounts("remove", json)
            #expect(removed.status == 0, "\(removed)")
            #expect(try Self.look("read:/t/below/file")["read./t/below/file"] == "ENOENT")
        }

        @Test func standardInputIsTakenToo() throws {
            let box = try Sandbox.current
            try Self.started(box)
            let json = #"[{"destination": "/t", "type": "tmpfs", "source": "tmpfs"}]"#
            let words = ["--root", box.root, "mounts", "add", box.id, "-"]
            #expect(try box.plain(words, Surroundings(input: json)).status == 0)
            #expect(try Self.look("mount:/t")["mount./t.type"] == "tmpfs")
        }

        /// What was mounted along a link of the image goes again when a later one fails.
        @Test func whatALinkHasLedAwayIsTakenBack() throws {
            let box = try Sandbox.current
            try box.folder("shared")
            try Self.started(box)
            try box.folder("bundle/rootfs/run/a")
            try box.folder("bundle/rootfs/var")
            symlink("../run", box.path("bundle/rootfs/var/run"))
            let json = """
                [{"destination": "/var/run/a", "source": "\(box.path("shared"))", "options": ["rbind"]},
                 {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["nosuchoption"]}]
                """
            let outcome = try Self.mounts("add", json)
            #expect(outcome.status == 1 && outcome.stderr.contains("nosuchoption"), "\(outcome)")
            #expect(try Self.look("mount:/run/a")["mount./run/a.type"] == nil)
        }

        /// However the path of a source winds on the host, it is the host's.
        @Test func aSourceByWayOfTheHostsRootIsTheHosts() throws {
            let box = try Sandbox.current
            try box.file("shared/file", "the host's")
            symlink("/", box.path("slash"))
            try Self.started(box)
            let json = """
                [{"destination": "/data/new", "source": "\(box.path("slash"))\(box.path("shared"))", "options": ["rbind"]}]
                """
            #expect(try Self.mounts("add", json).status == 0)
            #expect(try Self.look("read:/data/new/file")["read./data/new/file"] == "the host's")
        }

        @Test func allOfThemOrNone() throws {
            let box = try Sandbox.current
            try Self.started(box)
            let outcome = try Self.mounts(
                "add",
                """
                [{"destination": "/a", "type": "tmpfs", "source": "tmpfs"},
                 {"destination": "/b", "type": "tmpfs", "source": "tmpfs", "options": ["sise=1m"]}]
                """)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains("mounts[1] at /b: ") && outcome.stderr.contains("sise"), "\(outcome)")
            #expect(try Self.look("mount:/a")["mount./a.type"] == nil)
        }

        /// The image leads the way out of the root.
        @Test func linksStayInside() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:ready", "hang")
            let outside = try box.folder("outside")
            try FileManager.default.createSymbolicLink(
                atPath: bundle.directory + "/rootfs/link", withDestinationPath: outside)
            let created = try box.create(bundle)
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let json = #"[{"destination": "/link/in", "type": "tmpfs", "source": "tmpfs"}]"#
            #expect(try Self.mounts("add", json).status == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
            #expect(try Self.look("mount:\(outside)/in")["mount.\(outside)/in.type"] == "tmpfs")
            // A link that the container has put there could lead to what masks a path.
            let removed = try Self.mounts("remove", json)
            #expect(removed.status == 1 && removed.stderr.contains("symbolic link"), "\(removed)")
            let real = #"[{"destination": "\#(outside)/in"}]"#
            #expect(try Self.mounts("remove", real).status == 0)
        }

        @Test func aPausedAndACreatedContainerGetMountsToo() throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("mount:/t", "say:it goes on", "hang"))
            #expect(try Self.mounts("add", #"[{"destination": "/t", "type": "tmpfs", "source": "tmpfs"}]"#).status == 0)
            try box.ok("start", box.id)
            #expect(try Self.look("mount:/t")["mount./t.type"] == "tmpfs")
        }

        @Test(arguments: [
            (#"[{"destination": "/", "type": "tmpfs"}]"#, "root file system"),
            (#"[{"destination": "/proc/cpuinfo", "source": "/etc/hostname", "options": ["bind"]}]"#, "below /proc"),
            (#"[{"destination": "/p", "type": "proc"}]"#, "procfs"),
            (#"[{"destination": "/dev", "type": "tmpfs"}]"#, "would be empty"),
            (#"[{"destination": "/t", "type": "tmpfs", "options": ["tmpcopyup"]}]"#, "tmpcopyup"),
            (#"[{"destination": "/t", "options": ["remount", "ro"]}]"#, "remount"),
            (#"[{"destination": "/x", "source": "/no/such", "options": ["rbind"]}]"#, "/no/such: not found"),
            (#"[{"destination": "/x", "options": ["rbind"]}]"#, "mounts[0].source"),
            ("[{\"destination\": 1}]", "mounts.json:1:"), ("{\"process\": 1}", "mounts.json"), ("[", "mounts.json:1:"),
            ("", "mounts.json"), ("{}", "mounts.json"), ("[\n 1\n]", "mounts.json:2:2"),
        ])
        func whatCannotBeAddedIsRefused(json: String, words: String) throws {
            let box = try Sandbox.current
            try Self.started(box)
            let outcome = try Self.mounts("add", json)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains(words), "\(outcome)")
        }

        @Test func theRestIsRefusedToo() throws {
            let box = try Sandbox.current
            let json = #"[{"destination": "/t", "type": "tmpfs", "source": "tmpfs"}]"#
            let absent = try Self.mounts("add", json)
            #expect(absent.status == 1 && absent.stderr.contains("does not exist"), "\(absent)")
            try Self.started(box)
            #expect(try Self.mounts("list", json).status == 1)
            #expect(try box.runtime("mounts", "add", box.id, box.path("absent")).status == 1)
            #expect(try Self.mounts("remove", #"[{"destination": "/"}]"#).status == 1)
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            let stopped = try Self.mounts("add", json)
            #expect(stopped.status == 1 && stopped.stderr.contains("container not running"), "\(stopped)")
        }
    }

    /// delete --regex
    @Suite struct DeletingByName {
        private static func names(_ box: Sandbox) throws -> [String] {
            try box.ok("list", "-q").stdout.split(separator: "\n").map(String.init)
        }

        @Test func whatMatchesIsDeleted() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:0")
            for suffix in ["web1", "web22", "db", "xweb3"] { _ = try box.create(bundle, id: box.id(suffix)) }
            let none = try box.ok("delete", "--regex", "^nothing$")
            #expect(none.stderr == "")
            #expect(try Self.names(box).count == 4)
            try box.ok("delete", "--regex", "^\(box.id)web[0-9]+$")
            #expect(try Self.names(box) == ["db", "xweb3"].map(box.id))
            // A part is enough.
            try box.ok("delete", "-r", "(web|nothing)")
            #expect(try Self.names(box) == [box.id("db")])
        }

        @Test func whatCannotBeDeletedIsSaidAndTheOthersGo() throws {
            let box = try Sandbox.current
            let created = try box.create(try box.bundle("say:ready", "hang"), id: box.id("a"))
            try box.ok("start", box.id("a"))
            #expect(created.says("ready"))
            _ = try box.create(try box.bundle("exit:0"), id: box.id("b"))
            let outcome = try box.runtime("delete", "--regex", box.id)
            #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains("\(box.id("a")): cannot delete"), "\(outcome)")
            #expect(try Self.names(box) == [box.id("a")])
            try box.ok("delete", "--force", "--regex", box.id)
            #expect(try Self.names(box) == [])
        }

        @Test(arguments: ["(", "*", "[a", "a{2,1}"]) func whatIsNoExpressionIsRefused(text: String) throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"))
            let outcome = try box.runtime("delete", "--force", "--regex", text)
            #expect(outcome.status == 1 && outcome.stderr.contains("invalid regular expression"), "\(outcome)")
            #expect(try Self.names(box) == [box.id])
        }
    }
}
