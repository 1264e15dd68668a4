import Foundation
import Glibc
import Testing

extension AllTests {
    /// Whose container, state folder and cgroup it is that something is done to
    @Suite struct Identity {
        private func hooked(_ box: Sandbox, _ seconds: String) throws -> Bundle {
            try box.bundle("hang") {
                try $0.set("hooks", json: #"{"poststop":[{"path":"/bin/sleep","args":["sleep","\#(seconds)"]}]}"#)
            }
        }

        /// Both deletes have found the old container when the name is given away again; the first is in its poststop
        /// hook then.
        @Test func aDeleteSparesTheNextContainerOfTheName() throws {
            let box = try Sandbox.current
            let old = try hooked(box, "0.3")
            let new = try box.bundle("hang")
            let folder = box.root + "/" + box.id
            for turn in 0..<5 {
                #expect(try box.run(old, flags: ["--detach"]).status == 0)
                let holder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                #expect(flock(holder, LOCK_EX) == 0)
                let deletes = try (0..<2).map { _ in try box.begin(["--root", box.root, "delete", "--force", box.id]) }
                let wait = eventually(10) { deletes.allSatisfy { holds($0.pid, folder) } }
                #expect(wait)
                close(holder)
                let isNew = eventually(10) { (try? box.run(new, flags: ["--detach"]).status) == 0 }
                #expect(isNew)
                for delete in deletes { #expect(delete.wait().status == 0) }
                #expect(try box.status() == "running", "turn \(turn)")
                try box.ok("delete", "--force", box.id)
            }
        }

        private func holds(_ pid: pid_t, _ path: String) -> Bool {
            let folder = "/proc/\(pid)/fd/"
            let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return numbers.contains {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + $0)) == path
            }
        }

        /// The end of a foreground run and the next one of the same name.
        @Test func runsAndDeletesOfOneNameLeaveNothing() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            var ends: [Running] = []
            for turn in 0..<40 {
                let run = try box.runAside(bundle)
                // From here on the end is the payload's, and not that of a start.
                let isUp = eventually(10) { (try? box.state()["started"]) as? String != nil }
                #expect(isUp, "turn \(turn)")
                try box.ok("delete", "--force", box.id)
                // Its runtime is still about to end.
                ends.append(run)
            }
            for end in ends {
                let outcome = end.wait()
                #expect(outcome.status == 137 && !outcome.stderr.contains("not found"), "\(outcome)")
            }
            box.expectNothingLeft()
        }

