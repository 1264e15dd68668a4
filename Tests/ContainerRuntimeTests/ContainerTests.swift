import Cgroups
import Kernel
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite struct ContainerIDTests {
    @Test(arguments: [
        "a", "0", "A", "box", "a.b", "a..", "_", "+", "-", "--help", "a_b+c-d.e", String(repeating: "x", count: 255),
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ])
    func goodIDsAreTakenAsTheyAre(text: String) throws {
        #expect(try ContainerID(text).description == text)
    }

    @Test(arguments: [
        "", ".", "..", ".cache", "a/b", "/", "../a", "a b", " ", "a\n", "a\u{0}", "a:b", "a,b", "a*", "~", "a%", "a@b",
        "a=b",
        "\u{e9}", "\u{ff21}", "\u{212a}", "a\u{301}", "\u{1f600}", String(repeating: "x", count: 256),
    ])
    func badIDsAreRefused(text: String) {
        #expect(
            failure { _ = try ContainerID(text) }
                == "invalid container ID format: \"\(text)\" (letters, digits and _+-. are allowed, and no dot in front)"
        )
    }
}

@Suite struct StatusTests {
    /// Starting, killing, deleting, and whether there is a process; runtime.md, "Operations".
    @Test(
        arguments: [
            (.creating, [false, true, false, true]), (.created, [true, true, true, true]),
            (.running, [false, true, false, true]), (.paused, [false, true, false, true]),
            (.stopped, [false, false, true, false]),
        ] as [(ContainerRuntime.Status, [Bool])])
    func eachStatusAllowsItsOperations(status: ContainerRuntime.Status, allowed: [Bool]) {
        #expect([status.allowsStart, status.allowsKill, status.allowsDelete, status.hasProcess] == allowed)
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
            // What a `start` that died has left, with nobody behind it.
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
            #expect(failure { try container.kill("NOSUCH", all: false) } == "unknown signal \"NOSUCH\"")
            #expect(failure { try container.kill("TERM", all: false) }?.hasPrefix("container not running") == true)
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
            #expect(failure { try container.kill("KILL", all: false) } == words)
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

@Suite struct RuntimeErrorTests {
    /// The words that engines search for (R6 of the comparison with other runtimes), in their places.
    @Test(
        arguments: [
            (.missing("box"), "container does not exist: box", 1),
            (.exists("box"), "container with given ID already exists: box", 1),
            (.status(reason: "container not running"), "container not running", 1),
            (.bundle(reason: "no bundle"), "no bundle", 1),
            (.failed(reason: "because"), "because", 1),
            (.stage(message: "unable to start", exitStatus: 127), "unable to start", 127),
            (.configuration([]), "the configuration has a mistake", 1),
            (.configuration(["one"]), "one", 1),
            (.configuration(["one", "two"]), "one (and 1 more; --debug lists them all)", 1),
            (.configuration(["one", "two", "three"]), "one (and 2 more; --debug lists them all)", 1),
        ] as [(RuntimeError, String, Int32)])
    func everyErrorIsOneLine(error: RuntimeError, words: String, status: Int32) {
        #expect(error.description == words)
        #expect(error.exitStatus == status)
    }

    @Test(arguments: [
        (SystemError("open", "/a", .accessDenied), "read: open /a: permission denied"),
        (SystemError("open", "/a", .noEntry), "read: open /a: not found"),
        (SystemError("pidfd_open", "5", .noProcess), "read: pidfd_open 5: no such process"),
        (.refused("the state is damaged"), "read: the state is damaged"),
    ])
    func anErrorNamesWhatWasBeingDone(error: SystemError, words: String) {
        #expect(RuntimeError(error, doing: "read").description == words)
        #expect(failure { try operation("read") { () throws(SystemError) in throw error } } == words)
    }

    @Test func aFailureOfTheSetUpIsPassedOn() {
        let error = RuntimeError(StageFailure(.program, .refused("x"), exitStatus: 126))
        #expect(error.description == "unable to start container process: x")
        #expect(error.exitStatus == 126)
    }

    @Test func aCgroupErrorIsPassedOn() {
        #expect(RuntimeError(CgroupError("no room", remedy: "make some")).description == "no room; make some")
    }
}

@Suite struct StageFailureTests {

    @Test(
        arguments: [
            (.pivot, SystemError("pivot_root", "", .busy), "change the root: pivot_root: device or resource busy"),
            (.mounts, .refused("mounts[1] at /x: no"), "mount: mounts[1] at /x: no"),
            (.gate, .refused(""), "wait for the start"),
            (
                .clone, SystemError("clone3", "", .notPermitted),
                "make the container's process: clone3: operation not permitted (making namespaces needs root, or a user namespace: see runbox spec --rootless; runbox doctor tells what forbids user namespaces here)"
            ),
            (
                .clone, SystemError("clone3", "", .noSpace),
                "make the container's process: clone3: no space left on device (a limit of /proc/sys/user/max_*_namespaces is reached)"
            ),
            (
                .clone, SystemError("clone3", "", .invalidArgument),
                "make the container's process: clone3: invalid argument"
            ),
            (
                .mounts, SystemError("mount", "/x", .noDevice),
                "mount: mount /x: no such device (this kernel does not know the file system type; see /proc/filesystems)"
            ),
            (.devices, SystemError("mknod", "x", .noDevice), "make devices: mknod x: no such device"),
            (
                .resourceLimits, SystemError("setrlimit", "RLIMIT_NOFILE", .notPermitted),
                "set resource limits: setrlimit RLIMIT_NOFILE: operation not permitted (raising a hard limit needs CAP_SYS_RESOURCE)"
            ),
            (
                .processAttributes, SystemError("sched_setattr", "", .notPermitted),
                "set process attributes: sched_setattr: operation not permitted (needs CAP_SYS_RESOURCE or CAP_SYS_NICE on the host)"
            ),
            (
                .prepareRoot, SystemError("open", "root.path /r", .noEntry),
                "prepare the root file system: open root.path /r: not found (root.path must name an existing directory; a relative one counts from the bundle)"
            ),
            (
                .sources, .failed("bind", "mounts[0]: source /s", .noEntry),
                "open mount sources: bind mounts[0]: source /s: not found"
            ),
        ] as [(Step, SystemError, String)])
    func aFailureNamesItsRemedy(step: Step, cause: SystemError, message: String) {
        #expect(StageFailure(step, cause).message == message)
    }

    @Test(arguments: Step.allCases)
    func everyStepHasWords(step: Step) {
        #expect(!step.words.isEmpty)
        // The beginning of a sentence that goes on.
        #expect(step.words.first?.isLowercase == true)
        #expect(step.words.last != ".")
    }

    @Test func aStepNamesTheFailure() {
        let cause = SystemError("x", "", .busy)
        var caught: StageFailure?
        do throws(StageFailure) {
            try step(.devices) { () throws(SystemError) in throw cause }
        } catch {
            caught = error
        }
        #expect(caught == StageFailure(.devices, cause))
        #expect(caught?.exitStatus == 1)
    }

    @Test func aRefusalIsTheRuntimesOwn() {
        #expect(SystemError.refused("no").isRefusal)
        #expect(SystemError.refused("no").description == "no")
        #expect(!SystemError("x", "", .busy).isRefusal)
    }
}

@Suite struct ProgramTests {
    private func path(_ folder: Folder) throws -> String {
        for name in ["empty", "first", "second", "first/folder"] {
            try Files.makeDirectory(folder.path(name), mode: 0o755)
        }
        for (name, mode) in [
            ("first/plain", 0o644), ("first/both", 0o644), ("second/both", 0o755), ("second/ok", 0o755),
            ("second/folder", 0o755),
        ] {
            try folder.write(name, "", mode: UInt32(mode))
        }
        return ["empty", "no-such", "first", "second"].map(folder.path).joined(separator: ":")
    }

    @Test(arguments: [("ok", "second/ok"), ("both", "second/both"), ("folder", "second/folder")])
    func aNameIsSearchedOnThePath(name: String, found: String) throws {
        try withFolder { folder throws in
            let search = try path(folder)
            #expect(try Program(name, searching: search).path == folder.path(found))
        }
    }

    @Test(
        arguments: [
            ("missing", "exec: \"missing\": executable file not found in $PATH", 127),
            ("plain", "exec: \"plain\": permission denied", 126),
            ("", "exec: \"\": executable file not found in $PATH", 127),
        ] as [(String, String, Int32)])
    func aMissingProgramHasTheWordsThatEnginesExpect(name: String, words: String, status: Int32) throws {
        try withFolder { folder throws in
            let search = try path(folder)
            var caught: StageFailure?
            do throws(StageFailure) {
                _ = try Program(name, searching: search)
            } catch {
                caught = error
            }
            #expect(caught?.message.hasPrefix("unable to start container process: \(words)") == true)
            #expect(caught?.exitStatus == status)
        }
    }

    @Test(
        arguments: [
            ("first/plain", "permission denied", 126), ("first", "is a directory", 126),
            ("no-such", "no such file or directory", 127), ("second/ok/x", "not a directory", 127),
        ] as [(String, String, Int32)])
    func aPathIsTakenAsItIs(name: String, words: String, status: Int32) throws {
        try withFolder { folder throws in
            let search = try path(folder)
            let full = folder.path(name)
            var caught: StageFailure?
            do throws(StageFailure) {
                _ = try Program(full, searching: search)
            } catch {
                caught = error
            }
            #expect(
                caught?.message.hasPrefix("unable to start container process: exec: \"\(full)\": \(words): ") == true)
            #expect(caught?.exitStatus == status)
            #expect(try Program(folder.path("second/ok"), searching: nil).path == folder.path("second/ok"))
        }
    }
}
