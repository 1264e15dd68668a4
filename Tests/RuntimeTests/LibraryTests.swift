import Foundation
import Testing

extension AllTests {
    /// Examples/HelloContainer: a program of its own package, with nothing but the public interface of the library.
    @Suite(.needsExample) struct Library {
        private static func begin(_ bundle: Bundle) throws -> Running {
            let box = try Sandbox.current
            return try box.aside([try #require(Requirement.example), bundle.directory, box.root])
        }

        private static func run(_ bundle: Bundle) throws -> Outcome { try begin(bundle).wait() }

        @Test func aContainerRunsFromBeginningToEnd() throws {
            let outcome = try Self.run(try Sandbox.current.bundle("say:hello from inside", "exit:7"))
            #expect(outcome.status == 7 && outcome.stderr == "", "\(outcome)")
            let lines = outcome.stdout.split(separator: "\n").map(String.init)
            #expect(lines.contains("hello from inside"), "\(outcome)")
            #expect(lines.contains { $0.wholeMatch(of: /hello-\d+ is created, process \d+/) != nil }, "\(outcome)")
            #expect(lines.contains("it ended with 7 and is stopped"), "\(outcome)")
        }

        @Test func mistakesAreTypedErrors() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0["hostname"] = 5 }
            let line = try box.refused(try Self.run(bundle))
            #expect(line.contains("config.json:") && line.contains("hostname"), "\(line)")
        }

        @Test func aMissingProgramIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refused(try Self.run(try box.bundle(args: ["/absent"])), status: 127)
            #expect(line.contains("/absent"), "\(line)")
        }

        @Test func theProgramIsSealed() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:ready", "hang")
            let running = try Self.begin(bundle)
            #expect(running.says("ready"))
            // Nobody can open it for writing by the way that containers have to it.
            let file = open("/proc/\(running.pid)/exe", O_WRONLY)
            #expect(file == -1 && (errno == EROFS || errno == ETXTBSY || errno == EPERM), "\(errno)")
            if file != -1 { close(file) }
            let names = try String(contentsOfFile: "/proc/\(running.pid)/comm", encoding: .utf8)
            #expect(names == "HelloContainer\n", "\(names)")
            for entry in try FileManager.default.contentsOfDirectory(atPath: box.root) where !entry.hasPrefix(".") {
                try box.ok("kill", entry, "KILL")
            }
            #expect(running.wait().status == 137)
        }

        /// Examples/HelloContainer/Sources/Supervisor, which waits for several services by their pidfds.
        private static func supervise(_ bundles: [Bundle]) throws -> Running {
            let box = try Sandbox.current
            let program = try #require(Requirement.example)
            let folder = program[..<(program.lastIndex(of: "/") ?? program.startIndex)]
            try FileManager.default.createDirectory(atPath: box.root, withIntermediateDirectories: true)
            return try box.aside(["\(folder)/Supervisor", box.root] + bundles.map(\.directory))
        }

        @Test func servicesAreSupervisedTogether() throws {
            let box = try Sandbox.current
            let good = try box.bundle("say:done")
            let bad = try box.bundle("say:trying", "exit:3")
            let outcome = try Self.supervise([good, bad]).wait()
            #expect(outcome.status == 1 && outcome.stderr == "", "\(outcome)")
            let lines = outcome.stdout.split(separator: "\n")
            func name(_ bundle: Bundle) -> String { URL(fileURLWithPath: bundle.directory).lastPathComponent }
            #expect(lines.count { $0 == "\(name(good)) ended with 0" } == 1, "\(outcome)")
            // Started again three times.
            #expect(lines.count { $0 == "\(name(bad)) ended with 3" } == 4, "\(outcome)")
            // Their streams are files of the caller's.
            let log = try String(contentsOfFile: "\(bad.directory)/log", encoding: .utf8)
            #expect(log == String(repeating: "trying\n", count: 4), "\(log)")
            let other = try String(contentsOfFile: "\(good.directory)/log", encoding: .utf8)
            #expect(other == "done\n", "\(other)")
        }

        @Test func aSupervisorThatIsEndedEndsItsServices() throws {
            let box = try Sandbox.current
            let running = try Self.supervise([try box.bundle("wait:TERM:0"), try box.bundle("wait:TERM:0")])
            #expect(running.says("runs as process"))
            let deadline = Date().addingTimeInterval(20)
            while try box.ok("list", "-q").stdout.split(separator: "\n").count < 2, Date() < deadline { usleep(20_000) }
            kill(running.pid, SIGTERM)
            let outcome = running.wait()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try box.ok("list", "-q").stdout == "", "nothing is left")
        }
    }
}