        @Test func listWorksBesideCreateAndDelete() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            try box.folder("root")  // one that is named and is not there is an error
            let script = """
                for i in $(seq 60); do \(Programs.runtime) --root \(box.root) create --bundle \(bundle.directory) \(box.id) \
                    </dev/null >/dev/null 2>&1; \(Programs.runtime) --root \(box.root) delete --force \(box.id); done
                """
            let other = try box.aside(["/bin/sh", "-c", script])
            while !other.hasEnded() {
                let list = try box.runtime("list", "--quiet")
                #expect(list.status == 0 && list.stderr == "", "\(list)")
            }
            #expect(other.wait().status == 0)
        }

        @Test func anUnfinishedFolderIsShownWithItsRemedy() throws {
            let box = try Sandbox.current
            try box.folder("root/\(box.id)")
            let list = try box.runtime("list")
            #expect(list.stderr.contains("was never finished; runbox delete \(box.id) removes it"), "\(list)")
            let holder = open(box.root + "/" + box.id, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            #expect(flock(holder, LOCK_EX) == 0)
            #expect(try box.runtime("list").stderr == "", "the lock is held")
            close(holder)
            try box.ok("delete", box.id)
        }

        // MARK: Names

        @Test func aNameIsNeverGivenTwice() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let name = URL(fileURLWithPath: bundle.directory).lastPathComponent
            defer { _ = try? box.runtime("delete", "--force", name) }
            #expect(try box.runtime("run", "--detach", bundle.directory + "/").status == 0)
            let pid = try box.state(name)["pid"] as? Int ?? 0
            for command in ["run", "create"] {
                let again = try box.runtime(command, bundle.directory + "/")
                #expect(again.status == 1, "\(again)")
                #expect(
                    again.stderr.contains("container with given ID already exists: \(name) is running (pid \(pid));"),
                    "\(again)")
                #expect(again.stderr.contains("--replace"), "\(again)")
            }
            #expect(try box.runtime("list", "--quiet").stdout == "\(name)\n")
            kill(pid_t(pid), SIGKILL)
            #expect(box.becomes("stopped", id: name))
            let late = try box.runtime("run", bundle.directory + "/")
            #expect(late.status == 1 && late.stderr.contains("\(name) is stopped; runbox delete \(name)"), "\(late)")
        }

        @Test func replaceEndsTheOldContainerFirst() throws {
            let box = try Sandbox.current
            let witness = box.path("witness")
            let old = try box.bundle("hang") {
                try $0.set("hooks", json: #"{"poststop":[{"path":"/bin/touch","args":["touch","\#(witness)"]}]}"#)
            }
            let new = try box.bundle("hang")
            // Nothing there is nothing to replace.
            #expect(try box.run(old, flags: ["--detach", "--replace"]).status == 0)
            let first = try box.state()["pid"] as? Int
            // What has mistakes replaces nothing.
            let wrong = try box.bundle("hang") { $0["process.cwd"] = "nowhere" }
            #expect(try box.run(wrong, flags: ["--detach", "--replace"]).status == 1)
            #expect(try box.state()["pid"] as? Int == first)
            #expect(try box.run(new, flags: ["--detach", "--replace"]).status == 0)
            #expect(try box.status() == "running")
            #expect(try box.state()["pid"] as? Int != first)
            #expect(FileManager.default.fileExists(atPath: witness), "its poststop hook ran")
            // `create` as well, and a stopped one.
            _ = try box.create(new, flags: ["--replace"])
            #expect(try box.status() == "created")
        }

        // MARK: The state root

        @Test(.needsRoot, arguments: ["other", "open", "sticky", "group", "above", "link", "folder"])
        func aStateRootThatOthersCouldForgeIsRefused(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            let victim = try box.aside(["/bin/sleep", "60"])
            #expect(try box.run(bundle, flags: ["--detach"]).status == 0)
            // A forged record: the victim's number and start time.
            let stat = try String(contentsOfFile: "/proc/\(victim.pid)/stat", encoding: .utf8)
            let time = stat.split(separator: ")").last?.split(separator: " ")[19] ?? ""
            let place = try box.folder("evil/state/box")
            var record = try String(contentsOfFile: box.root + "/\(box.id)/state.json", encoding: .utf8)
            for (key, value) in [("pid", "\(victim.pid)"), ("startTime", String(time))] {
                record = record.replacing(try Regex("\"\(key)\":[0-9]+"), with: "\"\(key)\":\(value)")
            }
            try record.write(toFile: place + "/state.json", atomically: false, encoding: .utf8)
            var root = box.path("evil/state")
            switch kind {
            case "other": chown(root, 4242, 4242)
            case "open": chmod(root, 0o777)
            case "sticky": chmod(root, 0o1777)
            case "group": chmod(root, 0o775)
            case "above": chmod(box.path("evil"), 0o777)
            case "folder": chmod(place, 0o777)
            default:
                chmod(box.path("evil"), 0o777)
                symlink(root, box.path("link"))
                root = box.path("link")
            }
            for words in [
                ["delete", "--force", "box"], ["kill", "box", "KILL"], ["state", "box"], ["start", "box"],
            ] {
                let outcome = try box.plain(["--root", root] + words)
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.stderr.contains("who could put forged state there; "), "\(outcome)")
                #expect(outcome.complaints.count == 1, "\(outcome)")
            }
            if kind != "folder" {
                let made = try box.plain([
                    "--root", root, "run", "--detach", "--bundle", bundle.directory, box.id("new"),
                ])
                #expect(made.status == 1 && made.stderr.contains("forged"), "\(made)")
            }
            #expect(!victim.hasEnded(), "the victim lives")
        }

        // MARK: What cannot be looked at, and what cannot be removed

        /// A process that cannot be looked at has not ended.
        @Test(.needsProgram("strace"), arguments: ["EMFILE", "EIO", "ENOMEM", "EACCES"])
        func anUnreadableStartTimeIsNoEnd(code: String) throws {
            let box = try Sandbox.current
            #expect(try box.run(try box.bundle("hang"), flags: ["--detach"]).status == 0)
            let pid = try box.state()["pid"] as? Int ?? 0
            let trace = Surroundings(prefix: [
                "strace", "-qq", "-o", box.path("trace"), "-P", "/proc/\(pid)/stat", "-e",
                "inject=openat:error=\(code)",
            ])
            for words in [["state"], ["delete"], ["delete", "--force"], ["kill"], ["exec"], ["pause"]] {
                let outcome = try box.plain(
                    ["--root", box.root] + words + [box.id] + (words == ["exec"] ? ["/bin/true"] : []), trace)
                #expect(outcome.status != 0 && outcome.stderr.contains("/proc/\(pid)/stat"), "\(outcome)")
                #expect(!outcome.stderr.contains("stopped") && !outcome.stderr.contains("not running"), "\(outcome)")
            }
            #expect(try box.status() == "running")
        }

        @Test(.needsRoot) func aHiddenProcessHasNotEnded() throws {
            let box = try Sandbox.current
            // Another user's, which root without CAP_SYS_PTRACE does not see.
            let bundle = try box.bundle("hang") { $0["process.user"] = ["uid": 1000, "gid": 1000] }
            #expect(try box.run(bundle, flags: ["--detach"]).status == 0)
            let script = """
                mount --make-rprivate / && mount -t proc -o hidepid=2 proc /proc && \
                    exec setpriv --regid 4242 --clear-groups --bounding-set -sys_ptrace --inh-caps -all "$@"
                """
            let unsighted = ["unshare", "--mount", "/bin/sh", "-c", script, "sh"]
            let pid = try #require(try box.state()["pid"] as? Int)
            if try box.aside(unsighted + ["test", "-e", "/proc/\(pid)"]).wait().status == 0 {
                try Test.cancel("this kernel shows root every process, whatever hidepid says")
            }
            let outcome = try box.aside(unsighted + [Programs.runtime, "--root", box.root, "state", box.id]).wait()
            #expect(outcome.status != 0 && outcome.stderr.contains("hidepid"), "\(outcome)")
        }

        /// Without its state the cgroup could not be found again.
        @Test(.needsCgroupTree, .needsProgram("strace")) func aCgroupThatCannotBeRemovedKeepsTheState() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("exit:7") { $0["linux.cgroupsPath"] = "/\(box.name)" }
            let trace = Surroundings(prefix: [
                "strace", "-qq", "-o", box.path("trace"), "-e", "inject=unlinkat:error=EIO:when=1",
            ])
            let outcome = try box.run(bundle, with: trace)
            #expect(outcome.status == 7, "\(outcome)")
            #expect(outcome.stderr.contains("the cgroup could not be removed"), "\(outcome)")
            #expect(outcome.stderr.contains("runbox delete --force \(box.id) tries again"), "\(outcome)")
            #expect(try box.status() == "stopped")
            #expect(CgroupTree.exists("/\(box.name)"))
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists("/\(box.name)"))
            box.expectNothingLeft()
        }
    }
}
