import Kernel
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct StatusTests {
    /// Killing, deleting, and whether there is a process; runtime.md, "Operations".
    @Test(
        arguments: [
            (.creating, [true, false, true]), (.created, [true, true, true]), (.running, [true, false, true]),
            (.paused, [true, false, true]), (.stopped, [false, true, false]),
        ] as [(ContainerStatus, [Bool])])
    func eachStatusAllowsItsOperations(status: ContainerStatus, allowed: [Bool]) {
        #expect([status.allowsKill, status.allowsDelete, status.hasProcess] == allowed)
    }

    @Test(
        arguments: [
            (.start, [.created]), (.pause, [.created, .running]), (.resume, [.paused]),
            (.update, [.created, .running, .paused]), (.statistics, [.created, .running, .paused]),
            (.exec(ignorePaused: false), [.created, .running]),
            (.exec(ignorePaused: true), [.created, .running, .paused]),
        ] as [(ContainerOperation, [ContainerStatus])])
    func anOperationNeedsACertainStatus(operation: ContainerOperation, allowed: [ContainerStatus]) {
        for status in [.creating, .created, .running, .paused, .stopped] as [ContainerStatus] {
            let refusal = failure { try status.check(operation, of: "box") }
            #expect((refusal == nil) == allowed.contains(status), "\(operation) \(status): \(refusal ?? "")")
        }
    }

    private static func record(pid: Int32, startTime: UInt64, isReady: Bool = true) throws -> Record {
        let text = """
            {"id":"box","ociVersion":"1.2.0","bundle":"/b","rootfs":"/b/r","created":"now","owner":5,"pid":\(pid),
            "startTime":\(startTime),"ready":\(isReady),"process":true,"laterHooks":false,"sharesProcesses":false,
            "cgroup":{"manager":"disabled","root":"","path":"","made":[]},"annotations":{"a":"1"}}
            """
        return try #require(Record(Array(text.utf8)))
    }

    /// The status follows from the process and the gate: this very process plays the init.
    @Test func theStatusFollowsFromProcessAndRecord() throws {
        try withFolder { folder throws in
            let container = Container(try ContainerID("box"), store: Store(root: folder.path))
            let own = Processes.currentID
            let time = try #require(try Processes.startTime(own))
            try Files.makeDirectory(folder.path("box"), mode: 0o700)
            #expect(try container.status(of: try Self.record(pid: 0, startTime: 0)) == .creating)
            #expect(try container.status(of: try Self.record(pid: own, startTime: time, isReady: false)) == .creating)
            #expect(try container.status(of: try Self.record(pid: own, startTime: time)) == .running)
            // The number is in use, but by another process than the one that was meant.
            #expect(try container.status(of: try Self.record(pid: own, startTime: time + 1)) == .stopped)
            #expect(
                try container.status(of: try Self.record(pid: own, startTime: time + 1, isReady: false)) == .stopped)
            #expect(try container.status(of: try Self.record(pid: 4_194_305, startTime: time)) == .stopped)
            try Files.makeFIFO(folder.path("box/start.fifo"), mode: 0o600)
            // What a `start` that died has left, with no init behind it.
            #expect(try container.status(of: try Self.record(pid: own, startTime: time)) == .running)
            let waiting = try Files.open(folder.path("box/start.fifo"), [.readWrite, .nonBlocking])
            #expect(try container.status(of: try Self.record(pid: own, startTime: time)) == .created)
            #expect(try container.status(of: try Self.record(pid: own, startTime: time + 1)) == .stopped)
            try waiting.close()
        }
    }

    @Test func aStoppedContainerHasNoProcess() throws {
        try withFolder { folder throws in
            let store = Store(root: folder.path)
            _ = try store.reserve("box")
            try store.write(try Self.record(pid: 4_194_305, startTime: 1))
            let container = Container(try ContainerID("box"), store: store)
            let state = try container.state()
            #expect((state.id, state.status, state.pid, state.owner) == ("box", .stopped, 0, 5))
            #expect(state.annotations == ["a": "1"])
            #expect(failure { try container.start() } == "cannot start a container that has stopped")
            #expect(failure { try container.kill(.terminate, all: false) }?.hasPrefix("container not running") == true)
            try container.delete(force: false) { _ in }
            #expect(try folder.names() == [])
        }
    }

    @Test func aMissingContainerIsMissing() throws {
        try withFolder { folder throws in
            let container = Container(try ContainerID("box"), store: Store(root: folder.path))
            let words = "container does not exist: box"
            #expect(failure { _ = try container.state() } == words)
            #expect(failure { try container.start() } == words)
            #expect(failure { try container.kill(.kill, all: false) } == words)
            #expect(failure { try container.delete(force: false) { _ in } } == words)
            try container.delete(force: true) { _ in }
        }
    }

    @Test func damagedContainersAreLeftOutOfTheList() throws {
        try withFolder { folder throws in
            let store = Store(root: folder.path)
            _ = try store.reserve("box")
            _ = try store.reserve("damaged")
            try store.write(try Self.record(pid: 0, startTime: 0))
            try folder.write("damaged/state.json", "{")
            var warnings: [String] = []
            let states = try Container.all(in: store) { warnings.append($0) }
            #expect(states.map(\.id) == ["box"])
            #expect(warnings.count == 1)
            #expect(warnings.first?.hasPrefix("damaged is left out: ") == true)
            let damaged = Container(try ContainerID("damaged"), store: store)
            #expect(failure { try damaged.delete(force: false) { _ in } } != nil)
            try damaged.delete(force: true) { _ in }
            #expect(try folder.names() == ["box"])
        }
    }
}
