internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The container's process, from the clone into new namespaces to the payload's first instruction.
///
/// It has a copy of the runtime's memory, the plan in it, and talks by the link only. `docs/protocol.md` shows both
/// sides. What follows the set-up stands in `InitCompletion.swift`.
struct ContainerInit: ~Copyable {
    let plan: LaunchPlan
    let resources: LaunchResources
    let link: Link
    /// Of created containers; nil in `run`, which starts by the link.
    let gate: StartGate?

    /// Sets up, waits for the start and becomes the payload, or spawns the process that does. It never returns through
    /// the runtime's frames.
    func run() -> Never {
        StepClock.become(.containerProcess)
        do throws(StepFailure) {
            try step(.terminal, try StandardStreams.replace(by: plan.options.streams))
            let setUpResult = try setUp()
            if plan.namespaces.isSpawnedLast {
                try step(.namespaces, try NamespaceEntry.joinProcessNamespace(plan.namespaces, resources.namespaces))
            }
            let resolved = try prepareProgram(setUpResult)
            if plan.namespaces.isSpawnedLast { try spawnInit(to: resolved, setUpResult.filter) }
            complete(resolved, setUpResult.filter)
        } catch {
            report(error, isStarted: false)
            Processes.exit(error.exitStatus)
        }
    }

    /// Joins existing namespaces first and spawns the init in them.
    func runIntermediate() -> Never {
        StepClock.become(.intermediate)
        do throws(StepFailure) {
            try step(.cgroup, try awaitPlace())
            try IntermediateProcess.run(plan, resources, link) { run() }
        } catch {
            try? link.send(.failed(error))  // a runtime that is gone needs no answer
            Processes.exit(1)
        }
        Processes.exit(0)
    }

    /// What the set-up leaves for the payload.
    struct SetUpResult {
        let filter: SeccompFilter?
        /// Whether the working directory is entered already; its owner may have to do that itself.
        let isInDirectory: Bool
    }

    /// The recipe. The order is that of runc and crun; the specification fixes the hooks' places in it.
    private func setUp() throws(StepFailure) -> SetUpResult {
        let ownMounts = plan.namespaces.has(.mount)
        Files.setCreationMask(0)
        if !plan.namespaces.needsIntermediate { try step(.cgroup, try awaitPlace()) }
        // To be asked before the cgroup namespace begins there.
        let cgroupDirectory = plan.cgroup.ownDirectory()
        try step(.mappings, try awaitAcknowledgement())
        if plan.initShieldsItself { try step(.mappings, try Processes.setDumpable(false)) }
        try step(.identity, try NamespaceEntry.becomeRoot(plan.namespaces))
        try step(.namespaces, try enterNamespaces())
        try step(.keyring, try joinKeyring())
        try step(.loopback, try bringLoopbackUp())
        // An ordinary user may clone mounts only in here.
        let ownSources = try plan.isRootless ? LaunchResources.open(plan, .mounts) : LaunchResources()
        var root = try step(.prepareRoot) { () throws(SystemError) in
            try RootPreparation.prepare(plan.rootfs, ownNamespace: ownMounts)
        }
        let began = StepClock.now
        let dev = try mountAll(in: &root, ownSources, cgroupDirectory)
        StepClock.note(Step.mounts.rawValue, since: began)
        try step(.devices, try makeDevices(in: root, dev))
        let filter = try step(.runtimeHooks, try agree())
        try runCreateContainerHooks(root)
        var hidden = try step(.hiddenPaths, try MaskedPaths.open(plan.rootfs))
        try step(.pivot, try Pivot.enter(root, plan.rootfs, ownNamespace: ownMounts))
        try step(.terminal, try setUpStreams())
        try step(.names, try SystemSettings.setNames(plan.system))
        if !plan.system.sysctls.isEmpty { try step(.sysctl, try setParameters()) }
        try step(.labels, try plan.labels.write(by: resources.proc))
        try step(.hiddenPaths, try hidden.hide(plan.rootfs))
        var isInDirectory = try step(.workingDirectory, try makeWorkingDirectory())
        if plan.rootfs.readOnly { try step(.finishRoot, try makeRootReadOnly()) }
        if plan.namespaces.locksMounts {
            try step(.finishRoot, try lockMounts())
            // It is another mount's directory now.
            isInDirectory = try step(.workingDirectory, try makeWorkingDirectory())
        }
        try step(.finishRoot, try setRootPropagation())
        try step(.terminal, try handStreamsOver())
        return SetUpResult(filter: filter, isInDirectory: isInDirectory)
    }

    /// - Parameters:
    ///   - ownSources: the sources as an ordinary user's init has opened them.
    ///   - cgroupDirectory: the container's cgroup in the host's tree.
    /// - Returns: the new file system at /dev.
    private func mountAll(
        in root: inout RootDirectory, _ ownSources: borrowing LaunchResources, _ cgroupDirectory: String?
    ) throws(StepFailure) -> Descriptor? {
        do throws(SystemError) {
            let mounts = Mounts(
                plan: plan.rootfs, namespaces: plan.namespaces, rootPath: try Files.readLink(root.descriptor.path),
                cgroupDirectory: cgroupDirectory,
                hostCgroups: plan.namespaces.locksMounts && !plan.isRootless ? plan.cgroup.host.root : nil)
            if plan.isRootless {
                return try mounts.mountAll(ownSources.mounts, in: &root, link)
            } else {
                return try mounts.mountAll(resources.mounts, in: &root, link)
            }
        } catch {
            throw StepFailure(.mounts, error)
        }
    }

