import Foundation
import Glibc
import Testing

extension AllTests {
    /// Idmapped mounts: the words `idmap` and `ridmap`, uidMappings and gidMappings of a mount
    @Suite struct IDMaps {
        private func own(_ path: String, _ uid: uid_t, _ gid: gid_t) { lchown(path, uid, gid) }

        private func owner(_ path: String) -> String {
            var status = stat()
            return lstat(path, &status) == 0 ? "\(status.st_uid):\(status.st_gid)" : "none"
        }

        /// A folder with files of several owners.
        private func source(_ box: Sandbox) throws -> String {
            let source = try box.folder("source", mode: 0o777)
            for (name, id) in [("root", 0), ("user", 1000), ("other", 7)] {
                own(try box.file("source/\(name)", name), uid_t(id), gid_t(id))
            }
            return source
        }

        private func add(_ config: inout Config, _ source: String, _ options: [String], mappings: String? = nil) throws
        {
            config.addMount("/m", type: "none", source: source, options: options)
            guard let mappings else { return }
            let index = (config["mounts"] as? [Any] ?? []).count - 1
            try config.set("mounts.\(index).uidMappings", json: mappings)
            try config.set("mounts.\(index).gidMappings", json: mappings)
        }

        static let oneUser = #"[{"containerID": 1000, "hostID": 5000, "size": 1}]"#

        // MARK: Mappings of the mount

        /// Without the word they are as good as with it.
        @Test(arguments: [
            ["bind"], ["rbind"], ["bind", "idmap"], ["rbind", "ridmap"], ["rbind", "idmap", "ro", "nosuid"],
        ])
        func mappingsOfTheMountHold(options: [String]) throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try box.look("stat:/m/user", "stat:/m/root", "read:/m/user", "mount:/m") {
                try add(&$0, source, options, mappings: Self.oneUser)
            }
            #expect(seen["stat./m/user"] == "file 0644 5000:5000" && seen["read./m/user"] == "user", "\(seen)")
            #expect(seen["stat./m/root"] == "file 0644 65534:65534", "what has no mapping is nobody's: \(seen)")
            #expect(seen.words("mount./m.options", separator: ",").contains("idmapped"), "\(seen)")
            if options.contains("ro") {
                let flags = seen.words("mount./m.options", separator: ",")
                #expect(flags.contains("ro") && flags.contains("nosuid"), "\(seen)")
            }
        }

        @Test func whatIsMadeThereBelongsToTheOneOnTheDisk() throws {
            let box = try Sandbox.current
            let source = try source(box)
            // In a folder of somebody without a mapping nobody may make anything.
            own(source, 1000, 1000)
            _ = try box.look("create:/m/new", "stat:/m/new") {
                $0["process.user"] = ["uid": 5000, "gid": 5000]
                try add(&$0, source, ["bind", "idmap"], mappings: Self.oneUser)
            }
            #expect(owner(source + "/new") == "1000:1000")
        }

        @Test func usersAndGroupsHaveTheirOwnMappings() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try box.look("stat:/m/user", "stat:/m/other") {
                try add(
                    &$0, source, ["bind"],
                    mappings:
                        #"[{"containerID": 1000, "hostID": 5000, "size": 1}, {"containerID": 0, "hostID": 200, "size": 10}]"#
                )
                try $0.set("mounts.6.gidMappings", json: #"[{"containerID": 1000, "hostID": 6000, "size": 5}]"#)
            }
            #expect(seen["stat./m/user"] == "file 0644 5000:6000", "\(seen)")
            #expect(seen["stat./m/other"] == "file 0644 207:65534", "\(seen)")
        }

