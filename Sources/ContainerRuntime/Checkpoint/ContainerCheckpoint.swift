internal import CgroupPlanning
internal import Cgroups
internal import Criu
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Saves a running container. Whatever fails, it runs on.
struct ContainerCheckpoint {
    let record: Record
    let store: Store
    let options: CheckpointOptions
    /// Whether it was paused before, and is to be so afterwards.
    let wasPaused: Bool
    /// Takes sentences about what a CRIU that was killed has left.
    let warn: (String) -> Void

    private var call: CriuCall {
        CriuCall(settings: options.settings, doing: "checkpoint \(record.id)", logName: "dump.log")
    }

    /// Names under which a restore finds what is outside: the namespaces' by agreement with runc and crun.
    static let networkKey = "extRootNetNS"
    static let processesKey = "extRootPidNS"
    /// More than that are a server's own, which CRIU saves by itself.
    private static let mostDescriptors = 64

    func run() throws(RuntimeError) {
        let call = call
        let program = try call.program()
        try refuseUserNamespace()
        let parent = try parentPath()
        let image = try operation(call.doing) { () throws(SystemError) in
            try CheckpointImage.make(options.settings)
        }
        do throws(RuntimeError) {
            var request = CriuRequest(options.isPreDump ? .preDump : .dump)
            request.options = try criuOptions(image, parent)
            try save(request, image, program)
        } catch {
            image.discard()
            throw error
        }
    }

    /// The kernel holds the mounts of a user namespace together. CRIU, which looks at each of them by itself, then
    /// takes the host's devices that are mounted in /dev for files of it, and no restore could make them.
    private func refuseUserNamespace() throws(RuntimeError) {
        let namespaces = try StoredConfiguration(record, store: store).spec.linux?.namespaces ?? []
        guard namespaces.contains(where: { $0.type == .user }) else { return }
        throw call.failed(
            "a container with a user namespace cannot be saved so that it could be restored: CRIU would take the host's devices in its /dev for its own"
        )
    }

    private func save(
        _ request: CriuRequest, _ image: borrowing CheckpointImage, _ program: String
    ) throws(RuntimeError) {
        let call = call
        // What an earlier call has left there would be taken for this one's.
        try? Files.remove(call.logName, at: image.work)
        var setting = CriuSession.Setting(program: program)
        setting.sharesTerminal = false
        var session = try operation(call.doing) { () throws(SystemError) in
            try CriuSession.start(setting, cgroup: nil)
        }
        let tracks = request.options?.tracksMemory ?? false
        let needs = options.settings.needs + externalNeeds
        let features = CriuFeatures(tracksMemory: tracks, lazyPages: options.settings.lazyPages)
        do throws(RuntimeError) {
            _ = try call.check(session, needs: needs, features: features)
            do throws(CriuFailure) {
                _ = try session.ask(request)
            } catch {
                if case .died = error, !options.isPreDump { ConnectionLocks(record: record).release().forEach(warn) }
                throw call.explain(error, session, log: image.log(call.logName))
            }
        } catch {
            session.finish()
            thaw()
            throw error
        }
        session.finish()
    }

    /// A CRIU that was killed has left the container's processes standing.
    private func thaw() {
        if wasPaused || !CgroupManager.isFrozen(record.cgroup) { return }
        // The failure to report is the one that led here; `runbox resume` does the same.
        do throws(CgroupError) {
            try CgroupManager.open(record.cgroup).thaw()
        } catch {
            return
        }
    }

    // MARK: What CRIU is told

    private func criuOptions(
        _ image: borrowing CheckpointImage, _ parent: String?
    ) throws(RuntimeError) -> CriuOptions {
        var criu = CriuOptions(call, image, annotations: record.annotations)
        criu.pid = record.pid
        criu.root = record.rootfs
        criu.leavesRunning = options.leavesRunning
        criu.skipsTCPInFlight = options.skipsTCPInFlight
        criu.linkRemap = options.linkRemap
        criu.parentImages = parent
        criu.tracksMemory = options.isPreDump || parent != nil
        criu.pageServer = options.pageServer
        criu.statusDescriptor = options.statusDescriptor
        if record.cgroup.mode != .disabled { criu.freezerCgroup = "\(record.cgroup.root)\(record.cgroup.path)" }
        if options.isPreDump {
            criu.notifies = false
            return criu
        }
        let spec = try StoredConfiguration(record, store: store).spec
        var findings = Findings()
        let namespaces = NamespacePlan(spec, findings: &findings)
        let rootfs = RootfsPlan(
            spec, bundle: record.bundle, pivotRoot: true, namespaces: namespaces, findings: &findings)
        do throws(SystemError) {
            let mounts = try MountTable.details(ofProcess: record.pid)
            if namespaces.has(.mount) {
                let external = ExternalMounts(
                    saving: mounts, host: try MountTable.details(), plan: rootfs, resolve: RestoreSources.real)
                criu.mounts = external.places.map { CriuOptions.Pair($0.key, $0.value) }
            }
            try nameNamespaces(namespaces, &criu)
            // Without a mount namespace of its own every file is one of the host's, which CRIU finds by its path.
            try nameDescriptors(namespaces.has(.mount) ? mounts : nil, image, &criu)
        } catch {
            throw RuntimeError(error, doing: call.doing)
        }
        return criu
    }

