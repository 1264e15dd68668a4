import Foundation
import Glibc
import Testing

extension AllTests {
    /// An ordinary user with the bundle of `spec --rootless`. As root these tests become one; in the virtual
    /// machine's mode "user" they are one, with a delegated cgroup.
    @Suite(
        .needsUserNamespaces)
    struct Rootless {
        private func surroundings(_ box: Sandbox, terminal: String? = nil) -> Surroundings {
            Surroundings(
                environment: ["XDG_RUNTIME_DIR": box.path("runtime")], directory: "/", terminal: terminal,
                prefix: OrdinaryUser.prefix)
        }

        /// A bundle of the user's own, as `spec --rootless` makes it, but for the program.
        private func bundle(_ box: Sandbox, _ args: [String], edit: (inout Config) -> Void = { _ in }) throws -> Bundle
        {
            let bundle = try box.bundle(args: args) { config in
                if geteuid() == 0 { config.becomeRootless() }
                edit(&config)
            }
            if geteuid() == 0 {
                try bundle.chown(to: OrdinaryUser.id)
                chown(bundle.directory, uid_t(OrdinaryUser.id), gid_t(OrdinaryUser.id))
                chown(box.directory, uid_t(OrdinaryUser.id), gid_t(OrdinaryUser.id))
            }
            try FileManager.default.createDirectory(atPath: box.path("runtime"), withIntermediateDirectories: true)
            chown(box.path("runtime"), uid_t(OrdinaryUser.id), gid_t(OrdinaryUser.id))
            return bundle
        }

        private func runtime(_ box: Sandbox, _ words: [String]) throws -> Outcome {
            try box.plain(["--root", box.root] + words, surroundings(box))
        }

        /// A container whose probe hangs.
        private func service(
            _ box: Sandbox, _ verbs: String..., edit: (inout Config) -> Void = { _ in }
        ) throws -> Running {
            let bundle = try bundle(box, ["/probe"] + verbs + ["hang"], edit: edit)
            let created = try box.begin(
                ["--root", box.root, "create", "--bundle", bundle.directory, box.id], surroundings(box))
            let outcome = created.wait()
            guard outcome.status == 0 else { throw Trouble(outcome.description) }
            #expect(try runtime(box, ["start", box.id]).status == 0)
            #expect(created.says("ready"), "\(created.stderr)")
            return created
        }

