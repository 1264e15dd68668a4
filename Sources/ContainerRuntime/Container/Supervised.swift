package import Errors
internal import Kernel
package import KernelTypes
internal import OCISpec
package import Planning

/// The first process of a container, as a supervisor holds on to it. Frozen, because another module compares it:
/// Embedded Swift has no metadata to do that by.
@frozen public struct SupervisedProcess: Sendable, Equatable {
    /// Its number on the host.
    public let pid: Int32
    /// When it began, in clock ticks since the boot; with the number, names one process for good. proc(5), starttime.
    public let startTime: UInt64

    /// A process known by number and start time.
    @inlinable public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// Whether both name the same process.
    @inlinable public static func == (one: SupervisedProcess, other: SupervisedProcess) -> Bool {
        one.pid == other.pid && one.startTime == other.startTime
    }
}

/// What there is of a container whose supervisor was killed.
package enum Leftover: Sendable, Equatable {
    case none
    /// Its payload runs.
    case running(SupervisedProcess)
    /// It has ended, or has never begun.
    case remains
}

/// What a service's supervisor does with containers, each in a process of its own that ends with it.
extension Container {
    /// Makes a container and starts it, for a parent process that stays with the payload when this one ends. A signal
    /// to this process takes everything back.
    package func startSupervised(
        _ bundle: ContainerBundle, options: LaunchOptions, caller: Caller, warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> SupervisedProcess {
        let signals = try operation("prepare for signals") { () throws(SystemError) in
            try Signals.blockAll()
            return try Signals.descriptor()
        }
        var plan = try LaunchPlan.make(
            bundle, id: id, options: options, caller: caller.settled(), mode: .run, warn: warn)
        plan.caller.interrupts = signals.number
        let created = try make(plan, bundle, warn)
        try start(created, plan, warn)
        extendLifetime(signals)
        return SupervisedProcess(pid: created.record.pid, startTime: created.record.startTime)
    }

    /// Takes down a container whose payload has ended, with its poststop hooks.
    ///
    /// - Parameter reason: how it has ended; nil where the supervisor is not its parent and could not see that.
    /// - Returns: what is known of the end; nil where there is no such container.
    package func endSupervised(
        _ reason: ExitReason?, warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> ContainerExit? {
        let record: Record
        do throws(RuntimeError) {
            guard let found = try store.load(id.description) else { throw .missing(id.description) }
            record = found
        } catch {
            // Damaged or never finished: the folder goes all the same.
            try delete(force: true, warn: warn)
            return nil
        }
        // Learns it from whoever was its parent, and keeps it.
        if reason == nil, record.pid != 0 { _ = try? wait(timeout: .seconds(2)) }
        let recorder = ExitRecorder(record: record, store: store, command: "run")
        let exit = reason.map(recorder.note) ?? recorder.observe()
        if let reason = reason ?? exit.reason {
            let sentence = ExitDiagnosis.sentence(
                reason, pid: record.pid, seccomp: hasFilter(record, reason), cgroup: record.cgroup)
            if let sentence { warn(sentence) }
        }
        try delete(force: true, warn: warn)
        return exit
    }

    /// Only asked where the answer matters.
    private func hasFilter(_ record: Record, _ reason: ExitReason) -> Bool {
        guard reason == .killed(signal: .badSystemCall) else { return false }
        return (try? StoredConfiguration(record, store: store))?.spec.linux?.seccomp != nil
    }

    /// Looks for what another supervisor has left behind. One that is just being made is waited for.
    package func leftover() throws(RuntimeError) -> Leftover {
        do throws(RuntimeError) {
            return try store.whileLocked(id.description) { () throws(RuntimeError) in
                guard let record = try store.load(id.description) else { return .remains }
                switch try status(of: record) {
                case .running, .paused:
                    return .running(SupervisedProcess(pid: record.pid, startTime: record.startTime))
                case .created, .creating, .stopped: return .remains
                }
            }
        } catch {
            switch error {
            case .missing: return .none
            // Its state is damaged.
            case .failed where store.contains(id): return .remains
            default: throw error
            }
        }
    }

    /// Whether its processes are frozen.
    package var isPaused: Bool {
        guard let record = try? store.load(id.description) else { return false }
        return (try? status(of: record)) == .paused
    }

    /// Runs a program in the container and waits for it, for a process that does nothing else. It is killed with its
    /// process group when the time is over, or when this process is asked to end.
    /// - Returns: how it ended; nil where it had to be killed.
    package func check(
        _ options: ExecOptions, timeout: Int64, warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> ExitReason? {
        let signals = try operation("prepare for signals") { () throws(SystemError) in
            try Signals.blockAll()
            return try Signals.descriptor()
        }
        let deadline = Deadline(milliseconds: timeout)
        let pid = try exec(options, caller: Caller(), warn: warn)
        return try operation("wait for process \(pid)") { () throws(SystemError) in
            let process = ChildProcess(pid: pid, pidfd: try Processes.open(pid))
            while true {
                let ready = try Polling.wait(
                    [(process.pidfd.number, .readable), (signals.number, .readable)], timeout: deadline.pollTimeout)
                if !ready[0].isEmpty { return try Processes.wait(process) }
                var isAsked = false
                while let signal = try Signals.next(in: signals) { isAsked = isAsked || signal != .childEnded }
                guard isAsked || deadline.hasPassed else { continue }
                // A session of its own, so that what it has begun goes with it.
                try? Processes.killGroup(pid)
                try? Processes.kill(process)
                _ = try Processes.wait(process)
                return nil
            }
        }
    }
}

extension ContainerExit {
    /// As the kernel told it; nil where that could not be learnt.
    package var reason: ExitReason? {
        if let signal { return .killed(signal: Signal(rawValue: signal)) }
        return code.map { .exited(code: $0) }
    }
}
