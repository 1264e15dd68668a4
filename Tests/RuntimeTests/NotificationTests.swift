import Foundation
import Glibc
import Testing

extension AllTests {
    /// NOTIFY_SOCKET: what the payload reports to a service manager
    @Suite struct Notifications {
        private func listener() throws -> (NotifyListener, Surroundings) {
            let listener = try NotifyListener(path: try Sandbox.current.path("manager.sock"))
            return (listener, Surroundings(environment: ["NOTIFY_SOCKET": listener.path]))
        }

        /// A payload says that it is ready, once a file is there.
        private func bundle(_ verbs: String..., edit: (inout Config) throws -> Void = { _ in }) throws -> Bundle {
            let box = try Sandbox.current
            let gate = try box.folder("gate", mode: 0o755)
            return try box.bundle(
                args: ["/probe"] + verbs.map { $0.replacingOccurrences(of: "GATE", with: "/tmp/open") }
            ) {
                $0.addMount("/tmp", type: "bind", source: gate, options: ["bind", "ro"])
                try edit(&$0)
            }
        }

        private func open() throws { _ = try Sandbox.current.file("gate/open") }

        /// The service's main process stays the `run`, the manager's own child: of another one it would not learn the
        /// exit status.
        @Test func aForegroundRunPassesNotificationsOn() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            let running = try box.runAside(
                try bundle(
                    "notify:STATUS=warm+READY=1+MAINPID=1+FDNAME=x+EXTEND_TIMEOUT_USEC=5", "notify:WATCHDOG=1",
                    "notify:FDSTORE=1", "until:GATE", "notify:RELOADING=1+MONOTONIC_USEC=7", "notify:STOPPING=1"),
                with: surroundings)
            #expect(manager.hears { $0 == "WATCHDOG=1" }, "\(manager.messages)")
            #expect(
                manager.messages.first == "STATUS=warm\nREADY=1\nEXTEND_TIMEOUT_USEC=5", "\(manager.messages)")
            try open()
            #expect(running.wait().status == 0)
            #expect(manager.hears { $0 == "STOPPING=1" }, "\(manager.messages)")
            #expect(manager.messages.contains("RELOADING=1\nMONOTONIC_USEC=7"), "\(manager.messages)")
            #expect(
                !manager.messages.contains { $0.contains("FD") || $0.contains("MAINPID") }, "\(manager.messages)")
        }

        /// Whatever user the payload is, and whatever the umask of who starts it.
        @Test func anyUserMayNotify() throws {
            let box = try Sandbox.current
            var (manager, surroundings) = try listener()
            surroundings.prefix = ["sh", "-c", "umask 077; exec \"$@\"", "sh"]
            let running = try box.runAside(
                try bundle("notify:READY=1", "hang") { $0["process.user"] = ["uid": 1000, "gid": 1000] },
                with: surroundings)
            #expect(manager.hears { $0.hasPrefix("READY=1") }, "\(manager.messages)")
            var status = stat()
            #expect(stat("\(box.root)/\(box.id)/notify/inside/notify.sock", &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o666)
            try box.ok("kill", box.id, "KILL")
            #expect(running.wait().status == 137)
        }

        @Test func aBarrierGoesThrough() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            let running = try box.runAside(try bundle("notify:READY=1", "barrier"), with: surroundings)
            #expect(manager.hears { $0 == "BARRIER=1" }, "\(manager.messages)")
            let outcome = running.wait()
            #expect(outcome["barrier"] == "ok" && outcome.status == 0, "\(outcome)")
        }

        @Test func detachedItWaitsUntilReady() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            let running = try box.runAside(
                try bundle("notify:STATUS=starting", "until:GATE", "notify:READY=1", "hang"), flags: ["--detach"],
                with: surroundings)
            #expect(manager.hears { $0 == "STATUS=starting" }, "\(manager.messages)")
            #expect(!running.hasEnded())
            try open()
            #expect(manager.hears { $0 == "BARRIER=1" }, "\(manager.messages)")
            #expect(running.wait().status == 0)
            let pid = try #require(try box.state()["pid"] as? Int)
            #expect(manager.messages.contains("READY=1\nMAINPID=\(pid)"), "\(manager.messages)")
            try box.ok("delete", "--force", box.id)
        }

        @Test func startWaitsUntilReady() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            _ = try box.create(try bundle("until:GATE", "notify:READY=1", "hang"), with: surroundings)
            let start = try box.begin(["--root", box.root, "start", box.id], surroundings)
            #expect(box.becomes("running"))
            #expect(!start.hasEnded())
            try open()
            #expect(manager.hears { $0 == "BARRIER=1" }, "\(manager.messages)")
            #expect(start.wait().status == 0)
            #expect(manager.messages.first?.hasPrefix("READY=1\nMAINPID=") == true, "\(manager.messages)")
            try box.ok("delete", "--force", box.id)
        }

        @Test func aDeathEndsTheWait() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            _ = try box.create(try bundle("notify:STATUS=alas", "exit:3"), with: surroundings)
            let start = try box.begin(["--root", box.root, "start", box.id], surroundings)
            #expect(manager.hears { $0 == "BARRIER=1" }, "\(manager.messages)")
            #expect(start.wait().status == 0)
            #expect(manager.messages.first == "STATUS=alas", "\(manager.messages)")
            #expect(try box.status() == "stopped")
        }

        @Test func deleteEndsTheWait() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            let created = try box.create(try bundle("say:it runs", "hang"), with: surroundings)
            let start = try box.begin(["--root", box.root, "start", box.id], surroundings)
            // Its status alone is "running" a moment before its program is: then start would report that it never ran.
            #expect(created.says("it runs"))
            try box.ok("delete", "--force", box.id)
            #expect(manager.hears { $0 == "BARRIER=1" }, "\(manager.messages)")
            #expect(start.wait().status == 0)
        }

        @Test(arguments: ["a user", "a user namespace", "a read-only root", "a tmpfs on /run", "no tmpfs"])
        func theSocketIsReachableEverywhere(kind: String) throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            let bundle = try bundle("notify:READY=1", "env") {
                switch kind {
                case "a user": $0["process.user"] = ["uid": 1000, "gid": 1000]
                case "a user namespace": $0.userNamespace()
                case "a read-only root": $0["root.readonly"] = true
                case "a tmpfs on /run": $0.addMount("/run", type: "tmpfs", source: "tmpfs")
                default:
                    $0.dropMount("/dev")
                    for folder in ["/dev/pts", "/dev/shm", "/dev/mqueue"] { $0.dropMount(folder) }
                }
            }
            if kind == "a user namespace" { try bundle.chown(to: 100_000) }
            let outcome = try box.run(bundle, with: surroundings)
            #expect(outcome.status == 0 && outcome["notify"] == "ok" && outcome.stderr == "", "\(outcome)")
            let inRun = kind == "a tmpfs on /run" || kind == "no tmpfs"
            #expect(
                outcome["env.NOTIFY_SOCKET"] == (inRun ? "/run/notify/notify.sock" : "/dev/notify/notify.sock"),
                "\(outcome)")
            #expect(manager.hears { $0 == "READY=1" }, "\(manager.messages)")
        }

        @Test func hostUsersCannotReachTheSocket() throws {
            let box = try Sandbox.current
            let (manager, surroundings) = try listener()
            _ = try box.create(try bundle("hang"), with: surroundings)
            var status = stat()
            #expect(stat("\(box.root)/\(box.id)/notify", &status) == 0 && status.st_mode & 0o777 == 0o700)
            extendLifetime(manager)
            try box.ok("delete", "--force", box.id)
        }

        @Test func withoutASocketThereIsNone() throws {
            let seen = try Sandbox.current.look("env", "list:/dev")
            #expect(seen["env.NOTIFY_SOCKET"] == nil && !seen.text.contains("notify"), "\(seen)")
        }

        @Test func aSocketThatIsGoneIsNotWaitedFor() throws {
            let box = try Sandbox.current
            let surroundings = Surroundings(environment: ["NOTIFY_SOCKET": box.path("nobody.sock")])
            let outcome = try box.run(try bundle("env", "hang"), flags: ["--detach"], with: surroundings)
            #expect(outcome.status == 0 && outcome.stderr.contains("NOTIFY_SOCKET"), "\(outcome)")
            try box.ok("delete", "--force", box.id)
            #expect(outcome["env.NOTIFY_SOCKET"] == nil, "\(outcome)")
        }
    }
}
