internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The moment at which there are two processes: the runtime, and the one that becomes the container.
struct SpawnedInit: ~Copyable {
    let link: Link
    /// The init, or the intermediate process that will spawn it.
    let process: ChildProcess

    private init(link: consuming Link, process: consuming ChildProcess) {
        self.link = link
        self.process = process
    }

    /// Opens what the new process needs and clones it.
    static func spawn(
        _ plan: LaunchPlan, folder: String, lock: borrowing Descriptor, cgroup: borrowing CgroupManager
    ) throws(StepFailure) -> SpawnedInit {
        let resources = try LaunchResources.open(plan, plan.isRootless ? .namespaces : .all)
        let gate: StartGate? =
            plan.mode == .create
            ? try step(.gate) { () throws(SystemError) in
                try StartGate.make(folder: folder, notifies: plan.seccomp?.listener != nil)
            } : nil
        let pair = try step(.clone) { () throws(SystemError) in
            // From now on no process may look into the new one, whose descriptors are the host's (CVE-2016-9962). Where
            // the runtime is not the host's root, it could not write its mappings then: an init that gets some sees to
            // that itself when it has them.
            if !plan.initShieldsItself { try Processes.setDumpable(false) }
            return try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
        }
        // What the init is the first to touch of its program would be charged to the container.
        if plan.cgroup.isTight { Processes.readOwnProgram() }
        let runtimeEnd = pair.runtime
        let containerInit = ContainerInit(plan: plan, resources: resources, link: pair.container, gate: gate)
        let hasIntermediate = plan.namespaces.needsIntermediate
        let flags = hasIntermediate ? [] : plan.namespaces.cloneFlags
        let process = try measured(.clone) { () throws(StepFailure) in
            try Self.worded(cgroup) { () throws(SystemError) in
                try cgroup.withDirectory { directory throws(SystemError) in
                    try Cloning.clone(flags, cgroup: directory) {
                        // The other end is the runtime's alone: only so does its death show here.
                        runtimeEnd.closeInChild()
                        lock.closeInChild()
                        cgroup.closeInChild()
                        if hasIntermediate { containerInit.runIntermediate() } else { containerInit.run() }
                    }
                }
            }
        }
        return SpawnedInit(link: runtimeEnd, process: process)
    }

    /// clone3 alone reports that the cgroup takes no process; its errno says nothing of cgroups.
    private static func worded(
        _ cgroup: borrowing CgroupManager, _ body: () throws(SystemError) -> ChildProcess
    ) throws(StepFailure) -> ChildProcess {
        do throws(SystemError) {
            return try body()
        } catch {
            throw StepFailure(.clone, cgroup.entryRefused(error).map { .refused("\($0)") } ?? error)
        }
    }
}
