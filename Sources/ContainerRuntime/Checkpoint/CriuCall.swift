internal import Criu
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The CRIU that is called: where it is, what it must be able to, and what a failure of it means.
struct CriuCall: Sendable {
    let settings: CheckpointSettings
    /// As in `checkpoint web`.
    let doing: String
    /// CRIU's log in the work folder. Engines look for dump.log and restore.log.
    let logName: String

    /// What somebody who uses a container's annotations, or the host, has to say to CRIU.
    static func configFile(annotation: String?) -> String? {
        // An empty one means: none.
        if let annotation { return annotation.isEmpty ? nil : annotation }
        return ["runbox", "crun", "runc"].map { "/etc/criu/\($0).conf" }.first { Files.exists($0) }
    }

    func program() throws(RuntimeError) -> String {
        if let path = settings.program {
            guard Files.isExecutable(path) else { throw failed("--criu \(path) is no program that can be executed") }
            return path
        }
        if let found = HostProgram(administrators: "criu") { return found.path }
        throw failed("there is no CRIU, which saves and restores processes; install criu, or name it with --criu")
    }

    func failed(_ reason: String) -> RuntimeError { .failed(reason: "\(doing): \(reason)") }

    /// What a version must be for what is asked of it.
    struct Need: Sendable {
        let what: String
        let since: CriuVersion
    }

    /// The first version whose interface knows configuration files, external network namespaces, and terminals whose
    /// other side is outside.
    static let least = CriuVersion(3, 11)

    /// Asks CRIU for its version, and for what the kernel must be able to.
    func check(
        _ session: borrowing CriuSession, needs: [Need], features: CriuFeatures
    ) throws(RuntimeError) -> CriuVersion {
        var question = CriuRequest(.version)
        question.keepsOpen = true
        guard let version = try ask(session, question).version else { throw failed("CRIU does not tell its version") }
        for need in [Need(what: "runbox", since: Self.least)] + needs where version < need.since {
            throw failed("\(need.what) needs CRIU \(need.since), and this is \(version); install a newer one")
        }
        if features == CriuFeatures() { return version }
        question = CriuRequest(.featureCheck)
        question.keepsOpen = true
        question.features = features
        let found = try ask(session, question).features ?? CriuFeatures()
        if features.tracksMemory, !found.tracksMemory {
            throw failed(
                "this kernel does not track which memory is written, which pre-dumps need: it must be built with CONFIG_MEM_SOFT_DIRTY; leave --pre-dump and --parent-path out"
            )
        }
        if features.lazyPages, !found.lazyPages {
            throw failed(
                "this kernel or CRIU cannot load memory when it is used: userfaultfd must be allowed (CONFIG_USERFAULTFD, sysctl vm.unprivileged_userfaultfd); leave --lazy-pages out"
            )
        }
        return version
    }

    private func ask(_ session: borrowing CriuSession, _ request: CriuRequest) throws(RuntimeError) -> CriuResponse {
        do throws(CriuFailure) {
            return try session.ask(request)
        } catch {
            throw explain(error, session, log: "")
        }
    }

    /// The one line for the user: the cause from CRIU's log, and the remedy.
    /// - Parameter log: CRIU's log of this call.
    func explain(_ failure: CriuFailure, _ session: borrowing CriuSession, log: String) -> RuntimeError {
        let place = "\(settings.workPath ?? settings.imagePath)/\(logName)"
        let cause = CriuCause(log: log) ?? CriuCause(log: session.said)
        let hint = (cause?.remedy).map { " (\($0))" } ?? ""
        let more = log.isEmpty ? "" : "; CRIU's log is \(place)"
        switch failure {
        case .system(let error): return failed("CRIU: \(error)\(hint)")
        case .garbled: return failed("CRIU answers what is no answer; is it CRIU?")
        case .died(let reason):
            return failed(
                "CRIU ended in the middle, \(reason.words)\(cause.map { ": \($0.text)" } ?? "")\(hint)\(more)")
        case .refused(let number, let message):
            let text = cause?.text ?? message.map { printable($0) } ?? number.map { "\(Errno(rawValue: $0))" }
            return failed("CRIU failed: \(text ?? "it does not say why")\(hint)\(more)")
        }
    }
}

extension ExitReason {
    fileprivate var words: String {
        switch self {
        case .exited(let code): "with exit status \(code)"
        case .killed(let signal): "killed by \(signal.description)"
        }
    }
}

extension CriuOptions {
    /// What both directions share.
    init(_ call: CriuCall, _ image: borrowing CheckpointImage, annotations: [KeyValue]) {
        self.init()
        let settings = call.settings
        imagesFolder = image.folder.number
        workFolder = image.work.number
        logFile = call.logName
        notifies = true
        establishedTCP = settings.establishedTCP
        externalUnixSockets = settings.externalUnixSockets
        shellJob = settings.shellJob
        fileLocks = settings.fileLocks
        lazyPages = settings.lazyPages
        autoDedup = settings.autoDedup
        orphanTerminals = true
        isUnprivileged = Credentials.effectiveUser != 0
        cgroupMode =
            switch settings.cgroups {
            case .soft: .soft
            case .full: .full
            case .strict: .strict
            case .ignore: .ignore
            }
        networkLock = settings.connectionLock.map { lock in
            switch lock {
            case .iptables: .iptables
            case .nftables: .nftables
            case .skip: .skip
            }
        }
        if settings.leavesNetworkOut {
            emptyNamespaces = UInt32(truncatingIfNeeded: NamespaceFlags.network.rawValue)
        }
        configFile = CriuCall.configFile(
            annotation: annotations.first { $0.key == AnnotationName.criuConfig.rawValue }?.value)
    }
}

extension CheckpointSettings {
    var needs: [CriuCall.Need] {
        switch connectionLock {
        case .iptables, .nftables: [CriuCall.Need(what: "--network-lock", since: CriuVersion(3, 17))]
        case .skip: [CriuCall.Need(what: "--network-lock skip", since: CriuVersion(3, 18))]
        case nil: []
        }
    }
}
