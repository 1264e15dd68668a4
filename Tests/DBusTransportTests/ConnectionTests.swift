import CLinux
import DBus
import Kernel
import KernelTypes
import Testing

@testable import DBusTransport

/// A message bus of the test's own. The shell starts it: nothing is forked in this process, which has threads.
private final class TestBus {
    static let program = "/usr/bin/dbus-daemon"

    let path: String
    private let pid: Int32
    private let folder: String

    init() throws {
        folder = "/tmp/runbox-bus-\(getpid())"
        path = "\(folder)/bus"
        try Files.makeDirectories(folder, mode: 0o700)
        let command = "\(Self.program) --session --nofork --nopidfile --address=unix:path=\(path)"
        let shell = try #require(popen("exec </dev/null; \(command) >/dev/null 2>&1 & echo $!", "r"))
        defer { pclose(shell) }
        var line = [CChar](repeating: 0, count: 32)
        _ = fgets(&line, 32, shell)
        let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        pid = try #require(Int32(text))
        for _ in 0..<1000 where !Files.exists(path) { MonotonicClock.sleep(milliseconds: 10) }
    }

    deinit {
        kill(pid, SIGTERM)
        for _ in 0..<500 where kill(pid, 0) == 0 { MonotonicClock.sleep(milliseconds: 10) }
        try? Files.removeTree(folder)
    }
}

@Suite(.serialized, .enabled(if: Files.isExecutable(TestBus.program), "needs dbus-daemon, which is not installed"))
struct Connections {
    private func call(_ member: String, _ arguments: [Value] = []) -> Message {
        var message = Message(.call)
        message.destination = "org.freedesktop.DBus"
        message.path = "/org/freedesktop/DBus"
        message.interface = "org.freedesktop.DBus"
        message.member = member
        message.body = arguments
        return message
    }

    @Test func aCallIsAnswered() throws {
        let bus = try TestBus()
        var connection = try Connection.open(bus.path, isBus: true, timeout: 20_000)
        guard case .array(of: .string, let names)? = try connection.call(call("ListNames"), timeout: 20_000).body.first
        else {
            Issue.record("no list of names")
            return
        }
        #expect(names.contains(.string("org.freedesktop.DBus")))
        let owner = try connection.call(call("GetNameOwner", [.string("org.freedesktop.DBus")]), timeout: 20_000)
        #expect(owner.body == [.string("org.freedesktop.DBus")])
    }

    @Test func aRefusalHasItsName() throws {
        let bus = try TestBus()
        var connection = try Connection.open(bus.path, isBus: true, timeout: 20_000)
        let error = #expect(throws: DBusError.self) {
            _ = try connection.call(call("GetNameOwner", [.string("nobody.here")]), timeout: 20_000)
        }
        #expect(error?.isNamed("org.freedesktop.DBus.Error.NameHasNoOwner") == true)
        // The connection goes on.
        #expect(try connection.call(call("GetId"), timeout: 20_000).body.count == 1)
    }

    @Test func signalsAreHeard() throws {
        let bus = try TestBus()
        var connection = try Connection.open(bus.path, isBus: true, timeout: 20_000)
        connection.awaitedSignal = "NameOwnerChanged"
        let rule = "type='signal',member='NameOwnerChanged'"
        _ = try connection.call(call("AddMatch", [.string(rule)]), timeout: 20_000)
        _ = try connection.call(call("RequestName", [.string("run.box.Test"), .uint32(4)]), timeout: 20_000)
        let signal = try connection.signal(timeout: 20_000, "signal") { $0.body.first == .string("run.box.Test") }
        #expect(signal.interface == "org.freedesktop.DBus")
        #expect(throws: DBusError.timedOut("another")) {
            _ = try connection.signal(timeout: 50, "another") { _ in true }
        }
    }

    @Test func aMissingBusIsASystemError() throws {
        let error = #expect(throws: DBusError.self) {
            _ = try Connection.open("/nowhere/bus", isBus: true, timeout: 1000)
        }
        guard case .system(let cause)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cause.code == .noEntry)
    }
}