        @Test func aFileIsMapped() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try box.look("stat:/m") { try add(&$0, source + "/user", ["bind"], mappings: Self.oneUser) }
            #expect(seen["stat./m"] == "file 0644 5000:5000", "\(seen)")
        }

        // MARK: The container's

        private func inside(
            _ box: Sandbox, _ verbs: String..., with surroundings: Surroundings = Surroundings(),
            edit: (inout Config) throws -> Void
        ) throws -> Outcome {
            let bundle = try box.bundle(args: ["/probe"] + verbs) {
                $0.userNamespace()
                try edit(&$0)
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle, with: surroundings)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome
        }

        @Test func theWordAloneTakesTheContainersMappings() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try inside(box, "stat:/m/root", "stat:/m/user", "create:/m/new") {
                try add(&$0, source, ["bind", "idmap"])
            }
            #expect(seen["stat./m/root"] == "file 0644 0:0" && seen["stat./m/user"] == "file 0644 1000:1000", "\(seen)")
            #expect(owner(source + "/new") == "0:0", "on the disk it is as without a user namespace")
        }

        @Test func withoutTheOptionFilesHaveNoOwner() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try inside(box, "stat:/m/root") { try add(&$0, source, ["bind"]) }
            #expect(seen["stat./m/root"] == "file 0644 65534:65534", "\(seen)")
        }

        @Test func mappingsOfTheMountHoldInAUserNamespace() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try inside(box, "stat:/m/user", "stat:/m/root") {
                try add(&$0, source, ["bind"], mappings: #"[{"containerID": 1000, "hostID": 100007, "size": 1}]"#)
            }
            #expect(
                seen["stat./m/user"] == "file 0644 7:7" && seen["stat./m/root"] == "file 0644 65534:65534", "\(seen)")
        }

        @Test func aJoinedUserNamespaceGivesItsMappings() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let holder = try box.aside(["unshare", "--user", "sh", "-c", "echo ready; exec sleep 1000"])
            #expect(holder.says("ready"))
            for map in ["uid_map", "gid_map"] {
                try "0 100000 65536".write(toFile: "/proc/\(holder.pid)/\(map)", atomically: false, encoding: .utf8)
            }
            let bundle = try box.bundle("stat:/m/root", "stat:/m/user") {
                $0.namespace("user", path: "/proc/\(holder.pid)/ns/user")
                try add(&$0, source, ["bind", "idmap"])
            }
            try bundle.chown(to: 100_000)
            let seen = try box.run(bundle)
            #expect(seen["stat./m/root"] == "file 0644 0:0" && seen["stat./m/user"] == "file 0644 1000:1000", "\(seen)")
        }

        // MARK: crun's form

        @Test(arguments: [
            ("idmap=uids=1000-5000-1;gids=1000-6000-1", "5000:6000", "65534:65534"),
            ("idmap=uids=0-200-10#1000-5000-1;gids=0-300-10#1000-6000-1", "5000:6000", "207:307"),
            // Without a user namespace the container's ids are the host's.
            ("ridmap=uids=@1000-5000-1;gids=@1000-6000-1", "5000:6000", "65534:65534"),
        ])
        func mappingsInTheOptionHold(option: String, user: String, other: String) throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try box.look("stat:/m/user", "stat:/m/other") { try add(&$0, source, ["rbind", option]) }
            #expect(
                seen["stat./m/user"] == "file 0644 \(user)" && seen["stat./m/other"] == "file 0644 \(other)", "\(seen)")
        }

        @Test(arguments: [
            ("idmap=uids=1000-100007-1;gids=1000-100008-1", "7:8"), ("idmap=uids=@1000-7-1;gids=@1000-8-1", "7:8"),
            // The half that is not said is the container's.
            ("idmap=uids=@1000-7-1", "7:1000"), ("idmap=gids=@1000-7-1", "1000:7"),
        ])
        func mappingsInTheOptionHoldInAUserNamespace(option: String, user: String) throws {
            let box = try Sandbox.current
            let source = try source(box)
            let seen = try inside(box, "stat:/m/user") { try add(&$0, source, ["bind", option]) }
            #expect(seen["stat./m/user"] == "file 0644 \(user)", "\(seen)")
        }

        // MARK: Mounts below

        @Test(
            .needsKernel(6, 3, "tmpfs takes idmapped mounts"),
            arguments: [("idmap", "1000:1000"), ("ridmap", "5000:5000")])
        func onlyTheRecursiveWordReachesMountsBelow(word: String, below: String) throws {
            let box = try Sandbox.current
            let source = try source(box)
            try box.folder("source/sub")
            let script =
                "mount -t tmpfs none '\(source)/sub' && echo x > '\(source)/sub/f' && chown 1000:1000 '\(source)/sub/f' && exec \"$0\" \"$@\""
            let surroundings = Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script])
            let seen = try box.look("stat:/m/user", "stat:/m/sub/f", with: surroundings) {
                try add(&$0, source, ["rbind", word], mappings: Self.oneUser)
            }
            #expect(
                seen["stat./m/user"] == "file 0644 5000:5000" && seen["stat./m/sub/f"] == "file 0644 \(below)",
                "\(seen)")
        }

        // MARK: File systems

        /// Which take it is the kernel's matter; those that this test needs have since Linux 5.12 (ext4) and 6.3
        /// (tmpfs).
        @Test(.needsKernel(6, 3, "tmpfs takes idmapped mounts")) func aNewTmpfsIsMapped() throws {
            let box = try Sandbox.current
            let seen = try inside(box, "stat:/m", "create:/m/x", "stat:/m/x", "mount:/m") {
                $0.addMount(
                    "/m", type: "tmpfs", source: "tmpfs", options: ["idmap", "nosuid", "size=64k", "mode=1755"])
            }
            #expect(seen["stat./m"] == "dir 1755 0:0" && seen["stat./m/x"]?.hasSuffix("0:0") == true, "\(seen)")
            let all =
                seen.facts.words("mount./m.options", separator: ",")
                + seen.facts.words("mount./m.super", separator: ",")
            #expect(Set(all).isSuperset(of: ["idmapped", "nosuid", "size=64k"]), "\(all)")
            #expect(seen["mount./m.type"] == "tmpfs")
        }

        @Test(.needsKernel(6, 3, "tmpfs takes idmapped mounts")) func aNewTmpfsTakesMappingsOfItsOwn() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/old", "stat:/old/inner", "create:/old/x", "mount:/old") {
                $0.addMount("/old", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "ro", "noatime"])
                try $0.set("mounts.6.uidMappings", json: #"[{"containerID": 0, "hostID": 0, "size": 2000}]"#)
                try $0.set("mounts.6.gidMappings", json: #"[{"containerID": 0, "hostID": 0, "size": 2000}]"#)
            }
            try box.folder("bundle/rootfs/old", mode: 0o1730)
            own(try box.file("bundle/rootfs/old/inner", "copied"), 1000, 1000)
            let seen = try box.run(bundle)
            #expect(seen["stat./old"] == "dir 1730 0:0" && seen["stat./old/inner"] == "file 0644 1000:1000", "\(seen)")
            #expect(seen["create./old/x"] == "EROFS", "\(seen)")
            let flags = seen.facts.words("mount./old.options", separator: ",")
            #expect(Set(flags).isSuperset(of: ["ro", "noatime", "idmapped"]), "\(flags)")
        }

        @Test(.needsKernel(6, 3, "tmpfs takes idmapped mounts")) func aSourceOnTmpfsIsMapped() throws {
            let box = try Sandbox.current
            let source = try source(box)
            let script =
                "mount -t tmpfs none '\(source)' && echo x > '\(source)/f' && chown 1000:1000 '\(source)/f' && exec \"$0\" \"$@\""
            let seen = try box.look(
                "stat:/m/f",
                with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script])
            ) { try add(&$0, source, ["bind"], mappings: Self.oneUser) }
            #expect(seen["stat./m/f"] == "file 0644 5000:5000", "\(seen)")
        }

        @Test(arguments: ["idmap", "ridmap"])
        func aFileSystemThatTakesNoMappingsIsAnError(word: String) throws {
            let line = try Sandbox.current.refuse {
                try add(&$0, "/proc", ["rbind", word], mappings: Self.oneUser)
            }
            #expect(line.contains("mounts[6]: idmap of source /proc: the file system proc"), "\(line)")
            #expect(line.contains("takes no idmapped mounts on this kernel"), "\(line)")
        }

        @Test func aNewFileSystemThatTakesNoMappingsIsAnError() throws {
            let line = try Sandbox.current.refuse {
                $0.addMount("/m", type: "ramfs", source: "none")
                try $0.set("mounts.6.uidMappings", json: Self.oneUser)
                try $0.set("mounts.6.gidMappings", json: Self.oneUser)
            }
            #expect(line.contains("mounts[6]: idmap: the file system ramfs takes no idmapped mounts"), "\(line)")
        }

        // MARK: Mistakes

        @Test(arguments: ["idmap", "ridmap"])
        func theWordNeedsMappings(word: String) throws {
            let line = try Sandbox.current.refuse { try add(&$0, "/tmp", ["rbind", word]) }
            #expect(line.contains("mounts[6].options[1]: needs uidMappings and gidMappings of the mount"), "\(line)")
        }

        @Test(arguments: [
            (
                ["bind", "idmap=uids=0-1"],
                "mounts[6].options[1]: expected FIRST-BECOMES-COUNT such as 0-1000-10, found \"0-1\""
            ),
            (["bind", "idmap=users=0-1-1"], "mounts[6].options[1]: expected \"uids=…\""),
            (["bind", "idmap=uids=0-1-1"], "mounts[6].options[1]: says nothing of gids"),
            (["bind", "idmap="], "mounts[6].options[1]: expected \"uids=…\""),
            (["remount", "idmap=uids=0-1-1;gids=0-1-1"], "mounts[6].options[1]: ids are mapped when a mount is made"),
        ])
        func malformedWordsAreRefused(options: [String], text: String) throws {
            let line = try Sandbox.current.refuse { try add(&$0, "/tmp", options) }
            #expect(line.contains(text), "\(line)")
        }

        @Test(arguments: [
            (#"[{"containerID": 0, "hostID": 1, "size": 0}]"#, "mounts[6].uidMappings[0].size"),
            (#"[{"containerID": 0, "hostID": 4294967295, "size": 1}]"#, "mounts[6].uidMappings[0]: names ids beyond"),
            (
                #"[{"containerID": 0, "hostID": 1, "size": 10}, {"containerID": 9, "hostID": 50, "size": 1}]"#,
                "mounts[6].uidMappings[1]: overlaps with mounts[6].uidMappings[0]"
            ),
            ("[]", "mounts[6].uidMappings"),
        ])
        func malformedMappingsAreRefused(json: String, text: String) throws {
            let line = try Sandbox.current.refuse {
                try add(&$0, "/tmp", ["bind"], mappings: Self.oneUser)
                try $0.set("mounts.6.uidMappings", json: json)
            }
            #expect(line.contains(text), "\(line)")
        }

        @Test(arguments: ["proc", "sysfs", "mqueue", "cgroup"])
        func fileSystemsOfNamespacesTakeNoMappings(type: String) throws {
            let line = try Sandbox.current.refuse {
                $0.userNamespace()
                $0.addMount("/m", type: type, source: type, options: ["idmap"])
            }
            #expect(line.contains("mounts[6].options[0]: the") && line.contains("takes no idmapped mounts"), "\(line)")
        }
    }
}
