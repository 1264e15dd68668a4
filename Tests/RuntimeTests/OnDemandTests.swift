import Foundation
import Glibc
import Testing

extension AllTests {
    /// Sockets that are opened for a service, and what sleeps until somebody connects to them
    @Suite(.needsRoot)
    struct OnDemand {
        private let port = Client.freePort()
        private var address: String { "tcp:127.0.0.1:\(port)" }

        private func service(_ box: Sandbox) throws -> [String: Any] {
            try box.state()["service"] as? [String: Any] ?? [:]
        }

        private func becomes(_ status: String, _ box: Sandbox, seconds: Double = 20) -> Bool {
            eventually(seconds) { (try? service(box))?["status"] as? String == status }
        }

        private func begin(_ box: Sandbox, _ verbs: String..., flags: [String]) throws -> Running {
            try box.runAside(box.bundle(args: ["/probe"] + verbs), flags: flags)
        }

        /// What the payload says at each start.
        private func starts(_ running: Running, _ text: String = "serving=") -> Int {
            running.stdout.components(separatedBy: text).count - 1
        }

        private func stop(_ box: Sandbox, _ running: Running, location: SourceLocation = #_sourceLocation) throws {
            try box.ok("stop", box.id, location: location)
            #expect(running.wait().status == 0, "\(running.stderr)", sourceLocation: location)
        }

        @Test func aServiceInANetworkOfItsOwnServesPortsOfTheHost() throws {
            let box = try Sandbox.current
            let path = box.path("s")
            let running = try begin(
                box, "serve:0",
                flags: ["--listen", "web=\(address)", "--listen", "unix:\(path)", "--listen", "udp:127.0.0.1:\(port)"])
            for (number, place) in [(3, address), (4, "unix:\(path)"), (5, "udp:127.0.0.1:\(port)")] {
                let answer = try connect(place).ask()
                #expect(answer.hasPrefix("fd=\(number) names=web:unknown:unknown pid=1"), "\(place): \(answer)")
            }
            let listen = try service(box)["listen"] as? [String]
            #expect(listen == ["web=\(address)", "unix:\(path)", "udp:127.0.0.1:\(port)"])
            // Open once more after a restart, by the same sockets.
            try box.ok("restart", box.id)
            #expect(try Client(address).ask().hasPrefix("fd=3"))
            try stop(box, running)
            #expect(access(path, F_OK) != 0)
            #expect(throws: Trouble.self) { _ = try Client(address) }
        }

        /// The sockets are there a moment after the process.
        private func connect(_ address: String) throws -> Client {
            var client: Client?
            _ = eventually(10) {
                client = try? Client(address)
                return client != nil
            }
            return try client ?? Client(address)
        }

        @Test func theFirstConnectionStartsItAndIdlenessStopsIt() throws {
            let box = try Sandbox.current
            let path = box.path("s")
            let running = try begin(
                box, "serve:0",
                flags: ["--listen", address, "--listen", "unix:\(path)", "--on-demand", "--idle", "300ms"])
            #expect(becomes("sleeping", box))
            #expect(try service(box)["ready"] as? Bool == true && box.state()["pid"] as? Int == 0)
            #expect(try box.ok("list").stdout.contains("sleeping"))
            for round in 1...3 {
                #expect(try Client(round == 2 ? "unix:\(path)" : address).ask().contains("served=1"))
                #expect(becomes("sleeping", box))
            }
            #expect(
                eventually(10) { starts(running) == 3 } && running.stderr == "", "\(running.stdout) \(running.stderr)")
            #expect(try service(box)["restarts"] as? Int == 0)
            try stop(box, running)
            #expect(access(path, F_OK) != 0)
        }

        @Test func aDatagramWakesItAndKeepsItAwake() throws {
            let box = try Sandbox.current
            let place = "udp:127.0.0.1:\(port)"
            let running = try begin(box, "serve:0", flags: ["--listen", place, "--on-demand", "--idle", "3s"])
            #expect(becomes("sleeping", box))
            try keepsAwake(running) { try Client(place).ask() }
            try stop(box, running)
        }

