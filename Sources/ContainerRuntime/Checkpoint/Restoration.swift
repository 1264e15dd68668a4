internal import Cgroups
internal import Criu
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// Making a container of a checkpoint. What CRIU cannot make is made as for a new container, by the same steps: name,
/// state, cgroup, limits, hooks. In between CRIU makes the processes with their namespaces and mounts.
extension Creation {
    /// The recipe.
    consuming func restore(_ options: RestoreOptions) throws(RuntimeError) -> RestoredContainer {
        let call = CriuCall(settings: options.settings, doing: "restore \(plan.id)", logName: "restore.log")
        var restored = Restored()
        do throws(RuntimeError) {
            prepareToForget()
            let program = try call.program()
            let image = try operation(call.doing) { () throws(SystemError) in try CheckpointImage.find(call.settings) }
            made.record.checkpointed = image.time
            try makeResctrlGroup()
            try makeCgroup()
            onFailure { made in made.killRestored() }
            let outside = try operation(call.doing) { () throws(SystemError) in try RestoreSources.open(plan, options) }
            try operation(call.doing) { () throws(SystemError) in try outside.makeMountPoints(plan) }
            try restore(options, call, program, image, outside, &restored)
            do throws(StepFailure) {
                try finishRestore(restored)
            } catch {
                made.failure = error
                throw RuntimeError(error)
            }
        } catch {
            unwindAll()
            throw made.failure.map { RuntimeError($0) } ?? error
        }
        // Others would wait until this process ends, and the container is there all the same.
        try? Files.unlock(made.folder)
        return try RestoredContainer(made, restored)
    }

    /// What CRIU has made so far.
    struct Restored: ~Copyable {
        /// The controlling side of the container's terminal.
        var terminal: Descriptor?
        /// The init, held from the moment that CRIU says which it is.
        var process: ChildProcess?
    }

    private mutating func restore(
        _ options: RestoreOptions, _ call: CriuCall, _ program: String, _ image: borrowing CheckpointImage,
        _ outside: borrowing RestoreSources, _ restored: inout Restored
    ) throws(RuntimeError) {
        try? Files.remove(call.logName, at: image.work)
        var session = try start(options, call, program, image, outside)
        made.otherProcess = session.pid
        do throws(RuntimeError) {
            _ = try call.check(
                session, needs: options.needs(plan), features: CriuFeatures(lazyPages: options.settings.lazyPages))
            do throws(StepFailure) {
                try place()
                if options.settings.cgroups == .strict { try refuseFormerCgroup() }
                try writeRestoreRecord()
            } catch {
                throw RuntimeError(error)
            }
            let descriptors = image.readDescriptors()
            warnOfUnused(outside.unused(descriptors))
            var request = CriuRequest(.restore)
            request.options = criuOptions(options, call, image, outside)
            request.options?.inherited = outside.inherited(descriptors)
            do throws(CriuFailure) {
                _ = try session.ask(request) { notification, descriptor throws(SystemError) in
                    try self.answer(notification, descriptor, options, &restored)
                }
            } catch {
                throw call.explain(error, session, log: image.log(call.logName))
            }
            if let failure = made.failure { throw RuntimeError(failure) }
        } catch {
            session.finish()
            throw error
        }
        session.finish()
    }

    private func warnOfUnused(_ descriptors: [Int32]) {
        for number in descriptors {
            warn(
                "descriptor \(number) stays with the caller: the saved process has no pipe, socket or file of the host's of that number"
            )
        }
    }

