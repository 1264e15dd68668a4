import Foundation
import Glibc
import Testing

extension AllTests {
    /// What commands print, and files that the caller names: nothing is lost without a word, nothing is destroyed.
    @Suite struct Outputs {
        // MARK: Standard output

        static let printing = [
            "list", "list --quiet", "list --format json", "features", "doctor", "doctor --format json", "check BUNDLE",
            "check --format json BUNDLE", "completion bash", "completion zsh", "completion fish", "state ID", "ps ID",
            "ps --format json ID", "events --stats ID", "events ID", "--version", "--help", "help", "help run",
            "run --help", "man",
            "man --list",
        ]

        @Test(arguments: ["full", "closed", "nobody reads"])
        func whatCannotBePrintedIsAnError(kind: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang")
            _ = try box.create(bundle)
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            close(ends[0])
            let output = kind == "full" ? open("/dev/full", O_WRONLY | O_CLOEXEC) : ends[1]
            defer {
                close(output)
                if kind == "full" { close(ends[1]) }
            }
            for line in Self.printing {
                let words = line.split(separator: " ").map {
                    $0 == "ID" ? box.id : $0 == "BUNDLE" ? bundle.directory : String($0)
                }
                let outcome: Outcome
                if kind == "closed" {
                    outcome = try box.aside(
                        ["sh", "-c", "exec \"$@\" >&-", "sh", Programs.runtime, "--root", box.root] + words
                    ).wait()
                } else {
                    outcome = try box.plain(
                        ["--root", box.root] + words, Surroundings(descriptors: [nil, output]))
                }
                if kind == "nobody reads" {
                    // A stream without an end of its own is over when nobody reads it.
                    let status = line == "events ID" ? 0 : 141
                    #expect(outcome.status == status && outcome.stderr == "", "\(line): \(outcome)")
                } else {
                    let reason = kind == "full" ? "no space left on device" : "bad file descriptor"
                    #expect(outcome.status == 1, "\(line): \(outcome)")
                    #expect(
                        outcome.stderr == "standard output could not be written: \(reason)\n", "\(line): \(outcome)")
                }
            }
        }