        /// Nothing is ever open when the supervisor looks.
        @Test func shortConnectionsKeepItAwake() throws {
            let box = try Sandbox.current
            let running = try begin(box, "serve:0", flags: ["--listen", address, "--on-demand", "--idle", "3s"])
            #expect(becomes("sleeping", box))
            try keepsAwake(running) { try Client(address).ask() }
            #expect(becomes("sleeping", box))
            try stop(box, running)
        }

        /// Asks for longer than it may be idle, unless the machine is too busy to ask often enough.
        private func keepsAwake(_ running: Running, _ ask: () throws -> String) throws {
            let end = Date().addingTimeInterval(5)
            var (last, gap) = (Date(), 0.0)
            while Date() < end {
                #expect(try ask().hasPrefix("fd=3"))
                gap = max(gap, Date().timeIntervalSince(last))
                last = Date()
                usleep(100_000)
            }
            guard gap < 2 else { return print("skipped: \(gap) s passed between two connections") }
            #expect(starts(running) == 1, "\(running.stdout)")
        }

        @Test func anOpenConnectionKeepsItAwake() throws {
            let box = try Sandbox.current
            let running = try begin(box, "serve:0", flags: ["--listen", address, "--on-demand", "--idle", "200ms"])
            #expect(becomes("sleeping", box))
            do {
                let client = try Client(address)
                #expect(client.ask("hold").contains("served=1"))
                usleep(1_500_000)
                #expect(try service(box)["status"] as? String == "running")
                // Another one waits meanwhile; the payload takes one after the other.
                let second = try Client(address)
                withExtendedLifetime((client, second)) {}
            }
            #expect(becomes("sleeping", box))
            #expect(starts(running) == 1)
            try stop(box, running)
        }

        /// Who has woken it is left waiting: it must not be started as fast as the host can.
        @Test(arguments: ["say:here", "exit:3"])
        func aPayloadThatTakesNothingIsNotStartedInACircle(verb: String) throws {
            let box = try Sandbox.current
            let running = try begin(box, "say:begun", verb, flags: ["--listen", address, "--on-demand"])
            #expect(becomes("sleeping", box))
            let client = try Client(address)
            #expect(becomes("waiting", box))
            usleep(1_500_000)
            // After 0.1, 0.2, 0.4, 0.8 s, a fifth more or less.
            #expect((1...6).contains(starts(running, "begun")), "\(running.stdout)")
            #expect(running.stderr.contains("it listens again in"), "\(running.stderr)")
            withExtendedLifetime(client) {}
            try box.ok("stop", box.id)
            _ = running.wait()
        }

        /// As inetd has it: the next one waits in the queue, and is no reason to slow down.
        @Test func onePayloadAConnectionServesAll() throws {
            let box = try Sandbox.current
            let running = try begin(box, "serve:1", flags: ["--listen", address, "--on-demand"])
            #expect(becomes("sleeping", box))
            let clients = try (1...5).map { _ in try Client(address) }
            for client in clients { #expect(client.ask().contains("served=1")) }
            // The output of the last one is on its way.
            #expect(
                eventually(10) { starts(running) == 5 } && running.stderr == "", "\(running.stdout) \(running.stderr)")
            #expect(becomes("sleeping", box))
            try stop(box, running)
        }

        /// Who comes while it stops is served by the next one.
        @Test func nobodyIsRefusedAroundTheSleep() throws {
            let box = try Sandbox.current
            let running = try begin(box, "serve:0", flags: ["--listen", address, "--on-demand", "--idle", "50ms"])
            #expect(becomes("sleeping", box))
            for pause in 0..<25 {
                // One that was accepted in the very moment of the signal is the payload's to answer.
                let answer = try Client(address).ask()
                #expect(answer.hasPrefix("fd=3"), "\(pause)")
                usleep(useconds_t(30_000 + pause * 11_000))
            }
            #expect(starts(running) > 1)
            try stop(box, running)
        }

