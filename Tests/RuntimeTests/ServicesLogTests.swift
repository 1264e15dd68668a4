import Foundation
import Glibc
import Testing

extension AllTests {
    /// What a service writes is kept, and `logs` shows it
    @Suite struct ServicesLog {
        private func log(_ box: Sandbox) -> String { box.path("logs/web.log") }

        /// `run --detach` of a service that logs to a file, in a folder that is there.
        @discardableResult
        private func start(_ box: Sandbox, _ script: String, _ flags: [String] = []) throws -> Bundle {
            try box.folder("logs")
            let bundle = try box.service([:], script)
            try box.detached(bundle, ["--log", "file", "--log-path", log(box)] + flags)
            return bundle
        }

        private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

        /// The numbers of lines such as `line 7`, which must be without gaps.
        private func numbers(_ text: String, _ word: String = "line") -> [Int] {
            lines(text).compactMap { $0.hasPrefix("\(word) ") ? Int($0.dropFirst(word.count + 1)) : nil }
        }

        @Test func linesAreKeptAndShown() throws {
            let box = try Sandbox.current
            try start(
                box, "echo one; sleep 0.3; echo oops >&2; sleep 0.3; printf two; sleep 0.3; echo 2; exec sleep 1000")
            #expect(eventually(10) { (try? box.runtime("logs", box.id).stdout) == "one\ntwo2\n" })
            let text = try String(contentsOfFile: log(box), encoding: .utf8)
            let record = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) [FP] .*/#
            for line in lines(text) { #expect(line.wholeMatch(of: record) != nil, "\(line)") }
            let records = lines(text).map { $0.dropFirst(31) }
            #expect(records == ["stdout F one", "stderr F oops", "stdout P two", "stdout F 2"])
            let shown = try box.ok("logs", box.id)
            #expect(shown.stdout == "one\ntwo2\n" && shown.stderr == "oops\n", "each on its own stream")
            #expect(try box.ok("logs", "--stream", "stderr", box.id).stdout == "")
            #expect(try box.ok("logs", "-n", "1", box.id).stdout == "two2\n")
            #expect(try box.ok("logs", "-n", "2", "--stream", "stdout", box.id).stdout == "one\ntwo2\n")
            #expect(try box.ok("logs", "-t", "-n", "1", box.id).stdout == "\(lines(text)[2].prefix(30)) two2\n")
            #expect(try box.ok("logs", "--since", "1h", box.id).stdout == "one\ntwo2\n")
            #expect(try box.ok("logs", "--until", "1h", box.id).stdout == "")
            #expect(
                try box.ok("logs", "--since", String(lines(text)[1].prefix(30)), box.id).stdout == "two2\n",
                "what was written at that very time is shown")
            try box.ok("stop", "--timeout", "0.2", box.id)
            #expect(try box.ok("logs", box.id).stdout == "one\ntwo2\n", "of one that has ended")
            #expect(try box.ok("logs", "--follow", "-n", "1", box.id).stdout == "two2\n", "which ends by itself")
            try box.ok("delete", box.id)
            #expect(try box.refused(try box.runtime("logs", box.id)) == "container does not exist: \(box.id)")
            #expect(try box.ok("logs", "--file", log(box)).stdout == "one\ntwo2\n", "the file alone is left")
        }