    /// - Parameter dev: the new file system at /dev, where there is one.
    private func makeDevices(
        in root: borrowing RootDirectory, _ dev: borrowing Descriptor?
    ) throws(SystemError) {
        let isInUserNamespace = plan.namespaces.has(.user)
        let nodes = isInUserNamespace ? try resources.nodes.shown() : ShownNodes()
        try Devices(
            plan: plan.rootfs, byBinding: isInUserNamespace,
            needsConsole: plan.terminal != nil && plan.namespaces.has(.mount), nodes: nodes
        ).makeAll(in: root, mount: dev)
    }

    // MARK: The runtime's answers

    /// systemd takes a process that is there into a new scope, and the first one waits for that: whatever is done
    /// and spawned later, is done and spawned in it.
    private func awaitPlace() throws(SystemError) {
        if plan.cgroup.scope != nil { try link.expect(.placed) }
    }

    /// After an intermediate process the init speaks only when the runtime knows it, or it would be taken for that one;
    /// and a new user namespace has no owner inside until it has mappings.
    private func awaitAcknowledgement() throws(SystemError) {
        guard plan.namespaces.isAcknowledged else { return }
        try link.expect(.acknowledged)
    }

    /// Reports to the runtime that the tree is ready for hooks, and waits for them and for the filter.
    private func agree() throws(SystemError) -> SeccompFilter? {
        try link.send(.prepared)
        return try link.awaitFilter()
    }

    /// They begin in the root file system's directory, as with runc.
    private func runCreateContainerHooks(_ root: borrowing RootDirectory) throws(StepFailure) {
        guard plan.hooks?.createContainer?.isEmpty == false else { return }
        try step(.createContainerHooks, try Files.changeDirectory(to: root.descriptor))
        try HookRunner(
            .createContainer, plan.hooks, directory: nil,
            output: try step(.createContainerHooks, try resources.hookOutput())
        ).runAll(state(.creating))
    }

    // MARK: Namespaces and streams

    private func enterNamespaces() throws(SystemError) {
        if !plan.namespaces.needsIntermediate { try NamespaceEntry.join(plan.namespaces, resources.namespaces) }
        if plan.namespaces.isSpawnedLast, !plan.namespaces.timeOffsets.isEmpty {
            let clocks = try TimeOffsetPlan.openFile()
            try IntermediateProcess.setClocks(plan.namespaces, clocks)
        }
        // Made only now, in the container's cgroup, which becomes its root.
        if plan.namespaces.new.contains(.cgroup) { try Namespaces.unshare(.cgroup) }
    }

    private func joinKeyring() throws(SystemError) {
        guard let keyring = plan.keyring else { return }
        try SessionKeyring.join(keyring, label: plan.labels.label, proc: resources.proc)
    }

    private func bringLoopbackUp() throws(SystemError) {
        if plan.namespaces.new.contains(.network) { try NetworkInterfaces.bringUp("lo") }
    }

    private func setUpStreams() throws(SystemError) {
        guard let terminal = plan.terminal else {
            if !plan.namespaces.isSpawnedLast { try beginSession() }
            return
        }
        let controller = try TerminalSetup.setUp(
            terminal, owner: plan.process?.user ?? 0, console: plan.namespaces.has(.mount))
        if !plan.namespaces.isSpawnedLast { try beginSession() }
        try link.send(.terminal, descriptor: controller)
    }

    /// A session ends with the process that leads it: that is the init.
    func beginSession() throws(SystemError) {
        try Processes.newSession()
        if plan.terminal != nil { try TerminalSetup.takeControl() }
    }

    /// Once the mounts are what they will be: the null device is the container's.
    private func handStreamsOver() throws(SystemError) {
        guard plan.terminal == nil, let process = plan.process else { return }
        try StandardStreams.handOver(to: process.user, group: process.group)
    }

    private func setParameters() throws(SystemError) {
        try resources.proc.with(0) { proc throws(SystemError) in
            try SystemSettings.setParameters(plan.system, proc: proc)
        }
    }

    func state(_ status: ContainerStatus) -> State {
        State(
            ociVersion: plan.ociVersion, id: plan.id, status: status, pid: Int(Processes.currentID),
            bundle: plan.bundle, annotations: plan.annotations.isEmpty ? nil : plan.annotations)
    }

    /// As the container's root, while the root file system may still be written.
    private func makeWorkingDirectory() throws(SystemError) -> Bool {
        guard let process = plan.process else { return true }
        return try ProcessSetup.makeAndEnter(process.directory)
    }

    /// Nothing could be made in a read-only root.
    private func makeRootReadOnly() throws(SystemError) {
        try Mounting.setAttributes(of: Files.open("/", [.path, .directory]), set: .readOnly)
    }

    /// From here on the container's root can neither unmount nor write to what is mounted so far and read-only.
    private func lockMounts() throws(SystemError) {
        let obstacle = try resources.proc.with(0) { proc throws(SystemError) in try MountLock.apply(proc: proc) }
        if let obstacle { return try link.send(.warning(MountLock.warning(obstacle))) }
        try MountLock.shareAgain(plan.rootfs)
        if plan.terminal != nil { try MountLock.reopenTerminal() }
    }

    /// Comes last, because mounts of an unbindable root could not be hidden, and a shared one would not stay so.
    private func setRootPropagation() throws(SystemError) {
        guard plan.rootfs.propagationIsExplicit else { return }
        let propagation = plan.rootfs.propagation
        try Mounting.setPropagation("/", propagation.kind, recursive: propagation.recursive)
    }
}