        @Test func aKilledSupervisorsSocketsAreTakenOver() throws {
            let box = try Sandbox.current
            let path = box.path("s")
            let flags = ["--detach", "--log", "inherit", "--listen", address, "--listen", "unix:\(path)"]
            let bundle = try box.bundle("serve:0")
            #expect(try box.run(bundle, flags: flags).status == 0)
            let pid = try box.state()["pid"] as? Int
            let supervisor = try service(box)["supervisor"] as? [String: Any]
            kill(pid_t(supervisor?["pid"] as? Int ?? 0), SIGKILL)
            #expect(becomes("unsupervised", box))
            #expect(try Client(address).ask().contains("served=1"))
            let again = try box.run(bundle, flags: flags + ["--on-demand", "--idle", "300ms"])
            #expect(again.status == 0 && again.stderr.contains("is adopted"), "\(again)")
            #expect(try box.state()["pid"] as? Int == pid)
            #expect(try Client(address).ask().contains("served=2"))
            #expect(becomes("sleeping", box))
            #expect(try Client("unix:\(path)").ask().contains("served=1"))
            try box.ok("stop", box.id)
            #expect(access(path, F_OK) != 0)
            try box.ok("delete", box.id)
        }

        @Test func socketsFollowThoseOfTheServiceManager() throws {
            let box = try Sandbox.current
            let given = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(given) }
            #expect(listen(given, 1) == 0)
            let preserved = try box.file("preserved", "kept")
            let file = open(preserved, O_RDONLY)
            defer { close(file) }
            var surroundings = Surroundings()
            surroundings.descriptors = [nil, nil, nil, given, file]
            surroundings.environment = ["LISTEN_FDS": "1", "LISTEN_FDNAMES": "theirs"]
            let running = try box.runAside(
                box.bundle("fds", "env", "fdread:5", "flush", "serve:0"),
                flags: ["--listen", "ours=\(address)", "--preserve-fds", "1"], with: surroundings)
            #expect(running.says("serving=2"))
            let facts = running.facts
            #expect(facts["fds"] == "0 1 2 3 4 5" && facts["fdread.5"] == "kept", "\(facts)")
            #expect(facts["env.LISTEN_FDS"] == "2" && facts["env.LISTEN_FDNAMES"] == "theirs:ours", "\(facts)")
            #expect(try Client(address).ask().hasPrefix("fd=4"))
            try stop(box, running)
        }

        /// What cannot be opened is an error of `run`, and nothing is left.
        @Test(arguments: [false, true])
        func whatCannotBeOpenedIsSaid(detached: Bool) throws {
            let box = try Sandbox.current
            let taken = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(taken) }
            #expect(listen(taken, 1) == 0)
            let busy = Self.port(of: taken)
            let plain = try box.file("plain")
            let bundle = try box.bundle("serve:0")
            for (place, words) in [
                ("tcp:0.0.0.0:\(busy)", "address already in use; ss -ltnp names the program that has it"),
                ("unix:\(plain)", "\(plain) is there and is no socket; remove it, or choose another path"),
                ("tcp:192.0.2.1:1", "no network interface of this host has it"),
            ] {
                let outcome = try box.run(bundle, flags: (detached ? ["--detach"] : []) + ["--listen", place])
                #expect(outcome.status == 1 && outcome.stderr.hasPrefix("listen at \(place): "), "\(outcome)")
                #expect(outcome.stderr.contains(words) && outcome.complaints.count == 1, "\(outcome)")
                #expect(try box.runtime("state", box.id).status != 0)
            }
            #expect(access(plain, F_OK) == 0)
        }

        private static func port(of socket: Int32) -> Int {
            var place = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(socket, $0, &length) }
            }
            return Int(UInt16(bigEndian: place.sin_port))
        }

        /// The file that a killed supervisor without a payload has left.
        @Test func aStaleFileMakesRoom() throws {
            let box = try Sandbox.current
            let path = box.path("s")
            let flags = ["--listen", "unix:\(path)", "--on-demand"]
            let bundle = try box.bundle("serve:0")
            let first = try box.runAside(bundle, flags: flags)
            #expect(becomes("sleeping", box))
            first.signal(SIGKILL)
            _ = first.wait()
            #expect(access(path, F_OK) == 0)
            let second = try box.runAside(bundle, flags: flags)
            #expect(becomes("sleeping", box), "\(second.stderr)")
            #expect(try Client("unix:\(path)").ask().hasPrefix("fd=3"))
            let third = try box.run(bundle, id: box.id("x"), flags: flags)
            #expect(third.status == 1 && third.stderr.contains("another program listens there"), "\(third)")
            try stop(box, second)
        }
    }
}