        /// Over many rotations and their compression, a reader sees each line once, and in order.
        @Test(.needsProgram("gzip")) func followingLosesNothing() throws {
            let box = try Sandbox.current
            try start(
                box,
                """
                until [ -e /shared/go ]; do sleep 0.05; done
                i=0
                while [ $i -lt 3000 ]; do
                    echo line $i; echo error $i >&2
                    i=$((i+1))
                    [ $((i%100)) = 0 ] && sleep 0.02
                done
                exec sleep 1000
                """,
                ["--log-size", "8k", "--log-files", "500", "--log-compress"])
            let reader = try box.begin(["--root", box.root, "logs", "--follow", box.id])
            try box.file("shared/go")
            #expect(
                eventually(30) { reader.stdout.hasSuffix("line 2999\n") && reader.stderr.hasSuffix("error 2999\n") })
            #expect(!reader.hasEnded())
            try box.ok("stop", "--timeout", "0.2", box.id)
            let outcome = reader.wait()
            #expect(outcome.status == 0, "it ends with the service")
            #expect(numbers(outcome.stdout) == Array(0..<3000) && numbers(outcome.stderr, "error") == Array(0..<3000))
            let names = try FileManager.default.contentsOfDirectory(atPath: box.path("logs"))
            #expect(names.filter { $0.hasSuffix(".gz") }.count > 5 && names.contains("web.log.1"), "\(names.sorted())")
            #expect(!names.contains("web.log.1.gz"), "a reader may not have finished the newest")
            let shown = try box.ok("logs", box.id)
            #expect(numbers(shown.stdout) == Array(0..<3000), "from all files")
            #expect(numbers(try box.ok("logs", "-n", "700", "--stream", "stdout", box.id).stdout) == Array(2300..<3000))
        }

        @Test func aKilledSupervisorsLogGoesOn() throws {
            let box = try Sandbox.current
            let script = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.01; done"
            let bundle = try start(box, script)
            #expect(eventually(10) { numbers((try? box.runtime("logs", box.id).stdout) ?? "").count > 20 })
            box.killSupervisor()
            let before = numbers(try box.ok("logs", box.id).stdout).count
            usleep(200_000)
            try box.detached(bundle, ["--log", "file", "--log-path", log(box)])
            #expect(eventually(10) { numbers((try? box.runtime("logs", box.id).stdout) ?? "").count > before + 40 })
            let seen = numbers(try box.ok("logs", box.id).stdout)
            #expect(seen == Array(0..<seen.count), "no line is lost, and none is doubled")
            try box.away()
        }

        @Test(arguments: ["link", "fifo"]) func anotherThingInPlaceOfTheLogIsRefused(kind: String) throws {
            let box = try Sandbox.current
            try box.folder("logs")
            if kind == "link" {
                try box.file("victim", "untouched")
                symlink(box.path("victim"), log(box))
            } else {
                mkfifo(log(box), 0o600)
            }
            let bundle = try box.service([:], "echo it ran")
            let outcome = try box.run(bundle, flags: ["--log", "file", "--log-path", log(box), "--restart", "no"])
            let words = kind == "link" ? "is a symbolic link" : "is no regular file"
            #expect(outcome.status == 1 && outcome.stderr.contains(words), "\(outcome)")
            if kind == "link" {
                #expect(try String(contentsOfFile: box.path("victim"), encoding: .utf8) == "untouched")
            }
            box.expectNothingLeft()
        }

        /// A disk that is full stops nobody; where it has room again, the log says what is missing.
        @Test(.needsRoot, .needsProgram("unshare"), .needsProgram("nsenter")) func aFullDiskLosesWholeLines() throws {
            let box = try Sandbox.current
            let disk = try box.folder("disk")
            let bundle = try box.service(
                [:],
                """
                i=0
                while [ $i -lt 6000 ]; do echo line $i ....................; i=$((i+1)); done
                : > /shared/done
                until [ -e /shared/go ]; do sleep 0.05; done
                echo line again
                exec sleep 1000
                """)
            let service = try box.runAside(
                bundle, flags: ["--restart", "no", "--log", "file", "--log-path", "\(disk)/web.log"],
                with: Surroundings(prefix: [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c",
                    "mount -t tmpfs -o size=64k,mode=755 tmpfs \(disk) && exec \"$@\"", "sh",
                ]))
            #expect(eventually(20) { access(box.shared + "/done", F_OK) == 0 }, "it was not stopped: \(service.stderr)")
            let pid = String(box.supervisor)
            let inside = ["nsenter", "--target", pid, "--mount"]
            let more = try box.aside(inside + ["mount", "-o", "remount,size=10m", disk]).wait()
            #expect(more.status == 0, "\(more)")
            func text() -> String { (try? box.aside(inside + ["cat", "\(disk)/web.log"]).wait().stdout) ?? "" }
            #expect(eventually(20) { text().contains(" were dropped since ") })
            try box.file("shared/go")
            #expect(eventually(10) { text().contains("line again") })
            let lines = lines(text()).map { $0.dropFirst(31) }
            let kept = lines.prefix { $0.hasPrefix("stdout F line ") }
            #expect(kept.count > 1000 && kept.count < 3000, "a disk and a buffer of 64 KiB: \(kept.count)")
            #expect(kept == (0..<kept.count).map { "stdout F line \($0) ...................." }[...])
            let words = lines.dropFirst(kept.count)
            #expect(words.count == 2, "\(words)")
            #expect(words.first?.hasPrefix("stdout F runbox: \(6000 - kept.count) lines (") == true, "\(words)")
            #expect(words.last == "stdout F line again")
            #expect(service.stderr.contains("the log cannot be written: "), "\(service.stderr)")
            try box.ok("stop", "--timeout", "0.2", box.id)
            _ = service.wait()
            try box.ok("delete", "--force", box.id)
        }

        /// The journal gets the native protocol's fields, and `logs` knows where the lines are.
        @Test(.needsRoot, .needsProgram("unshare")) func theJournalGetsEachLine() throws {
            let box = try Sandbox.current
            let folder = try box.folder("journal")
            let journal = try NotifyListener(path: "\(folder)/socket")
            let bundle = try box.service([:], "echo one; echo oops >&2; exec sleep 1000")
            let service = try box.runAside(
                bundle, flags: ["--restart", "no", "--log", "journal"],
                with: Surroundings(prefix: [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c",
                    "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind \(folder) /run/systemd/journal && exec \"$@\"",
                    "sh",
                ]))
            func hears(_ fields: [String]) -> Bool {
                journal.hears { message in
                    let lines = message.split(separator: "\n").map(String.init)
                    return fields.allSatisfy { lines.contains($0) }
                }
            }
            let common = [
                "SYSLOG_IDENTIFIER=\(box.id)", "CONTAINER_NAME=\(box.id)", "CONTAINER_ID=\(box.id)",
                "CONTAINER_ID_FULL=\(box.id)", "RUNBOX_BUNDLE=\(bundle.directory)",
            ]
            #expect(hears(common + ["MESSAGE=one", "PRIORITY=6", "RUNBOX_STREAM=stdout"]), "\(service.stderr)")
            #expect(hears(common + ["MESSAGE=oops", "PRIORITY=3", "RUNBOX_STREAM=stderr"]))
            let empty = try box.folder("empty")
            let refused = try box.runtime(
                "logs", "-f", "-n", "3", box.id, with: Surroundings(environment: ["PATH": empty]))
            #expect(
                refused.status == 1
                    && refused.stderr.contains(
                        "journalctl CONTAINER_NAME=\(box.id) --no-pager --quiet --output cat --follow --lines=3"),
                "\(refused)")
            try box.ok("stop", "--timeout", "0.2", box.id)
            _ = service.wait()
            try box.ok("delete", "--force", box.id)
        }

        @Test func whatHasNoLogIsSaidSo() throws {
            let box = try Sandbox.current
            #expect(try box.refused(try box.runtime("logs", box.id)) == "container does not exist: \(box.id)")
            #expect(try box.refused(try box.runtime("logs")).contains("a service is needed, or --file"))
            #expect(try box.refused(try box.runtime("logs", "--file", box.path("none"))).contains("there is no log at"))
            for (flag, value) in [("--since", "soon"), ("--tail", "-1"), ("--stream", "2")] {
                let line = try box.refused(try box.runtime("logs", flag, value, box.id))
                #expect(line.contains("invalid value \"\(value)\" for flag \(flag): "), "\(line)")
            }
            #expect(try box.refused(try box.runtime("logs", "../x")).contains("invalid container ID format"))
            let created = try box.create(try box.bundle("hang"))
            let outcome = try box.runtime("logs", box.id)
            #expect(outcome.status == 1 && outcome.stderr.contains("keeps no log"), "\(outcome) \(created.stderr)")
            try box.ok("delete", "--force", box.id)
            try box.detached(try box.service([:], "exec sleep 1000"), ["--log", "inherit", "--restart", "no"])
            let inherited = try box.runtime("logs", box.id)
            #expect(inherited.status == 1, "\(inherited)")
            #expect(
                inherited.stderr.contains("keeps no log: what it writes goes where its supervisor's"), "\(inherited)")
            try box.away()
        }
    }
}
