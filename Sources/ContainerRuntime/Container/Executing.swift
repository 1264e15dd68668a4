public import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
public import Planning

extension Container {
    /// Runs another program in a container that is created or running, and returns once it runs. Specification:
    /// runtime.md has no such operation; config.md, "Process", says what the process gets.
    ///
    /// The process is a child of the caller, who waits for it (waitpid(2)) or leaves a zombie until it ends.
    ///
    /// - Returns: the process's number on the host.
    /// - Throws: what kept the program from running; ``RuntimeError/exitStatus`` is 127 or 126 where the program is at
    ///   fault.
    @discardableResult
    public func exec(
        _ options: ExecOptions, caller: Caller = .current, warn: @escaping (String) -> Void = { _ in }
    ) throws(RuntimeError) -> Int32 {
        let caller = try caller.settled()
        return try executed(recordForExec(options), options, caller, warn).process.pid
    }

    /// `runbox exec`: the same, for a process that does nothing else. Unless ``ExecOptions/detach`` is set, all signals
    /// of the caller are blocked for good and passed on to the program.
    ///
    /// - Parameter started: called when the program runs, unless detached, and before this process confines itself.
    /// - Returns: the program's exit code, or 128 + the number of the signal that ended it; 0 when detached.
    package func execInForeground(
        _ options: ExecOptions, caller: Caller, started: () -> Void = {}, warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        var caller = try caller.settled()
        let record = try recordForExec(options)
        guard !options.detach else {
            _ = try executed(record, options, caller, warn)
            return 0
        }
        // Signals from here on are for the program: none may end the runtime before that.
        let signals = try operation("prepare for signals") { () throws(SystemError) in
            try Signals.blockAll()
            return try Signals.descriptor()
        }
        caller.interrupts = signals.number
        var executed = try executed(record, options, caller, warn)
        started()
        let terminal = executed.terminal.take()
        let foreground = Foreground(
            executed.process, doing: "stay with the process", terminal: terminal, signals: signals, warn: warn)
        if options.confinesCaller { SupervisorConfinement.ofExec() }
        return try foreground.stay().shellStatus
    }

    private func executed(
        _ record: Record, _ options: ExecOptions, _ caller: Caller, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> ExecProcess.Executed {
        // Of no interest to anybody but an agent.
        let status: ContainerStatus =
            record.seccompListener == nil ? .running : try status(of: record) == .created ? .created : .running
        return try Exec.start(record, status, options, caller, store, warn)
    }

    private func recordForExec(_ options: ExecOptions) throws(RuntimeError) -> Record {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        try status(of: record).check(.exec(ignorePaused: options.ignorePaused), of: record.id)
        return record
    }
}

/// From the words of a caller to a running program.
private enum Exec {
    static func start(
        _ record: Record, _ status: ContainerStatus, _ options: ExecOptions, _ caller: Caller, _ store: Store,
        _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> ExecProcess.Executed {
        let kept = try StoredConfiguration(record, store: store)
        let source = try ExecSource(options, template: kept.spec.process)
        var findings = Findings()
        let plan = ExecPlan(
            source.process, in: kept.spec, bundle: record.bundle, options: options, caller: caller,
            modules: .asked(by: source.process),
            mappings: .wanted(
                by: kept.spec, user: Credentials.effectiveUser, group: Credentials.effectiveGroup),
            memoryNodes: Host.memoryNodes(for: kept.spec),
            deadlinePeriods: Host.deadlinePeriods(for: source.process),
            findings: &findings)
        for finding in source.warnings + source.placed(findings.warnings) { warn(finding.description) }
        if !findings.errors.isEmpty { throw .configuration(source.placed(findings.errors)) }
        let filter = plan.seccomp.map {
            SeccompCompiler(
                plan: $0, text: kept.document.text(atPath: "linux.seccomp").map(Array.init) ?? [],
                cache: store.seccompCache)
        }
        do throws(StepFailure) {
            return try ExecProcess(plan: plan, record: record, containerStatus: status, filter: filter, warn: warn)
                .run()
        } catch {
            throw RuntimeError(error)
        }
    }
}

/// What says how the process is to be: flags over the container's own process, or a document.
private struct ExecSource {
    let process: OCISpec.Process
    let warnings: [Finding]
    private let document: ProcessDocument?
    private let file: String

    init(_ options: ExecOptions, template: OCISpec.Process?) throws(RuntimeError) {
        guard let file = options.processFile else {
            guard !options.arguments.isEmpty else { throw .failed(reason: "exec args cannot be empty") }
            process = Process(options, template: template)
            warnings = []
            document = nil
            self.file = ""
            return
        }
        let bytes = try operation("--process") { () throws(SystemError) in try Files.read(file) }
        let document = ProcessDocument(bytes: bytes, file: file)
        guard let process = document.process else {
            throw .configuration(document.findings.errors)
        }
        self.process = process.completed(by: template)
        warnings = document.findings.warnings
        self.document = document
        self.file = file
    }

    /// Findings with their place in the document, or under the name that config.json would give them.
    func placed(_ findings: [Finding]) -> [Finding] {
        guard let document else { return findings }
        return findings.map { finding in
            var finding = finding
            finding.field = finding.field.rest(after: "process.") ?? finding.field
            return finding.at(document.location(ofPath: finding.field), in: file)
        }
    }
}
