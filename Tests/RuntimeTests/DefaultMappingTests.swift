import Foundation
import Testing

extension AllTests {
    /// A user namespace for which the configuration gives no mappings, as root. crun's come from /etc/subuid.
    @Suite(.needsRoot) struct DefaultMappingsOfRoot {
        /// Files of ids for a command of its own.
        private func surroundings(_ box: Sandbox, _ lines: String) throws -> Surroundings {
            let file = try box.file("ids", lines)
            let script =
                "touch /etc/subuid /etc/subgid; mount --bind \(file) /etc/subuid && mount --bind \(file) /etc/subgid && exec \"$0\" \"$@\""
            return Surroundings(prefix: ["unshare", "-m", "--propagation", "shared", "sh", "-c", script])
        }

        @Test(arguments: [
            ("", "0 0 1"), ("root:200000:65536\n", "0 0 1,1 200000 65536"), ("other:200000:65536\n", "0 0 1"),
        ])
        func rootIsTheHostsAndTheRestIsInTheFile(lines: String, mappings: String) throws {
            let box = try Sandbox.current
            let seen = try box.look("userns", "ids", "stat:/etc/passwd", with: surroundings(box, lines)) {
                $0.namespace("user")
            }
            #expect(seen["uid_map"] == mappings && seen["gid_map"] == mappings, "\(seen)")
            #expect(seen["uid"] == "0" && seen["gid"] == "0", "\(seen)")
        }

