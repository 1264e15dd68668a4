internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The start of a payload, be it by `run` or by `start`: its program is let go, the time is noted, and the poststart
/// hooks are called.
struct ContainerStart: Sendable {
    let record: Record
    /// The state folder.
    let folder: String
    let hooks: StoredHooks?
    /// Where signals for the runtime can be read; they end a hook.
    var signals: Int32?

    /// - Parameters:
    ///   - letGo: lets the program run, and returns when it does.
    ///   - destroy: removes the container, whose init is killed, because a poststart hook has failed.
    func run(_ letGo: () throws(RuntimeError) -> Void, destroy: () -> Void = {}) throws(RuntimeError) {
        try measured(.execute, letGo)
        measured(.record) { StartTime.write(folder) }
        do throws(StepFailure) {
            try measured(.poststartHooks) { () throws(StepFailure) in try hooks?.runPoststart(signals: signals) }
        } catch {
            // Specification, runtime.md, "Lifecycle", step 9: the container is stopped and destroyed.
            try? ContainerKill(record: record, status: .running).run(.kill, all: false)  // it may be gone already
            destroy()
            throw RuntimeError(error)
        }
    }

    /// `start`: opens the gate that the init waits at.
    func openGate(destroy: () -> Void) throws(RuntimeError) {
        let letGo: () throws(RuntimeError) -> Void = { () throws(RuntimeError) in
            let failure = try operation("start") { () throws(SystemError) in
                try StartGate.open(folder: folder, of: record.pid, serving: record.listenerService(.created))
            }
            if let failure { throw RuntimeError(failure) }
        }
        try run(letGo, destroy: destroy)
    }
}

extension Record {
    /// What a start of this container needs to serve a filter that notifies; nil with every other.
    /// - Parameter process: the process under the filter, where it is not the init.
    func listenerService(
        _ status: ContainerStatus, process: Int32? = nil, signals: Int32? = nil
    ) -> ListenerService? {
        seccompListener.map {
            ListenerService(listener: $0, pid: process ?? pid, state: state(status), signals: signals)
        }
    }
}
