import Foundation
import Glibc
import Testing

extension AllTests {
    /// stats
    @Suite struct Stats {
        private func running(_ box: Sandbox) throws {
            _ = try box.create(try box.bundle("hang"))
            try box.ok("start", box.id)
        }

        private func rows(_ box: Sandbox, _ names: String...) throws -> [[String: Any]] {
            let outcome = try box.plain(["--root", box.root, "stats", "--format", "json"] + names)
            #expect(outcome.status == 0 && outcome.stdout.filter { $0 == "\n" }.count == 1, "one line: \(outcome)")
            return try #require(try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [[String: Any]])
        }

        @Test func aPlainContainerIsShownToo() throws {
            let box = try Sandbox.current
            try running(box)
            let outcome = try box.ok("stats")
            let lines = outcome.stdout.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].hasPrefix("NAME ") && lines[0].hasSuffix(" RESTARTS"), "\(outcome)")
            let words = lines[1].split(separator: " ").map(String.init)
            #expect(words.first == box.id && words[1] == "running" && Double(words[2]) != nil, "\(outcome)")
            #expect(words.last == "-", "it is no service")
            #expect(try box.ok("stats", "--once", box.id).stdout.contains(box.id))
            try box.ok("kill", box.id, "KILL")
            #expect(box.becomes("stopped"))
            let ended = try box.ok("stats").stdout.split(separator: "\n")
            #expect(ended.count == 2 && ended[1].contains(" stopped "), "\(ended)")
        }

        /// docs/json.md
        @Test func jsonHasTheDocumentedKeys() throws {
            let box = try Sandbox.current
            #expect(try rows(box).isEmpty)
            try running(box)
            let row = try #require(try rows(box, box.id).first)
            let known = ["name", "status", "health", "restarts", "cpu", "memory", "pressure", "io", "processes"]
            #expect(Set(row.keys).isSubset(of: known), "\(row)")
            #expect(row["name"] as? String == box.id && row["status"] as? String == "running")
            let cpu = try #require(row["cpu"] as? [String: Any])
            #expect(cpu["total"] as? Int ?? 0 > 0 && cpu["percent"] is NSNumber, "\(cpu)")
            if CgroupTree.has("memory") {
                let memory = try #require(row["memory"] as? [String: Any])
                #expect(memory["usage"] as? Int ?? 0 > 0 && memory["limit"] == nil, "\(memory)")
            } else {
                #expect(row["memory"] == nil)
            }
            #expect((row["processes"] != nil) == CgroupTree.has("pids"))
        }

        @Test func servicesShowHealthAndRestarts() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always", "restart-delay": "10ms..20ms", "health-cmd": "true", "health-interval": "100ms"],
                "[ -e /shared/again ] && exec sleep 1000; : > /shared/again; exit 1")
            try box.detached(bundle)
            #expect(box.serviceBecomes("healthy", seconds: 20))
            let row = try #require(try rows(box, box.id).first)
            #expect(row["status"] as? String == "healthy" && row["health"] as? String == "healthy", "\(row)")
            #expect(row["restarts"] as? Int == 1, "\(row)")
            try box.ok("stop", "--timeout", "0.2", box.id)
            #expect(try rows(box).first?["status"] as? String == "ended")
            try box.away()
        }

        @Test func unknownNamesAreErrors() throws {
            let box = try Sandbox.current
            #expect(try box.refused(try box.runtime("stats", box.id)) == "container does not exist: \(box.id)")
            #expect(try box.refused(try box.runtime("stats", "--format", "xml")).contains("invalid format"))
        }

        private func live(_ box: Sandbox, _ terminal: Terminal, _ environment: [String: String] = [:]) throws -> Running
        {
            try box.begin(
                ["--root", box.root, "stats"],
                Surroundings(
                    environment: ["TERM": "xterm"].merging(environment) { $1 }, terminal: terminal.path))
        }

        @Test(arguments: ["q", "\u{3}", "signal"]) func aTerminalIsLeftAsItWas(end: String) throws {
            let box = try Sandbox.current
            try running(box)
            let terminal = try Terminal(rows: 10, columns: 200)
            let stats = try live(box, terminal)
            #expect(terminal.reads("\u{1b}[?1049h") && terminal.reads(box.id), "\(terminal.text)")
            #expect(terminal.reads("RESTARTS"))
            #expect(!terminal.isCooked, "keys are read as they are pressed")
            if end == "signal" { stats.signal(SIGTERM) } else { terminal.type(end) }
            let outcome = stats.wait()
            terminal.pump()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(terminal.text.hasSuffix("\u{1b}[?25h\u{1b}[?1049l"), "\(terminal.text.suffix(60))")
            #expect(terminal.isCooked)
        }

        /// What is drawn from the last beginning of a picture on, without what is no text.
        private func picture(_ terminal: Terminal) -> [String] {
            let pictures = terminal.text.components(separatedBy: "\u{1b}[?2026h").dropFirst()
            guard let last = pictures.last(where: { $0.contains("\u{1b}[?2026l") }) else { return [] }
            let text = last.replacing(#/\u{1b}\[[?0-9;]*[A-Za-z]/#, with: "")
            // As scalars: a carriage return and a newline are one character.
            let plain = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\r" }))
            return plain.components(separatedBy: "\n")
        }

        @Test func aWindowsSizeCountsAndNothingIsCleared() throws {
            let box = try Sandbox.current
            try running(box)
            let terminal = try Terminal(rows: 10, columns: 200)
            let stats = try live(box, terminal)
            #expect(terminal.reads(box.id))
            terminal.resize(rows: 10, columns: 12)
            #expect(
                eventually(10) {
                    terminal.pump()
                    let lines = picture(terminal)
                    return lines.count == 2 && lines.allSatisfy { $0.count == 12 }
                }, "\(picture(terminal))")
            terminal.resize(rows: 1, columns: 40)
            #expect(
                eventually(10) {
                    terminal.pump()
                    return picture(terminal).count == 1
                }, "\(picture(terminal))")
            #expect(!terminal.text.contains("\u{1b}[2J"), "what is cleared first flickers")
            terminal.type("q")
            #expect(stats.wait().status == 0)
        }

        @Test func coloursCanBeRefused() throws {
            let box = try Sandbox.current
            try running(box)
            for (environment, isColored) in [([:], true), (["NO_COLOR": "1"], false)] as [([String: String], Bool)] {
                let terminal = try Terminal(rows: 10, columns: 200)
                let stats = try live(box, terminal, environment)
                #expect(terminal.reads(box.id))
                #expect(terminal.text.contains("\u{1b}[1m") == isColored)
                terminal.type("q")
                _ = stats.wait()
            }
        }

        @Test func aDumbTerminalGetsOneTable() throws {
            let box = try Sandbox.current
            try running(box)
            let terminal = try Terminal(rows: 10, columns: 200)
            let stats = try live(box, terminal, ["TERM": "dumb"])
            let outcome = stats.wait()
            terminal.pump()
            #expect(outcome.status == 0 && terminal.text.contains(box.id) && !terminal.text.contains("\u{1b}"))
        }
    }
}
