internal import Cgroups
public import Errors
internal import Kernel
public import KernelTypes

extension Container {
    /// The annotation with the signal that asks the payload to end; image-spec, conversion.md.
    package static let stopSignalAnnotation = "org.opencontainers.image.stopSignal"

    /// How long the kernel may take to end what was killed.
    private static let killTimeout = Duration.seconds(10)

    /// Ends a container as its payload wants to be ended: sends the stop signal, waits, and kills what is left then.
    /// One that has ended already is fine; a paused one runs on to take the signal; one that was never started is
    /// killed at once. The container's state stays for ``delete(force:warn:)``.
    ///
    /// - Parameters:
    ///   - signal: nil takes the one of the annotation `org.opencontainers.image.stopSignal`, else SIGTERM.
    ///   - timeout: how long the payload may take.
    ///   - warn: takes a sentence when it had to be killed.
    /// - Throws: ``RuntimeError/missing(_:)``; ``RuntimeError/status(reason:)`` while it is being created;
    ///   ``RuntimeError/timedOut(reason:)`` when it does not even end when it is killed.
    public func stop(
        _ signal: Signal? = nil, timeout: Duration = .seconds(10), warn: (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        let status = try status(of: record)
        if status == .creating { throw .status(reason: "cannot stop a container that is still being created") }
        if status == .stopped {
            // Whoever comes to stop it may be the last to see how it ended.
            _ = ExitRecorder(record: record, store: store, command: "stop").observe()
            return
        }
        let signal = try first(signal, for: record, status)
        let reason = Processes.indifference(of: record.pid, to: signal)
        guard try reach(with: signal) else { return }
        if status == .paused { try? withCgroup(of: record) { cgroup throws(CgroupError) in try cgroup.thaw() } }
        if signal != .kill {
            if try ends(within: timeout) { return }
            warn(
                "\(id) has not ended within \(timeout.milliseconds) ms of \(signal), and is killed"
                    + (reason.map { ": \(words($0))" } ?? ""))
            guard try reach(with: .kill) else { return }
        }
        guard try ends(within: Self.killTimeout) else {
            throw .timedOut(
                reason: "container \(id) has not ended within 10 s of SIGKILL; runbox ps \(id) shows what is left")
        }
    }

    /// What a person who sends a signal should know: that it changes nothing. nil where it does.
    package func indifference(to signal: Signal) -> String? {
        guard let record = try? store.load(id.description), record.pid != 0,
            let status = try? status(of: record), status == .running,
            let reason = Processes.indifference(of: record.pid, to: signal)
        else { return nil }
        return
            "\(signal) changes nothing: \(words(reason)); runbox stop \(id) sends it, and kills what is left after 10s"
    }

    private func words(_ reason: SignalIndifference) -> String {
        switch reason {
        case .ignored: "the first process of \(id) ignores that signal, as an interactive shell does"
        case .unhandled:
            "the first process of \(id) has no handler for that signal, and process 1 of a pid namespace gets no others"
        }
    }

    private func first(
        _ asked: Signal?, for record: Record, _ status: ContainerStatus
    ) throws(RuntimeError) -> Signal {
        // Whatever runs before the start is no payload that could put its things in order.
        if status != .running, StartGate.isClosed(folder: store.folder(record.id)) { return .kill }
        if let asked { return asked }
        guard let text = record.annotations.last(where: { $0.key == Self.stopSignalAnnotation })?.value, !text.isEmpty
        else { return .terminate }
        guard let signal = Signal(text), signal != .null else {
            throw .failed(
                reason:
                    "annotations[\"\(Self.stopSignalAnnotation)\"]: unknown signal \"\(text)\"; name one with --signal")
        }
        return signal
    }

    /// - Returns: whether there was somebody to send a signal to.
    private func reach(with signal: Signal) throws(RuntimeError) -> Bool {
        do throws(RuntimeError) {
            try kill(signal)
            return true
        } catch {
            if hasEnded { return false }
            throw error
        }
    }

    private func ends(within timeout: Duration) throws(RuntimeError) -> Bool {
        do throws(RuntimeError) {
            _ = try wait(timeout: timeout)
            return true
        } catch {
            if case .timedOut = error { return false }
            // An exit code that cannot be learnt is not asked for here.
            if hasEnded { return true }
            throw error
        }
    }

    /// A foreground `run` deletes its container when it ends.
    private var hasEnded: Bool {
        do throws(RuntimeError) {
            return try state().status == .stopped
        } catch {
            if case .missing = error { return true }
            return false
        }
    }
}