        @Test func specsBundleRunsUnchanged() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, ["true"])
            unlink(bundle.configPath)
            let spec = try runtime(box, ["spec", "--rootless", "--bundle", bundle.directory])
            #expect(spec.status == 0, "\(spec)")
            // It asks for a terminal: the runtime relays it, and the shell ends with its input.
            let outcome = try box.plain(
                ["--root", box.root, "run", "--bundle", bundle.directory, box.id],
                Surroundings(
                    environment: surroundings(box).environment, directory: "/", input: "id; exit 7\n",
                    prefix: OrdinaryUser.prefix))
            #expect(outcome.status == 7 && outcome.stdout.contains("uid=0"), "\(outcome)")
            #expect(try runtime(box, ["list", "-q"]).stdout == "")
        }

        @Test func theProgramIsRootInItsNamespace() throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, ["/probe", "ids", "caps", "lo", "read:/proc/self/uid_map", "stat:/dev/null", "uts", "fds"])
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(outcome["uid"] == "0" && outcome["cap.effective"] == "0000000020000420", "\(outcome)")
            let map = outcome["read./proc/self/uid_map"]?.split(separator: " ").joined(separator: " ") ?? ""
            #expect(map.hasPrefix("0 \(OrdinaryUser.id) 1"), "\(outcome)")
            #expect(outcome["fds"] == "0 1 2", "\(outcome)")
        }

        @Test func bindMountsAndAReadOnlyRootHold() throws {
            let box = try Sandbox.current
            let shared = try box.folder("shared", mode: 0o777)
            let bundle = try bundle(box, ["/probe", "create:/shared/x", "create:/y", "create:/sealed/z"]) {
                $0["root.readonly"] = true
                $0.addMount("/shared", source: shared, options: ["bind", "rw"])
                $0.addMount("/sealed", source: shared, options: ["bind", "ro"])
            }
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(
                outcome["create./shared/x"] == "ok" && outcome["create./y"] == "EROFS"
                    && outcome["create./sealed/z"] == "EROFS", "\(outcome)")
        }

        @Test func execStateKillAndDeleteWork() throws {
            let box = try Sandbox.current
            let created = try service(box, "ns")
            #expect(try json(box)["status"] as? String == "running")
            let seen = try runtime(box, ["exec", box.id, "/probe", "ns", "ids"])
            #expect(seen.status == 0 && seen["uid"] == "0", "\(seen)")
            for name in ["mnt", "pid", "user", "net"] {
                #expect(seen["ns." + name] == created.facts["ns." + name], "\(name)")
            }
            #expect(try runtime(box, ["exec", box.id, "sh", "-c", "exit 5"]).status == 5)
            #expect(try runtime(box, ["kill", box.id, "KILL"]).status == 0)
            #expect(eventually(10) { (try? json(box)["status"] as? String) == "stopped" })
            #expect(try runtime(box, ["delete", box.id]).status == 0)
            #expect(try runtime(box, ["list", "-q"]).stdout == "")
        }

        private func json(_ box: Sandbox) throws -> [String: Any] {
            let outcome = try runtime(box, ["state", box.id])
            return try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any] ?? [:]
        }

        @Test func aRangeNeedsTheHelperAndItsPermission() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, ["/probe", "say:it ran"]) {
                $0["linux.uidMappings"] = [["containerID": 0, "hostID": 1_700_000_000, "size": 10]]
            }
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.stdout == "", "\(outcome)")
            #expect(outcome.stderr.contains("linux.uidMappings"), "\(outcome)")
            #expect(
                outcome.stderr.contains("uidmap (Debian, Ubuntu)") || outcome.stderr.contains("/etc/subuid"),
                "the remedy: \(outcome)")
            #expect(try runtime(box, ["list", "-q"]).stdout == "")
        }

        @Test func groupsCannotBeSet() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, ["/probe", "say:it ran"]) { $0["process.user.additionalGids"] = [0] }
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 1 && outcome.stderr.contains("process.user.additionalGids"), "\(outcome)")
        }

        @Test func withoutAUserNamespaceTheRemedyIsNamed() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, ["/probe", "say:it ran"]) {
                $0.dropNamespace("user")
                $0["linux.uidMappings"] = nil
                $0["linux.gidMappings"] = nil
            }
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 1 && outcome.stderr.contains("runbox spec --rootless"), "\(outcome)")
        }

        /// Where nobody gave the user a cgroup, containers without limits run without one, and what needs one says so.
        @Test(.needsUserWithoutCgroup)
        func withoutADelegatedCgroupLimitsAreErrors() throws {
            let box = try Sandbox.current
            _ = try service(box)
            let pause = try runtime(box, ["pause", box.id])
            #expect(pause.status == 1 && pause.stderr.contains("no cgroup"), "\(pause)")
            #expect(try runtime(box, ["delete", "--force", box.id]).status == 0)
            let bundle = try bundle(box, ["/probe", "say:it ran"]) {
                $0["linux.resources.unified"] = ["cgroup.max.depth": "3"]
            }
            let limited = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(limited.status == 1 && limited.stderr.contains("delegated"), "\(limited)")
        }

        @Test(.needsDelegatedCgroup)
        func withADelegatedCgroupPauseAndUpdateWork() throws {
            let box = try Sandbox.current
            _ = try service(box)
            #expect(try runtime(box, ["pause", box.id]).status == 0)
            #expect(try json(box)["status"] as? String == "paused")
            #expect(try runtime(box, ["resume", box.id]).status == 0)
            #expect(try runtime(box, ["ps", "-f", "json", box.id]).stdout.contains("["))
            #expect(try runtime(box, ["update", "--pids-limit", "30", box.id]).status == 0)
        }

        /// Memory and the number of processes, enforced below the scope that the tests run in.
        @Test(.needsDelegatedCgroup)
        func limitsHoldInADelegatedCgroup() throws {
            let box = try Sandbox.current
            let script = "sleep 9 & sleep 9 & sleep 9 & sleep 9 & echo all"
            let crowded = try bundle(box, ["sh", "-c", script]) { $0["linux.resources.pids.limit"] = 3 }
            let few = try runtime(box, ["run", "--bundle", crowded.directory, box.id])
            #expect(few.status == 2 && !few.stdout.contains("all") && few.stderr.contains("fork"), "\(few)")
            let hungry = try bundle(box, ["/bin/busybox", "tail", "/dev/zero"]) {
                $0["linux.resources.memory"] = ["limit": 33_554_432, "swap": 33_554_432]
            }
            let killed = try runtime(box, ["run", "--bundle", hungry.directory, box.id])
            #expect(
                killed.status == 137 && killed.stderr.contains("linux.resources.memory.limit is 33554432"), "\(killed)")
            _ = try service(box)
            #expect(try runtime(box, ["update", "--memory", "64M", box.id]).status == 0)
            let events = try runtime(box, ["events", "--stats", box.id])
            #expect(events.stdout.contains("67108864"), "the new limit: \(events)")
        }

        @Test(.needsSubordinateIDs)
        func aRangeOfSubordinateIDsIsMapped() throws {
            let box = try Sandbox.current
            let range = try #require(OrdinaryUser.range)
            let maps = [
                ["containerID": 0, "hostID": OrdinaryUser.id, "size": 1],
                ["containerID": 1, "hostID": range, "size": 1000],
            ]
            let created = try service(box, "read:/proc/self/uid_map", "read:/proc/self/setgroups", "ids") {
                $0["linux.uidMappings"] = maps
                $0["linux.gidMappings"] = maps
                $0["process.user"] = ["uid": 5, "gid": 6, "additionalGids": [7, 8]]
            }
            let map = created.facts["read./proc/self/uid_map"] ?? ""
            #expect(
                map.split(whereSeparator: \.isWhitespace) == ["0", "\(OrdinaryUser.id)", "1", "1", "\(range)", "1000"])
            #expect(created.facts["read./proc/self/setgroups"] == "allow", "\(created.facts)")
            #expect(
                created.facts["uid"] == "5" && created.facts["gid"] == "6" && created.facts["groups"] == "7 8",
                "\(created.facts)")
            let other = try runtime(box, ["exec", "--user", "9:10", box.id, "/probe", "ids"])
            #expect(other["uid"] == "9" && other["gid"] == "10", "\(other)")
        }

        @Test func execHasATerminal() throws {
            let box = try Sandbox.current
            _ = try service(box)
            let terminal = try Terminal(rows: 33, columns: 99)
            let running = try box.begin(
                ["--root", box.root, "exec", "--tty", box.id, "sh", "-c", "/probe tty; read l"],
                surroundings(box, terminal: terminal.path))
            #expect(terminal.reads("tty.size=33x99"), "\(terminal.text) \(running.stderr)")
            terminal.type("\r")
            #expect(running.wait().status == 0)
        }

        /// What a user namespace may not mount is bound or shown in another way: runtimes' rules, as in crun.
        @Test func mountsThatTheKernelRefusesAreReplaced() throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, ["/probe", "mount:/sys", "mount:/proc", "mount:/sys/fs/cgroup", "stat:/dev/fuse", "lo"]
            ) {
                // The host's network and processes: neither sysfs nor proc can be mounted anew.
                $0.dropNamespace("network")
                $0.dropNamespace("pid")
                $0.dropMount("/dev/pts")
                $0.addMount("/dev/pts", type: "devpts", source: "devpts", options: ["gid=5", "mode=620"])
                $0.addMount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"])
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
                $0["linux.devices"] = [["path": "/dev/fuse", "type": "c", "major": 10, "minor": 229]]
            }
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(outcome["mount./sys.type"] == "sysfs" && outcome["mount./proc.type"] == "proc", "\(outcome)")
            #expect(outcome["mount./sys/fs/cgroup.type"] == "tmpfs", "no cgroups of others: \(outcome)")
            #expect(outcome["stat./dev/fuse"]?.contains("10:229") == true, "\(outcome)")
        }

        @Test func theScoreStaysWhereItCannotBeLowered() throws {
            let box = try Sandbox.current
            for (score, seen) in [(-900, "0"), (300, "300")] {
                let bundle = try bundle(box, ["/probe", "read:/proc/self/oom_score_adj"]) {
                    $0["process.oomScoreAdj"] = score
                }
                let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
                #expect(outcome.status == 0 && outcome["read./proc/self/oom_score_adj"] == seen, "\(outcome)")
            }
        }

        @Test func execOfACreatedContainerNeedsAStart() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, ["/probe", "hang"])
            let created = try box.begin(
                ["--root", box.root, "create", "--bundle", bundle.directory, box.id], surroundings(box))
            #expect(created.wait().status == 0)
            let outcome = try runtime(box, ["exec", box.id, "/probe", "say:it ran"])
            #expect(outcome.status == 255 && outcome.stderr.contains("run runbox start first"), "\(outcome)")
            #expect(try json(box)["status"] as? String == "created")
            let events = try runtime(box, ["events", "--stats", box.id])
            #expect(events.status == 0 || events.stderr.contains("no cgroup"), "\(events)")
        }

        @Test func stateIsKeptInTheUsersFolder() throws {
            let box = try Sandbox.current
            let bundle = try bundle(box, ["/probe", "say:it ran"])
            let words = ["run", "--detach", "--bundle", bundle.directory, box.id]
            #expect(try box.plain(words, surroundings(box)).status == 0)
            #expect(FileManager.default.fileExists(atPath: box.path("runtime/runbox/\(box.id)/state.json")))
            var podman = surroundings(box)  // calls the runtime as root of a user namespace
            podman.prefix += ["unshare", "--user", "--map-root-user"]
            #expect(try box.plain(["list", "--quiet"], podman).stdout.contains(box.id))
            #expect(try box.plain(["delete", "--force", box.id], surroundings(box)).status == 0)
            for folder in [nil, "/run/user/77"] {
                var nowhere = surroundings(box)
                nowhere.environment["XDG_RUNTIME_DIR"] = folder
                let outcome = try box.plain(words, nowhere)
                #expect(outcome.status == 1 && outcome.stderr.contains("set XDG_RUNTIME_DIR"), "\(outcome)")
            }
        }

        @Test func fieldsThatNeedRootAreRefused() throws {
            let box = try Sandbox.current
            let shared = try box.folder("shared")
            let mapped = try bundle(box, ["/probe", "say:it ran"]) {
                $0.addMount("/shared", source: shared, options: ["bind", "idmap"])
            }
            let map = try runtime(box, ["run", "--bundle", mapped.directory, box.id])
            #expect(map.status == 1 && map.stderr.contains("an idmapped mount needs root"), "\(map)")
            let moved = try bundle(box, ["/probe", "say:it ran"]) { $0["linux.netDevices"] = ["eth7": [:]] }
            let device = try runtime(box, ["run", "--bundle", moved.directory, box.id])
            #expect(device.status == 1 && device.stderr.contains("needs root"), "\(device)")
        }

        /// What crun's `spec --rootless` writes: a user namespace and not a word of who is in it.
        @Test func withoutMappingsTheUserIsRoot() throws {
            let box = try Sandbox.current
            let created = try service(box, "read:/proc/self/uid_map") {
                $0["linux.uidMappings"] = nil
                $0["linux.gidMappings"] = nil
            }
            let map = (created.facts["read./proc/self/uid_map"] ?? "").split(whereSeparator: \.isWhitespace)
            #expect(map.starts(with: ["0", "\(OrdinaryUser.id)", "1"]), "\(map)")
            #expect((OrdinaryUser.range == nil) == (map.count == 3), "the range of /etc/subuid follows: \(map)")
            #expect(try runtime(box, ["exec", box.id, "/probe", "ids"])["uid"] == "0")
        }
    }
}
