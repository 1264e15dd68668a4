internal import ContainerRuntime
package import Errors
internal import Kernel
internal import KernelTypes

/// `run` of a service.
package enum Service {
    /// Keeps a service running until it has ended, or leaves a process that does and returns when its first start has
    /// succeeded.
    ///
    /// - Returns: the exit status.
    /// - Throws: ``ServiceOutcome/failed(status:_:)``.
    package static func run(_ launch: ServiceLaunch) throws(ServiceOutcome) -> Int32 {
        // First of all: what is opened from here on leaves their numbers alone.
        var launch = launch
        let sockets = try reserve(&launch)
        do throws(RuntimeError) {
            if launch.options.replace { try delete(launch.folder, force: true, warn: launch.say) }
            try checkName(launch)
        } catch {
            throw .failed(status: error.exitStatus, error.description)
        }
        if launch.isDetached { return try detach(launch, sockets) }
        return try supervise(launch, sockets, starter: nil)
    }

    private static func reserve(_ launch: inout ServiceLaunch) throws(ServiceOutcome) -> ListeningSockets {
        do throws(RuntimeError) {
            return try ListeningSockets(reserving: launch.settings.listen, caller: &launch.caller)
        } catch {
            throw .failed(status: error.exitStatus, error.description)
        }
    }

    /// A container of the name that is no service's is somebody else's.
    private static func checkName(_ launch: ServiceLaunch) throws(RuntimeError) {
        guard Store(root: launch.folder.root).contains(launch.id), !launch.folder.exists else { return }
        throw .exists(launch.folder.name, holder: "no service; runbox delete --force \(launch.folder.name) removes it")
    }

    private static func supervise(
        _ launch: ServiceLaunch, _ sockets: consuming ListeningSockets, starter: consuming Descriptor?
    ) throws(ServiceOutcome) -> Int32 {
        let outcome: ServiceOutcome
        do throws(RuntimeError) {
            guard let lock = try launch.folder.take() else { throw .exists(launch.folder.name, holder: holder(launch)) }
            outcome = try Supervisor(launch, sockets, lock: lock, starter: starter).run()
        } catch {
            outcome = .failed(status: error.exitStatus, error.description)
            abandon(launch.folder)
        }
        switch outcome {
        case .ended(let status): return status
        case .failed: throw outcome
        }
    }

    /// Removes a folder in which nothing was kept yet.
    private static func abandon(_ folder: ServiceFolder) {
        guard !folder.exists, Files.exists(folder.path), let lock = try? folder.take() else { return }
        if !folder.exists { try? folder.remove() }  // best effort: the failure before is the one to report
        extendLifetime(lock)
    }

    private static func holder(_ launch: ServiceLaunch) -> String {
        let record = launch.folder.read()
        let process = record.map { " (its supervisor is process \($0.supervisor.pid))" } ?? ""
        return "a service that is \(record?.status ?? "running")\(process); runbox stop \(launch.folder.name) ends it"
    }

    // MARK: In the background

    private static func detach(
        _ launch: ServiceLaunch, _ sockets: consuming ListeningSockets
    ) throws(ServiceOutcome) -> Int32 {
        let listening: Descriptor
        var taken: ListeningSockets? = sockets
        do throws(SystemError) {
            let pipe = try ReportPipe.make()
            let writing = pipe.writing
            let reading = pipe.reading
            _ = try Cloning.clone(cgroup: nil) {
                reading.closeInChild()
                Processes.exit(background(launch, taken.take(), writing))
            }
            listening = reading
        } catch {
            throw .failed(status: 1, "leave a supervisor for \(launch.folder.name): \(error)")
        }
        return try waitForStart(launch, listening)
    }

    /// In the process that stays.
    private static func background(
        _ launch: ServiceLaunch, _ sockets: consuming ListeningSockets?, _ starter: borrowing Descriptor
    ) -> Int32 {
        guard let sockets else { return 1 }
        Processes.setName("runbox")
        do throws(SystemError) {
            try Processes.newSession()
            try Files.open("/dev/null", .readOnly).copy(to: 0)
            try Files.changeDirectory("/")
        } catch {
            launch.say("leave the terminal: \(error)")
        }
        do throws(ServiceOutcome) {
            return try supervise(launch, sockets, starter: try? starter.duplicate())
        } catch {
            // What has failed before there was a supervisor is told here.
            if case .failed(let status, let text) = error {
                Report.failed(status: status, text).send(on: starter)
            }
            return 1
        }
    }

    private static func waitForStart(
        _ launch: ServiceLaunch, _ listening: consuming Descriptor
    ) throws(ServiceOutcome) -> Int32 {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !bytes.contains(UInt8(ascii: "\n")) {
            _ = try? Polling.wait([(listening.number, .readable)])
            guard let count = try? Pipes.read(listening, into: &chunk) else { continue }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        switch Report(Array(line)) {
        case .started?: return 0
        case .failed(let status, let text)?: throw .failed(status: status, text)
        default: throw .failed(status: 1, "the supervisor of \(launch.folder.name) has ended before its first start")
        }
    }

    // MARK: Away with it

    /// Removes what is kept of a service. With force one that runs is ended first; without, that is an error.
    package static func delete(
        _ folder: ServiceFolder, force: Bool, warn: (String) -> Void
    ) throws(RuntimeError) {
        if folder.isSupervised {
            guard force else {
                let status = folder.read()?.status ?? "running"
                throw .status(
                    reason:
                        "cannot delete service \(folder.name), which is \(status); runbox stop \(folder.name) ends it, and --force does"
                )
            }
            try end(folder, warn)
        }
        guard folder.exists || Files.exists(folder.path) else { return }
        guard let lock = try folder.take() else {
            throw .status(reason: "service \(folder.name) was begun anew meanwhile")
        }
        try operation("remove the folder of service \(folder.name)") { () throws(SystemError) in try folder.remove() }
        extendLifetime(lock)
    }

    /// How long a supervisor may take to end a service that it is to kill, in milliseconds.
    private static let patience: Int64 = 15_000

    private static func end(_ folder: ServiceFolder, _ warn: (String) -> Void) throws(RuntimeError) {
        do throws(RuntimeError) {
            return try ControlClient.ask(folder, .stop(timeout: 0), timeout: patience)
        } catch {
            if !folder.isSupervised { return }
            warn("the supervisor of \(folder.name) does not answer, and is killed: \(error)")
        }
        guard let supervisor = folder.read()?.supervisor,
            let process = try? Processes.open(supervisor.pid),
            (try? Processes.startTime(supervisor.pid)) == supervisor.startTime
        else { return }
        try operation("end the supervisor of \(folder.name)") { () throws(SystemError) in
            try Processes.send(.kill, to: process)
            _ = try Polling.wait([(process.number, .readable)], timeout: 5000)
        }
    }
}