        @Test(.needsRoot) func withoutProcfsEveryCommandSaysSo() throws {
            let box = try Sandbox.current
            for words in [["--version"], ["run", "x"], ["list"]] {
                let outcome = try box.aside(
                    ["unshare", "-m", "sh", "-c", "umount -l /proc && exec \"$@\"", "sh", Programs.runtime] + words
                ).wait()
                #expect(outcome.status == 1, "\(outcome)")
                #expect(
                    outcome.complaints.count == 1 && outcome.stderr.hasPrefix("runbox: /proc is not mounted"),
                    "\(outcome)")
            }
        }

        // MARK: Files that are named

        private func kind(_ path: String) -> mode_t {
            var status = stat()
            return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
        }

        private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

        @Test func specWritesThroughLinksAndFIFOs() throws {
            let box = try Sandbox.current
            let whole = try box.plain(["spec", "--file", box.path("plain")])
            #expect(whole.status == 0 && text(box.path("plain")).contains("ociVersion"))
            try box.file("target", "old")
            symlink("target", box.path("link"))
            #expect(try box.plain(["spec", "--file", "link"]).status == 0)
            #expect(kind(box.path("link")) == S_IFLNK && text(box.path("target")) == text(box.path("plain")))
            symlink("/proc/self/fd/1", box.path("out"))
            let printed = try box.plain(["spec", "--file", "out"])
            #expect(printed.status == 0 && printed.stdout == text(box.path("plain")), "\(printed)")
            #expect(kind(box.path("out")) == S_IFLNK)
            mkfifo(box.path("fifo"), 0o600)
            let reader = try box.aside(["cat", box.path("fifo")])
            #expect(try box.plain(["spec", "--file", "fifo"]).status == 0)
            #expect(reader.wait().stdout == text(box.path("plain")) && kind(box.path("fifo")) == S_IFIFO)
        }

        /// `mknod` with the host's numbers, so that a runtime that replaces it harms nothing but this folder.
        @Test(.needsDeviceNodes) func devicesStayDevices() throws {
            let box = try Sandbox.current
            #expect(mknod(box.path("full"), S_IFCHR | 0o666, dev_t(0x107)) == 0)
            let outcome = try box.plain(["spec", "--file", "full"])
            #expect(outcome.status == 1 && outcome.stderr == "write full: no space left on device\n", "\(outcome)")
            for flags in [["--pid-file", box.path("full")], ["--pid-file=" + box.path("full"), "--detach"]] {
                let line = try box.refuse("hang", flags: flags)
                #expect(line.contains("write the pid file") && line.contains("no space left on device"), "\(line)")
            }
            #expect(kind(box.path("full")) == S_IFCHR)
        }

        @Test func pidFilesOfEveryKindAreWritten() throws {
            let box = try Sandbox.current
            try box.file("target", "12345678901234567890")
            symlink("target", box.path("link"))
            mkfifo(box.path("fifo"), 0o600)
            let reader = try box.aside(["cat", box.path("fifo")])
            _ = try box.create(try box.bundle("hang"), flags: ["--pid-file", box.path("fifo")])
            let pid = try String(#require(try box.state()["pid"] as? Int))
            #expect(reader.wait().stdout == pid && kind(box.path("fifo")) == S_IFIFO)
            try box.ok("start", box.id)
            let executed = try box.runtime(
                "exec", "--detach", "--pid-file", box.path("link"), box.id, "/probe", "sleep:100")
            #expect(executed.status == 0, "\(executed)")
            #expect(
                kind(box.path("link")) == S_IFLNK && Int(text(box.path("target"))) != nil, "\(text(box.path("target")))"
            )
            try box.ok("delete", "--force", box.id)
        }

        /// Opening it for writing would wait for ever, also for a process that wants to end that.
        @Test func aFIFOThatNobodyReadsIsAnError() throws {
            let box = try Sandbox.current
            mkfifo(box.path("fifo"), 0o600)
            let log = try box.plain(["--log", box.path("fifo"), "list"])
            #expect(log.status == 1 && log.stderr.contains("no process has opened this FIFO for reading"), "\(log)")
            let line = try box.refuse("hang", flags: ["--pid-file", box.path("fifo")])
            #expect(line.contains("no process has opened this FIFO for reading"), "\(line)")
            #expect(kind(box.path("fifo")) == S_IFIFO)
        }

        // MARK: The last output of a terminal

        /// The payload has ended before the runtime looks at its terminal for the first time.
        @Test func earlyOutputOfATerminalIsNotLost() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["sh", "-c", "echo first; echo last words"]) {
                $0["process.terminal"] = true
                $0["hooks.poststart.+"] = ["path": "/bin/sleep", "args": ["sleep", "0.3"]] as [String: Any]
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout == "first\nlast words\n", "\(outcome)")
        }

        /// Among processes that want all of the processors.
        @Test func nothingIsLostUnderLoad() throws {
            let box = try Sandbox.current
            for _ in 0..<4 { _ = try box.aside(["sh", "-c", "while :; do :; done"]) }
            let bundle = try box.bundle("hang")
            _ = try box.create(bundle, id: box.id("other"))
            try box.ok("start", box.id("other"))
            let talker = try box.bundle(args: ["sh", "-c", "echo last words"]) { $0["process.terminal"] = true }
            for number in 0..<25 {
                let outcome = try box.run(talker, id: box.id("n\(number)"))
                #expect(outcome.stdout == "last words\n", "\(outcome)")
                let executed = try box.runtime("exec", "--tty", box.id("other"), "sh", "-c", "echo last words")
                #expect(executed.stdout == "last words\n", "\(executed)")
            }
            try box.ok("delete", "--force", box.id("other"))
        }

        /// A process that lives on holds the terminal, and says nothing, little or much.
        @Test(arguments: ["sleep 1000", "while :; do echo t; sleep 0.1; done", "while :; do echo much; done"])
        func whoHoldsTheTerminalDoesNotHoldTheRuntime(script: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["sh", "-c", "trap '' HUP; { \(script); } & echo last words; exit 7"]) {
                $0["process.terminal"] = true
                $0.dropNamespace("pid")
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 7 && outcome.stdout.contains("last words"), "\(outcome)")
        }

        /// A reader that takes nothing may let the runtime wait, but no signal is lost on it.
        @Test func aReaderThatReadsNothingDoesNotBlockSignals() throws {
            let box = try Sandbox.current
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            defer { for end in ends { close(end) } }
            let bundle = try box.bundle(args: [
                "sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done",
            ]) {
                $0["process.terminal"] = true
                // The first process of a pid namespace would be spared by the signal.
                $0.dropNamespace("pid")
            }
            let running = try box.runAside(bundle, with: Surroundings(descriptors: [nil, ends[1]]))
            #expect(eventually(10) { (try? box.status()) == "running" })
            #expect(!eventually(1) { running.hasEnded() })
            // The first is the payload's, a later one the runtime's own.
            #expect(
                eventually(15) {
                    running.signal(SIGTERM)
                    usleep(100_000)
                    return running.hasEnded()
                })
            #expect(running.wait().status == 143)
        }

        @Test func aTerminalOnAFullDeviceIsAWarning() throws {
            let box = try Sandbox.current
            let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
            defer { close(full) }
            let bundle = try box.bundle("say:hello", "exit:7") { $0["process.terminal"] = true }
            let outcome = try box.run(bundle, with: Surroundings(descriptors: [nil, full]))
            #expect(outcome.status == 7, "\(outcome)")
            #expect(
                outcome.stderr.contains("the output of the terminal was lost: no space left on device"), "\(outcome)")
        }
    }
}
