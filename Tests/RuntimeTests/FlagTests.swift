import Foundation
import Testing

extension AllTests {
    /// Flags that no other suite needs.
    @Suite struct Flags {
        @Test func uniqueBeginningsOfFlagsAreTaken() throws {
            let box = try Sandbox.current
            try box.folder("root", mode: 0o700)
            let outcome = try box.plain([
                "--root", box.root, "--cgroup=disabled", "--log-l", "error", "list", "--form=json",
            ])
            #expect(outcome.status == 0 && outcome.stdout == "[]\n", "\(outcome)")
        }

        @Test func ambiguousBeginningsOfFlagsAreRefused() throws {
            let outcome = try Sandbox.current.plain(["--lo", "x", "list"])
            #expect(outcome.status == 1 && outcome.stderr.contains("ambiguous"), "\(outcome)")
            for flag in ["--log", "--log-format", "--log-level"] {
                #expect(outcome.stderr.contains(flag), "\(outcome)")
            }
        }

        @Test(arguments: ["--detach", "-d"])
        func createTakesFlagsThatSayNothingNew(flag: String) throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("exit:0"), flags: [flag])
            #expect(try box.status() == "created")
        }

        @Test(arguments: ["--file", "-f"])
        func specWritesIntoAnotherFile(flag: String) throws {
            let box = try Sandbox.current
            let path = try box.file("other.json", "it is overwritten")
            var surroundings = Surroundings()
            surroundings.directory = try box.folder("empty")
            let outcome = try box.plain(["spec", flag, path], surroundings)
            #expect(outcome.status == 0 && outcome.stdout == "", "\(outcome)")
            let config = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            #expect((config as? [String: Any])?["ociVersion"] != nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: box.path("empty")).isEmpty)
        }

        /// Listens on a socket in a mount namespace of its own, runs a command, and prints what the socket got.
        private static let listener = """
            import os, socket, subprocess, sys
            place, path = sys.argv[1], sys.argv[2]
            subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            listener.bind(path)
            listener.settimeout(5)
            status = subprocess.run(sys.argv[3:]).returncode
            print(listener.recv(65536).decode(), end="")
            sys.exit(status)
            """

        private static func received(at path: String, below place: String, log: String) throws -> Outcome {
            let box = try Sandbox.current
            let script = try box.file("listener.py", listener)
            return try box.aside(
                ["unshare", "--mount", "--propagation", "private", "python3", script, place, path]
                    + [Programs.runtime, "--root", box.root, "--log", log, "state", "absent"]
            ).wait()
        }

        @Test func errorsGoToTheJournal() throws {
            let outcome = try Self.received(at: "/run/systemd/journal/socket", below: "/run", log: "journald:name")
            #expect(outcome.status == 1 && outcome.stderr == "container does not exist: absent\n", "\(outcome)")
            #expect(
                outcome.stdout
                    == "MESSAGE=container does not exist: absent\nPRIORITY=3\nSYSLOG_IDENTIFIER=name\n", "\(outcome)")
        }

        @Test func errorsGoToSyslog() throws {
            let outcome = try Self.received(at: "/dev/log", below: "/dev", log: "syslog:name")
            #expect(outcome.status == 1 && outcome.stderr == "container does not exist: absent\n", "\(outcome)")
            // Facility user, severity error.
            #expect(
                outcome.stdout.wholeMatch(of: /<11>name\[\d+\]: container does not exist: absent\n?/) != nil,
                "\(outcome)")
        }

        @Test(.needsHostWithoutJournal) func aLogThatNobodyReadsIsAWarning() throws {
            let box = try Sandbox.current
            let outcome = try box.plain(["--log", "journald:name", "state", "absent"])
            #expect(outcome.status == 1 && outcome.stderr.contains("container does not exist"), "\(outcome)")
            #expect(outcome.stderr.contains("log cannot be written"), "\(outcome)")
        }
    }
}
