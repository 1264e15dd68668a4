internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// What a helper does. It is another process by then, and ends with it.
struct HelperWork {
    let launch: ServiceLaunch
    /// The pipe that what it says goes to.
    let report: Int32

    /// Exit statuses of a check.
    static let isWell: Int32 = 0
    static let isUnwell: Int32 = 1
    /// Nothing could be said.
    static let isUnknown: Int32 = 2

    /// - Parameter reason: how the payload has ended, where that is known.
    /// - Returns: the exit status.
    func run(_ task: Helper.Task, _ reason: ExitReason?) -> Int32 {
        switch task {
        case .start:
            Processes.setName("runbox:start")
            return start()
        case .end:
            Processes.setName("runbox:end")
            return end(reason)
        case .check:
            Processes.setName("runbox:check")
            return check()
        }
    }

    private func say(_ text: String) { Report.warning(text).send(onNumber: report) }

    private func start() -> Int32 {
        let warn: (String) -> Void = { Report.warning($0).send(onNumber: report) }
        do throws(RuntimeError) {
            let bundle = try ContainerBundle(
                launch.bundle, config: launch.config, strict: launch.options.strict, warn: warn)
            let streams = try operation("open the streams of the payload") { () throws(SystemError) in
                try PayloadStreams(launch.folder)
            }
            var options = launch.options
            options.detach = true
            options.streams = streams.options
            var caller = launch.caller
            caller.notify = launch.notifyPlan
            let process = try launch.container.startSupervised(bundle, options: options, caller: caller, warn: warn)
            Report.started(pid: process.pid, startTime: process.startTime).send(onNumber: report)
            extendLifetime(streams)
            return 0
        } catch {
            Report.failed(status: error.exitStatus, error.description).send(onNumber: report)
            return 1
        }
    }

    private func end(_ reason: ExitReason?) -> Int32 {
        let warn: (String) -> Void = { Report.warning($0).send(onNumber: report) }
        do throws(RuntimeError) {
            if let exit = try launch.container.endSupervised(reason, warn: warn) {
                Report.exit(Array(exit.json().utf8)).send(onNumber: report)
            }
            return 0
        } catch {
            Report.failed(status: error.exitStatus, error.description).send(onNumber: report)
            return 1
        }
    }

    private func check() -> Int32 {
        guard let settings = launch.settings.health, !launch.container.isPaused else { return Self.isUnknown }
        do throws(RuntimeError) {
            let null = try operation("open /dev/null") { () throws(SystemError) in
                try Files.open("/dev/null", .readWrite)
            }
            var options = ExecOptions()
            options.arguments = settings.command
            options.streams = StandardStreamOptions(input: null.number, output: null.number, error: null.number)
            let end = try launch.container.check(options, timeout: settings.timeout) { _ in }
            extendLifetime(null)
            if end == .exited(code: 0) { return Self.isWell }
            say(
                end.map { "the check has ended with \($0.words)" }
                    ?? "the check took longer than \(settings.timeout) ms")
            return Self.isUnwell
        } catch {
            // One that is just ending is not unwell.
            if case .missing = error { return Self.isUnknown }
            if case .status = error { return Self.isUnknown }
            say("the check could not be run: \(error)")
            return Self.isUnwell
        }
    }
}

extension ServiceLaunch {
    /// nil where the payload has nothing to report to.
    fileprivate var notifyPlan: NotifyPlan? {
        guard settings.ready == .notify || settings.watchdog != nil || caller.notifySocket?.isEmpty == false else {
            return nil
        }
        return NotifyPlan(
            standing: folder.notifyFolder, watchdog: settings.watchdog.map { UInt64($0) * 1000 })
    }
}

/// What the payload reads from and writes to: nothing, and the FIFOs, of which it has both ends, so that it can write
/// when no supervisor reads.
private struct PayloadStreams: ~Copyable {
    private let input: Descriptor
    private let output: Descriptor
    private let error: Descriptor

    init(_ folder: ServiceFolder) throws(SystemError) {
        let input = try Files.open("/dev/null", .readOnly)
        let output = try Files.open(folder.streamPath(1), [.readWrite, .noFollow])
        let error = try Files.open(folder.streamPath(2), [.readWrite, .noFollow])
        self.input = input
        self.output = output
        self.error = error
    }

    var options: StandardStreamOptions {
        StandardStreamOptions(input: input.number, output: output.number, error: error.number)
    }
}
