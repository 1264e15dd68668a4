internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// From the finished set-up to the payload's first instruction.
extension ContainerInit {
    /// From the finished process to the payload.
    func complete(_ resolved: Payload.ResolvedProgram?, _ filter: SeccompFilter?) -> Never {
        var isStarted = false
        do throws(StepFailure) {
            if plan.namespaces.isSpawnedLast {
                // Until then the runtime would take it for the process that did the set-up.
                try step(.gate, try link.expect(.acknowledged))
                try step(.terminal, try beginSession())
            }
            try waitForStart()
            isStarted = true
            try become(resolved, filter)
        } catch {
            report(error, isStarted: isStarted)
            // A filter may forbid even the report; then the expected failure, and the status, say whose fault it
            // was.
            Processes.exit(error.exitStatus)
        }
        Processes.exit(1)
    }

    /// Spawns the init in a joined pid namespace, whose processes find nothing of the host's in it: neither its root
    /// nor its descriptors, environment or privileges.
    func spawnInit(to resolved: Payload.ResolvedProgram?, _ filter: SeccompFilter?) throws(StepFailure) -> Never {
        let process = try step(.clone, try Cloning.clone(cgroup: nil, sibling: true) { complete(resolved, filter) })
        // Where the runtime is gone the init finds that out by itself.
        try? link.send(.spawned, descriptor: process.pidfd)
        Processes.exit(0)
    }

    /// Everything about the process that can fail before the start, so that `create` reports it. What has no process
    /// waits for ever.
    func prepareProgram(_ setUpResult: SetUpResult) throws(StepFailure) -> Payload.ResolvedProgram? {
        try step(.execute, try closeHostDescriptors())
        if isSeenBeforeItsProgram { Processes.forgetEnvironment() }
        guard let payload = plan.payload else {
            try step(.processAttributes, try SystemSettings.setPersonality(plan.system))
            return nil
        }
        return try payload.prepare(filter: setUpResult.filter, isInDirectory: setUpResult.isInDirectory) {
            warning throws(SystemError) in try link.send(.warning(warning))
        }
    }

    /// Whether a process of the image or the container can look at this one before it executes its program: what
    /// `exec` puts beside a created one, startContainer hooks, and others in its pid namespace. The runtime's
    /// environment is not for them; to blank it touches memory that a small limit may not have.
    private var isSeenBeforeItsProgram: Bool {
        plan.mode == .create || plan.namespaces.isSpawnedLast || !plan.namespaces.new.contains(.pid)
            || plan.hooks?.startContainer?.isEmpty == false
    }

    /// The hooks between the start and the program.
    private func become(_ resolved: Payload.ResolvedProgram?, _ filter: SeccompFilter?) throws(StepFailure) {
        guard let payload = plan.payload, let resolved else {
            throw StepFailure(.program, .refused("process property must not be empty"))
        }
        let prepared = payload.layOut(resolved)
        // A filter has one listener, which is this process's: hooks inherit such a filter. They load every other one
        // themselves, so that it need not allow what it takes to run them.
        let isInherited = filter?.notifies == true
        let hooks = HookRunner(
            .startContainer, plan.hooks, directory: nil,
            output: try step(.startContainerHooks, try resources.hookOutput()),
            fallbackEnvironment: prepared.environment, filter: isInherited ? nil : filter)
        let state = state(.created)
        if !isInherited { try hooks.runAll(state) }
        try payload.become(prepared, filter) { filter throws(StepFailure) in
            try step(.seccomp, try load(filter))
            if isInherited { try hooks.runAll(state) }
        } expectFailure: {
            expectFailure($0)
        }
    }

    /// `run` takes the listener by the link; at a gate `start` takes it.
    private func load(_ filter: SeccompFilter) throws(SystemError) {
        switch gate {
        case .some(let gate) where filter.notifies:
            let start = try gate.meetStart()
            try filter.load(over: start)
            start.leaveToExec()
        default: try filter.load(over: link)
        }
    }

    /// Reports that nothing is left to fail. In `create` the runtime then writes everything down and goes; if it dies
    /// before that, so does the init.
    private func waitForStart() throws(StepFailure) {
        try step(.gate) { () throws(SystemError) in
            switch gate {
            case .none:
                try link.send(.ready)
                try link.expect(.start)
            case .some(let gate):
                try gate.blockSignals()
                try link.send(.ready)
                try link.expect(.recorded)
                // The other end goes with the runtime; nothing is said here any more.
                link.closeInChild()
                try gate.waitForStart()
            }
        }
    }

    private func closeHostDescriptors() throws(SystemError) {
        var kept = [link.number]
        switch gate {
        case .some(let gate): kept += gate.numbers
        case .none: break
        }
        // startContainer hooks still write there.
        if case .open(let output, let errors) = try resources.hookOutput() {
            kept += [output, errors].compactMap { $0 }
        }
        try InheritedDescriptors.close(from: 3, keeping: kept + (plan.caller.inherited ?? []))
    }

    /// Failures go to the process that waits: the runtime by the link, or `start` by the gate.
    func report(_ failure: StepFailure, isStarted: Bool) {
        switch gate {
        // When even this fails, only the exit status can report it.
        case .some(let gate) where isStarted: try? gate.report(failure)
        default: try? link.send(.failed(failure))
        }
    }

    /// Says beforehand what will have gone wrong if the program does not run.
    private func expectFailure(_ failure: StepFailure) {
        // Best effort, as a report is.
        switch gate {
        case .some(let gate): try? gate.expectFailure(failure)
        case .none: try? link.send(.expectedFailure(failure))
        }
    }
}