        @Test func whoIsNotInTheFileIsNobody() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0.namespace("user")
                $0["process.user"] = ["uid": 1000, "gid": 1000]
            }
            let line = try box.refused(try box.run(bundle, with: surroundings(box, "")))
            #expect(line.contains("process.user.") && line.contains("1000 is not mapped"), "\(line)")
        }

        @Test func mountsAreMadeWithTheirOptions() throws {
            let box = try Sandbox.current
            let source = try box.folder("source")
            let seen = try box.look(
                "mount:/t", "mount:/b", "mount:/s", "mount:/sys", "mount:/sys/fs/cgroup", "mount:/dev/pts",
                "mkdir:/tmp/m",
                "tmpfs:/tmp/m", "mount:/tmp/m", "write:/dev/null:x", with: surroundings(box, "")
            ) {
                $0.namespace("user")
                $0.namespace("cgroup")
                $0.capabilities(["CAP_SYS_ADMIN"])
                $0.addMount("/t", type: "tmpfs", source: "tmpfs", options: ["size=10m", "noatime", "ro", "nosuid"])
                $0.addMount("/b", type: "none", source: source, options: ["rbind", "ro", "nodev", "noexec", "private"])
                $0.addMount("/s", type: "none", source: source, options: ["rbind", "rslave"])
                $0.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "ro"])
            }
            func options(_ path: String) -> Set<String> { Set(seen.words("mount.\(path).options", separator: ",")) }
            #expect(options("/t").isSuperset(of: ["ro", "noatime", "nosuid"]), "\(seen)")
            #expect(seen.words("mount./t.super", separator: ",").contains("size=10240k"), "\(seen)")
            #expect(options("/b").isSuperset(of: ["ro", "nodev", "noexec"]), "\(seen)")
            #expect(seen["mount./b.propagation"] == "private", "\(seen)")
            #expect(seen["mount./s.propagation"] == "master", "\(seen)")
            #expect(seen["mount./sys.type"] == "sysfs" && seen["mount./sys/fs/cgroup.type"] == "cgroup2", "\(seen)")
            #expect(seen["mount./dev/pts.type"] == "devpts" && seen["write./dev/null"] == "ok", "\(seen)")
            #expect(seen["tmpfs./tmp/m"] == "ok" && seen["mount./tmp/m.type"] == "tmpfs", "\(seen)")
        }

        /// The host's, of which the container's root, who is the host's here, can change nothing.
        @Test(.needsCgroupTree, arguments: [[], ["ro"], ["rw"]])
        func withoutACgroupNamespaceTheHostsCgroupsAreShown(words: [String]) throws {
            let box = try Sandbox.current
            let seen = try box.look(
                "mount:/sys/fs/cgroup", "mkdir:/sys/fs/cgroup/\(box.id("new"))", "umount:/sys/fs/cgroup",
                with: surroundings(box, "")
            ) {
                $0.namespace("user")
                $0.capabilities(["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"])
                $0.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"] + words)
            }
            #expect(seen["mount./sys/fs/cgroup.type"] == "cgroup2", "\(seen)")
            #expect(seen["mkdir./sys/fs/cgroup/\(box.id("new"))"] == "EROFS", "\(seen)")
            #expect(seen["umount./sys/fs/cgroup"] == "EINVAL", "\(seen)")
        }

        @Test func withoutANetworkNamespaceTheHostsSysfsIsShown() throws {
            let box = try Sandbox.current
            let seen = try box.look("mount:/sys", "mount:/t", with: surroundings(box, "")) {
                $0.namespace("user")
                $0.dropNamespace("network")
                $0.addMount("/t", type: "tmpfs", source: "tmpfs", options: ["size=1m"])
            }
            #expect(seen["mount./sys.type"] == "sysfs", "\(seen)")
            #expect(seen.words("mount./sys.options", separator: ",").contains("ro"), "\(seen)")
            #expect(seen.words("mount./t.super", separator: ",").contains("size=1024k"), "\(seen)")
        }

        @Test func execKnowsTheMappings() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { $0.namespace("user") }
            _ = try box.create(bundle)
            try box.ok("start", box.id)
            let outcome = try box.ok("exec", box.id, "/probe", "userns", "ids")
            #expect(outcome["uid_map"]?.hasPrefix("0 0 1") == true && outcome["uid"] == "0", "\(outcome)")
        }
    }

    /// linux.devices of a container with a user namespace, made by the host's root.
    @Suite(.needsRoot, .needsDeviceNodes) struct DevicesBelowUserNamespaces {
        private static let devices = """
            [{"path": "/dev/made", "type": "c", "major": 1, "minor": 5, "fileMode": 416, "uid": 5, "gid": 6},
             {"path": "/dev/sub/plain", "type": "c", "major": 1, "minor": 3},
             {"path": "/opt/deep/block", "type": "b", "major": 7, "minor": 300, "fileMode": 384},
             {"path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 384, "uid": 7},
             {"path": "/dev/pipe", "type": "p", "fileMode": 384, "uid": 8}]
            """
        private static let verbs = [
            "stat:/dev/made", "read:/dev/made", "mount:/dev/made", "stat:/dev/sub/plain", "write:/dev/sub/plain:x",
            "stat:/opt/deep/block", "stat:/dev/full", "stat:/dev/pipe", "stat:/dev/zero", "list:/..",
        ]

        private func expect(_ seen: Outcome, location: SourceLocation = #_sourceLocation) {
            #expect(seen.status == 0 && seen.stderr == "", "\(seen)", sourceLocation: location)
            func facts(_ path: String) -> String { seen["stat.\(path)"] ?? "" }
            #expect(facts("/dev/made").hasPrefix("char 0640 5:6"), "\(seen)", sourceLocation: location)
            #expect(facts("/dev/made").hasSuffix("1:5"), "\(seen)", sourceLocation: location)
            #expect(facts("/dev/sub/plain").hasPrefix("char 0666 0:0"), "\(seen)", sourceLocation: location)
            #expect(seen["write./dev/sub/plain"] == "ok", "\(seen)", sourceLocation: location)
            #expect(facts("/opt/deep/block").hasPrefix("block 0600 0:0"), "\(seen)", sourceLocation: location)
            #expect(facts("/opt/deep/block").hasSuffix("7:300"), "\(seen)", sourceLocation: location)
            #expect(facts("/dev/full").hasPrefix("char 0600 7:0"), "\(seen)", sourceLocation: location)
            #expect(facts("/dev/pipe").contains("0600 8:0"), "\(seen)", sourceLocation: location)
            let options = Set(seen.facts.words("mount./dev/made.options", separator: ","))
            #expect(options.isSuperset(of: ["nosuid", "noexec", "rw"]), "\(seen)", sourceLocation: location)
            #expect(
                seen.facts.words("list./..").contains("probe"), "what they are made on is gone",
                sourceLocation: location)
        }

        @Test(arguments: [0o022, 0o777] as [mode_t]) func nodesAreMadeAsWritten(mask: mode_t) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/probe"] + Self.verbs) {
                $0.userNamespace()
                try $0.set("linux.devices", json: Self.devices)
            }
            try bundle.chown(to: 100_000)
            let script = "umask \(String(mask, radix: 8)); exec \"$0\" \"$@\""
            expect(try box.run(bundle, with: Surroundings(prefix: ["sh", "-c", script])))
        }

        /// Without mappings of its own in the configuration.
        @Test func nodesAreMadeForAJoinedUserNamespace() throws {
            let box = try Sandbox.current
            let other = try box.bundle("hang") { $0.userNamespace() }
            try other.chown(to: 100_000)
            _ = try box.create(other, id: box.id("other"))
            try box.ok("start", box.id("other"))
            let pid = try #require(try box.state(box.id("other"))["pid"] as? Int)
            let bundle = try box.bundle(args: ["/probe"] + Self.verbs) {
                $0.namespace("user", path: "/proc/\(pid)/ns/user")
                try $0.set("linux.devices", json: Self.devices)
            }
            try bundle.chown(to: 100_000)
            expect(try box.run(bundle))
        }

        @Test func nodesAreMadeInAFolderOfTheImage() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/dev/made", "read:/dev/made") {
                $0.userNamespace()
                $0.dropMount("/dev/pts")
                $0.dropMount("/dev/shm")
                $0.dropMount("/dev/mqueue")
                $0.dropMount("/dev")
                try $0.set("linux.devices", json: #"[{"path": "/dev/made", "type": "c", "major": 1, "minor": 3}]"#)
            }
            try bundle.chown(to: 100_000)
            let seen = try box.run(bundle)
            #expect(seen["stat./dev/made"]?.hasSuffix("1:3") == true && seen["read./dev/made"] == "", "\(seen)")
        }

        @Test func anOwnerWithoutAMappingIsNobody() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/dev/made") {
                $0.userNamespace(size: 10)
                try $0.set(
                    "linux.devices", json: #"[{"path": "/dev/made", "type": "c", "major": 1, "minor": 3, "uid": 99}]"#)
            }
            try bundle.chown(to: 100_000)
            let seen = try box.run(bundle)
            #expect(seen.status == 0 && seen["stat./dev/made"]?.contains("65534:0") == true, "\(seen)")
            #expect(seen.stderr.contains("linux.devices[0].uid: 99 is not mapped"), "\(seen)")
            #expect(try box.run(bundle, global: ["--strict"]).status == 1)
        }
    }
}