    /// Namespaces that belong to others are left out of the image. CRIU knows how for these two; others are saved, and
    /// the restore joins theirs instead.
    private func nameNamespaces(_ namespaces: NamespacePlan, _ criu: inout CriuOptions) throws(SystemError) {
        for (type, name, key) in [(NamespaceType.network, "net", Self.networkKey), (.pid, "pid", Self.processesKey)]
        where namespaces.joins(type) {
            let status = try Files.status("/proc/\(record.pid)/ns/\(name)")
            // CRIU's own is nothing that it would save.
            if try Namespaces.isOwn(name, status) { continue }
            criu.external.append("\(name)[\(status.inode)]:\(key)")
        }
    }

    private var externalNeeds: [CriuCall.Need] {
        guard !options.isPreDump, let spec = try? StoredConfiguration(record, store: store).spec else { return [] }
        let joined = spec.linux?.namespaces?.contains { $0.type == .pid && $0.path?.isEmpty == false } ?? false
        return joined ? [CriuCall.Need(what: "a joined pid namespace", since: CriuVersion(3, 15))] : []
    }

    /// What the init's descriptors are, so that those of the restore take their place: pipes and sockets by their
    /// numbers. A file of the host's, which the container has no mount of, must be named to CRIU. The standard streams
    /// always have a name; after them those count that have no gap before them, as engines hand them on.
    private func nameDescriptors(
        _ mounts: [MountDetail]?, _ image: borrowing CheckpointImage, _ criu: inout CriuOptions
    ) throws(SystemError) {
        var names: [String] = []
        for number in 0..<Self.mostDescriptors {
            let target = try? Files.readLink("/proc/\(record.pid)/fd/\(number)")
            if number > 2, target == nil { break }
            // A closed stream has no name.
            var name = target ?? ""
            if let mounts, let outside = outsideFile(number, name, mounts) {
                name = outside
                if !criu.external.contains(name) { criu.external.append(name) }
            }
            names.append(name)
        }
        try image.writeDescriptors(names)
    }

    /// - Returns: what CRIU calls a file or, with --shell-job, a terminal that no mount of the container shows; nil for
    ///   every other.
    private func outsideFile(_ number: Int, _ name: String, _ mounts: [MountDetail]) -> String? {
        guard name.isAbsolutePath, !name.begins(with: "/memfd:"),
            let status = try? Files.status("/proc/\(record.pid)/fd/\(number)"),
            let text = try? Files.readText("/proc/\(record.pid)/fdinfo/\(number)"),
            let line = text.parts(by: "\n").first(where: { $0.begins(with: "mnt_id:") }),
            let mount = line.rest(after: "mnt_id:").flatMap({ UInt64($0.parts(by: "\t").joined()) }),
            !mounts.contains(where: { $0.id == "\(mount)" })
        else { return nil }
        func hex(_ number: UInt64) -> String { String(number, radix: 16) }
        switch status.kind {
        case .regular: return "file[\(hex(mount)):\(hex(status.inode))]"
        case .characterDevice where options.settings.shellJob && Self.isTerminal(name):
            return "tty[\(hex(status.deviceNumber)):\(hex(status.device))]"
        default: return nil
        }
    }

    private static func isTerminal(_ name: String) -> Bool {
        ["/dev/pts/", "/dev/tty", "/dev/console"].contains { name.begins(with: $0) }
    }

    // MARK: The parent

    /// As CRIU wants it: from the image's folder, so that both can be moved together.
    private func parentPath() throws(RuntimeError) -> String? {
        guard let path = options.parentPath else { return nil }
        let image = options.settings.imagePath
        let full = path.isAbsolutePath ? path : "\(image)/\(path)".cleanedPath
        guard full != image else { throw call.failed("--parent-path \(path) is the image's own folder") }
        let isThere = ["inventory.img", "stats-dump"].contains { Files.exists("\(full)/\($0)") }
        guard isThere else {
            throw call.failed(
                "--parent-path \(path): there is no checkpoint in \(full); a relative path counts from the image's folder"
            )
        }
        return path.isAbsolutePath ? Self.relative(full.cleanedPath, from: image.cleanedPath) : path
    }

    static func relative(_ path: String, from folder: String) -> String {
        var to = path.parts(by: "/")[...]
        var from = folder.parts(by: "/")[...]
        while let next = to.first, next == from.first {
            to.removeFirst()
            from.removeFirst()
        }
        return (from.map { _ in ".." } + to).joined(separator: "/")
    }
}