    /// CRIU begins in the container's cgroup, where its children stay, and with mounts of its own: what it mounts on
    /// the way is gone with it, whatever becomes of it.
    private func start(
        _ options: RestoreOptions, _ call: CriuCall, _ program: String, _ image: borrowing CheckpointImage,
        _ outside: borrowing RestoreSources
    ) throws(RuntimeError) -> CriuSession {
        var setting = CriuSession.Setting(program: program)
        setting.kept = outside.numbers
        setting.sharesTerminal = options.settings.shellJob
        let root = plan.rootfs.path
        let ownMounts = plan.namespaces.has(.mount)
        let readOnly = plan.rootfs.readOnly
        if ownMounts {
            setting.reopened = [(image.path, image.folder.number), (image.workPath, image.work.number)]
        }
        return try operation(call.doing) { () throws(SystemError) in
            try made.cgroup.withDirectory { cgroup throws(SystemError) in
                try CriuSession.start(setting, cgroup: cgroup) { () throws(SystemError) in
                    guard ownMounts else { return }
                    try Namespaces.unshare(.mount)
                    try Mounting.setPropagation("/", .slave, recursive: true)
                    // CRIU's root must be a mount.
                    let place = try RootPreparation.open(root)
                    let tree = try Mounting.cloneTree(of: place, recursive: false)
                    // CRIU shows the root as it finds it.
                    if readOnly { try Mounting.setAttributes(of: tree, set: .readOnly) }
                    try Mounting.attach(tree, on: place, subject: root)
                }
            }
        }
    }

    private func criuOptions(
        _ options: RestoreOptions, _ call: CriuCall, _ image: borrowing CheckpointImage,
        _ outside: borrowing RestoreSources
    ) -> CriuOptions {
        var criu = CriuOptions(call, image, annotations: made.record.annotations)
        if plan.namespaces.has(.mount) {
            criu.root = plan.rootfs.path
            criu.mounts = outside.mounts.places.map { CriuOptions.Pair($0.key, $0.value) }
        }
        criu.restoresAsSibling = true
        criu.closesTCP = options.closesTCP
        criu.lsmProfile = options.lsmProfile
        criu.lsmMountContext = options.lsmMountContext
        criu.joined = outside.joined
        let record = made.cgroup.record
        // The container's own was made for it just now; below that there is none.
        if options.settings.cgroups == .strict { criu.cgroupMode = .soft }
        if options.settings.cgroups != .ignore, record.mode != .disabled { criu.cgroupRoot = record.path }
        return criu
    }
}

extension Creation.Made {
    /// What CRIU, killed in the middle, has left of the container.
    fileprivate mutating func killRestored() {
        if cgroup.record.mode != .disabled {
            // What is left after this keeps the cgroup, which is reported then.
            try? cgroup.kill()
        } else {
            // Without a cgroup they are known as this process's children, which have none of the host's among them.
            for child in Processes.children() { try? Processes.kill(child, .kill) }
        }
        while Processes.reapAny() != nil {}
    }
}

extension RestoreOptions {
    fileprivate func needs(_ plan: LaunchPlan) -> [CriuCall.Need] {
        var needs = settings.needs
        if plan.namespaces.joins(.pid) {
            needs.append(CriuCall.Need(what: "a joined pid namespace", since: CriuVersion(3, 15)))
        }
        if lsmMountContext != nil {
            needs.append(CriuCall.Need(what: "--lsm-mount-context", since: CriuVersion(3, 16)))
        }
        if lsmProfile != nil { needs.append(CriuCall.Need(what: "--lsm-profile", since: CriuVersion(3, 16))) }
        return needs
    }
}

/// A container whose processes run on from where they were saved.
struct RestoredContainer: ~Copyable {
    let record: Record
    let initProcess: ChildProcess
    /// Where it was not sent to a console socket.
    var terminal: Descriptor?
    /// Its state folder, not locked.
    let folder: Descriptor

    fileprivate init(
        _ made: consuming Creation.Made, _ restored: consuming Creation.Restored
    ) throws(RuntimeError) {
        guard case .some(let process) = restored.process.take() else {
            throw .failed(reason: "restore \(made.record.id): CRIU does not tell which process it has restored")
        }
        record = made.record
        initProcess = process
        terminal = restored.terminal.take()
        folder = made.folder
    }
}
