internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The process of `exec`, from clone to its program's first instruction. It has a copy of the runtime's memory, the
/// plan in it, and talks by the link only.
struct ExecInit: ~Copyable {
    let plan: ExecPlan
    /// The name of the container's session keyring.
    let keyring: String?
    let target: ExecTarget
    let link: Link
    /// The host's procfs, where there are labels to write.
    let proc: DescriptorTable
    /// Whether it is moved into the container's cgroup after the clone.
    let isPlaced: Bool

    /// Enters the container, does there all that can be done before, and spawns the process, as a sibling.
    ///
    /// The container cannot see the intermediate process: it is a member of the host's pid namespace. The one it spawns
    /// has left the host behind already, its root, descriptors, environment and privileges: a process of the container
    /// that may trace others would find them in it otherwise (CVE-2016-9962).
    func run() -> Never {
        StepClock.become(.intermediate)
        do throws(StepFailure) {
            try step(.join, try Processes.setDumpable(false))
            try step(.terminal, try StandardStreams.replace(by: plan.options.streams))
            // What it spawns starts in the cgroup then.
            if isPlaced { try step(.gate, try link.expect(.placed)) }
            try enter()
            let filter = try step(.gate, try link.awaitFilter())
            try step(.terminal, try setUpStreams())
            let payload = plan.payload
            try step(.execute, try payload.closeHostDescriptors(keeping: [link.number]))
            Processes.forgetEnvironment()
            let isInDirectory = ProcessSetup.enterBefore(payload.process.directory)
            let resolved = try payload.prepare(filter: filter, isInDirectory: isInDirectory) {
                warning throws(SystemError) in try link.send(.warning(warning))
            }
            let process = try step(
                .clone, try Cloning.clone(cgroup: nil, sibling: true) { complete(resolved, filter) })
            // Where the runtime is gone the process finds that out by itself.
            try? link.send(.spawned, descriptor: process.pidfd)
        } catch {
            try? link.send(.failed(error))  // a runtime that is gone needs no answer
            Processes.exit(error.exitStatus)
        }
        Processes.exit(0)
    }

    private func enter() throws(StepFailure) {
        Files.setCreationMask(0)
        try step(.join, try target.enter())
        try step(.identity, try NamespaceEntry.becomeRoot(plan.namespaces))
        if let keyring = keyring {
            try step(.keyring, try SessionKeyring.join(keyring, label: plan.labels.label, proc: proc))
        }
        try step(.labels, try plan.labels.write(by: proc))
    }

    /// Waits for the start and becomes the program. It never returns through the runtime's frames.
    private func complete(_ resolved: Payload.ResolvedProgram, _ filter: SeccompFilter?) -> Never {
        StepClock.become(.containerProcess)
        do throws(StepFailure) {
            try step(.gate) { () throws(SystemError) in
                // Until then the runtime would take it for the intermediate process.
                try link.expect(.acknowledged)
                try Processes.newSession()
                if plan.terminal != nil { try TerminalSetup.takeControl() }
                try link.send(.ready)
                try link.expect(.start)
            }
            let payload = plan.payload
            try payload.become(payload.layOut(resolved), filter) { filter throws(StepFailure) in
                try step(.seccomp, try filter.load(over: link))
            } expectFailure: { failure in
                try? link.send(.expectedFailure(failure))  // best effort, as the report below is
            }
        } catch {
            // A filter may forbid even the report; then the status alone says whose fault it was.
            try? link.send(.failed(error))
            Processes.exit(error.exitStatus)
        }
    }

    private func setUpStreams() throws(SystemError) {
        let process = plan.payload.process
        guard let terminal = plan.terminal else {
            return try StandardStreams.handOver(to: process.user, group: process.group)
        }
        let controller = try TerminalSetup.setUp(terminal, owner: process.user, console: false)
        try link.send(.terminal, descriptor: controller)
    }
}
