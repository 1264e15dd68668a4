import Foundation
import Glibc
import Testing

extension AllTests {
    /// An ordinary user with the bundle of `spec --rootless`. As root these tests become one; in the virtual machine's mode "user" they are one,
    /// with a delegated cgroup.
    @Suite(.enabled(if: Rootless.isPossible, "user namespaces are not for ordinary users here; see runbox doctor"))
    struct Rootless {
        private static let user = geteuid() == 0 ? 4242 : Int(geteuid())

        static let isPossible: Bool = {
            let output = NSTemporaryDirectory() + "rbt-userns-\(getpid())"
            defer { for end in [".out", ".err"] { unlink(output + end) } }
            let command = prefix + ["unshare", "--user", "--map-root-user", "true"]
            return (try? spawn(command, output: output).wait().status) == 0
        }()

        /// The words that make a command an ordinary user's.
        private static var prefix: [String] {
            geteuid() == 0 ? ["setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"] : []
        }

        private func surroundings(_ box: Sandbox) -> Surroundings {
            Surroundings(environment: ["XDG_RUNTIME_DIR": box.path("runtime")], directory: "/", prefix: Self.prefix)
        }

        /// A bundle of the user's own, as `spec --rootless` makes it, but for the program.
        private func bundle(_ box: Sandbox, _ args: [String], edit: (inout Config) -> Void = { _ in }) throws -> Bundle {
            let bundle = try box.bundle(args: args) { config in
                config["linux.uidMappings"] = [["containerID": 0, "hostID": Self.user, "size": 1]]
                config["linux.gidMappings"] = [["containerID": 0, "hostID": Self.user, "size": 1]]
                config.namespace("user")
                config.dropMount("/dev/pts")
                config.addMount(
                    "/dev/pts", type: "devpts", source: "devpts",
                    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"])
                edit(&config)
            }
            if geteuid() == 0 {
                try bundle.chown(to: Self.user)
                chown(bundle.directory, uid_t(Self.user), gid_t(Self.user))
                chown(box.directory, uid_t(Self.user), gid_t(Self.user))
            }
            try FileManager.default.createDirectory(atPath: box.path("runtime"), withIntermediateDirectories: true)
            chown(box.path("runtime"), uid_t(Self.user), gid_t(Self.user))
            return bundle
        }

        private func runtime(_ box: Sandbox, _ words: [String]) throws -> Outcome {
            try box.plain(["--root", box.root] + words, surroundings(box))
        }

        /// A container whose probe hangs.
        private func service(_ box: Sandbox, _ verbs: String...) throws -> Running {
            let bundle = try bundle(box, ["/probe"] + verbs + ["hang"])
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
                    prefix: Self.prefix))
            #expect(outcome.status == 7 && outcome.stdout.contains("uid=0"), "\(outcome)")
            #expect(try runtime(box, ["list", "-q"]).stdout == "")
        }

        @Test func whatTheProgramSees() throws {
            let box = try Sandbox.current
            let bundle = try bundle(
                box, ["/probe", "ids", "caps", "lo", "read:/proc/self/uid_map", "stat:/dev/null", "uts", "fds"])
            let outcome = try runtime(box, ["run", "--bundle", bundle.directory, box.id])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(outcome["uid"] == "0" && outcome["cap.effective"] == "0000000020000420", "\(outcome)")
            let map = outcome["read./proc/self/uid_map"]?.split(separator: " ").joined(separator: " ") ?? ""
            #expect(map.hasPrefix("0 \(Self.user) 1"), "\(outcome)")
            #expect(outcome["fds"] == "0 1 2", "\(outcome)")
        }

        @Test func aBindMountAndAReadOnlyRoot() throws {
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

        @Test func execStateKillAndDelete() throws {
            let box = try Sandbox.current
            let created = try service(box, "ns")
            #expect(try json(box)["status"] as? String == "running")
            let seen = try runtime(box, ["exec", box.id, "/probe", "ns", "ids"])
            #expect(seen.status == 0 && seen["uid"] == "0", "\(seen)")
            for name in ["mnt", "pid", "user", "net"] { #expect(seen["ns." + name] == created.facts["ns." + name], "\(name)") }
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
        @Test(.enabled(if: geteuid() == 0, "a delegated cgroup is there"))
        func withoutADelegatedCgroup() throws {
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

        @Test(.enabled(if: geteuid() != 0, "needs a delegated cgroup: make test-vm"))
        func withADelegatedCgroup() throws {
            let box = try Sandbox.current
            _ = try service(box)
            #expect(try runtime(box, ["pause", box.id]).status == 0)
            #expect(try json(box)["status"] as? String == "paused")
            #expect(try runtime(box, ["resume", box.id]).status == 0)
            #expect(try runtime(box, ["ps", "-f", "json", box.id]).stdout.contains("["))
            #expect(try runtime(box, ["update", "--pids-limit", "30", box.id]).status == 0)
        }
    }
}
