internal import Errors
internal import Kernel
internal import KernelTypes
package import OCISpec
internal import Planning

/// Runs the hooks of one kind, in their order, in the namespaces this process is in.
package struct HookRunner: Sendable {
    let timing: HookTiming
    package let hooks: [Hook]
    /// For hooks without an environment of their own; nil stands for the one of this process, which is the runtime's.
    let fallbackEnvironment: [String]?
    /// What a hook that the image chooses is held by, as the payload is. The hook's own process loads it last, so that
    /// it need not allow what this one does to run a hook.
    let filter: SeccompFilter?
    /// Where hooks of the runtime's namespaces begin: the bundle, as with runc and crun; nil leaves them where this
    /// process is.
    let directory: String?
    /// What ends a hook before its time.
    let interruption: Interruption
    let output: HookOutput

    package init(
        _ timing: HookTiming, _ hooks: Hooks?, directory: String?, output: HookOutput,
        fallbackEnvironment: [String]? = nil, filter: SeccompFilter? = nil,
        interruption: Interruption = Interruption()
    ) {
        self.output = output
        self.interruption = interruption
        self.directory = directory
        self.timing = timing
        self.hooks = timing.hooks(of: hooks)
        self.fallbackEnvironment = fallbackEnvironment
        self.filter = filter
    }

    /// Runs all; the first failure ends it. One by a signal for the runtime has that signal's exit status.
    func runAll(_ state: State) throws(StepFailure) {
        if hooks.isEmpty { return }
        let text = state.json()
        for index in hooks.indices { try run(index, text) }
    }

    /// Runs all, whatever fails. Specification, runtime.md: a failing poststop hook is a warning.
    func runEach(_ state: State, warn: (String) -> Void) {
        if hooks.isEmpty { return }
        let text = state.json()
        for index in hooks.indices {
            do throws(StepFailure) {
                try run(index, text)
            } catch {
                warn(error.cause.description)
            }
        }
    }

    private func run(_ index: Int, _ state: [UInt8]) throws(StepFailure) {
        var outcome = Interruption.Outcome.ready
        do throws(SystemError) {
            try run(index, state, &outcome)
        } catch {
            var status: Int32 = 1
            if case .signal(let signal) = outcome { status = signal.shellStatus }
            throw StepFailure(timing.step, error, exitStatus: status, isEndOfProcess: outcome == .initEnded)
        }
    }

    /// - Parameter outcome: how the wait for the hook ended.
    private func run(
        _ index: Int, _ state: [UInt8], _ outcome: inout Interruption.Outcome
    ) throws(SystemError) {
        let hook = hooks[index]
        let input = try Files.memoryFile("hook state")
        try state.withUnsafeBytesThrowing { bytes throws(SystemError) in try Files.write(bytes, to: input) }
        try Files.rewind(input)
        let kept = try Files.memoryFile("hook output")
        let files = try self.output.open()
        let image = ExecImage(
            path: hook.path, arguments: hook.args?.isEmpty == false ? hook.args ?? [] : [hook.path],
            environment: hook.env ?? fallbackEnvironment ?? Processes.environment())
        let child = try Cloning.clone(cgroup: nil) { become(index, image, input: input, kept: kept, files: files) }
        let end = try wait(for: child, timeout: hook.timeout)
        outcome = end.outcome
        switch end.outcome {
        case .ready: break
        case .late:
            throw fail(
                index, "hook ran past specified timeout of \(hook.timeout ?? 0).0s: timeout expired for `\(hook.path)`",
                kept)
        case .signal(let signal):
            throw fail(index, "\(hook.path): interrupted by \(signal.description)", kept)
        case .halted: throw fail(index, "\(hook.path): it was stopped by a signal and has not gone on", kept)
        // Not the hook's fault: how the init ended is what there is to report.
        case .initEnded: throw Conversation.ended.cause
        }
        switch end.reason {
        case .exited(0): return
        case .exited(let code) where code == Self.execFailed: throw notExecuted(index, kept)
        case .exited(let code):
            throw fail(index, "exit status \(code): error executing hook `\(hook.path)` (exit code: \(code))", kept)
        case .killed(let signal):
            let hint = signal == .badSystemCall && filter != nil ? "; linux.seccomp forbids a system call of it" : ""
            let said = "error executing hook `\(hook.path)` (exit code: \(signal.shellStatus))"
            throw fail(index, "killed by \(signal.description)\(hint): \(said)", kept)
        }
    }

    /// Under a filter the hook's process could say nothing, so that this one looks at the file.
    private func notExecuted(_ index: Int, _ kept: borrowing Descriptor) -> SystemError {
        let path = hooks[index].path
        let said = lastLine(kept) ?? inspection(of: index, ProgramInspection.here(.runtime)).fault(of: path)?.hookWords
        return .refused(
            Self.cannotExecute(timing, index, path, said ?? "the kernel does not take it under linux.seccomp"))
    }

    /// The status of a child that could not become the hook; why is in the output.
    private static let execFailed: Int32 = 250

    private func become(
        _ index: Int, _ image: borrowing ExecImage, input: borrowing Descriptor, kept: borrowing Descriptor,
        files: borrowing DescriptorTable
    ) -> Never {
        do throws(SystemError) {
            if let directory { try Files.changeDirectory(directory) }
            try input.copy(to: 0)
            try kept.copy(to: 1)
            try kept.copy(to: 2)
            for number in [0, 1] where files.has(number) {
                try files.with(number) { file throws(SystemError) in try file.copy(to: Int32(1 + number)) }
            }
            try InheritedDescriptors.closeOnExec(from: 3)
            Signals.resetForProgram()
            if let filter {
                try filter.program.load(flags: filter.flags)
                _ = image.execute()
                Processes.exit(Self.execFailed)
            }
            let code = image.execute()
            let fault = inspection(of: index, ProgramInspection.here(.runtime)).fault(of: hooks[index].path)
            try Files.write(Self.words(code, fault), to: kept)
        } catch {
            // Without room for it only the status can report it.
            _ = try? Files.write(error.description, to: kept)
        }
        Processes.exit(Self.execFailed)
    }

    /// Adapts an inspection's messages to a hook.
    package func inspection(of index: Int, _ inspection: ProgramInspection) -> ProgramInspection {
        var inspection = inspection
        inspection.field = "hooks.\(timing.rawValue)[\(index)].path"
        inspection.place = timing == .startContainer ? "in the container" : "on the host"
        return inspection
    }

    private static func words(_ code: Errno, _ fault: ProgramFault?) -> String {
        guard let fault, fault.code == code else { return code.description }
        return fault.hookWords
    }

    /// The sentence about a hook that cannot be executed, expected or experienced.
    package static func cannotExecute(_ timing: HookTiming, _ index: Int, _ path: String, _ said: String) -> String {
        "error running \(timing.rawValue) hook #\(index): \(path): cannot be executed: \(said)"
    }

    private struct End {
        let reason: ExitReason
        let outcome: Interruption.Outcome
    }

    private func wait(for child: borrowing ChildProcess, timeout: Int?) throws(SystemError) -> End {
        var interruption = interruption
        // Among the container's processes there may be one that stops the hook for ever.
        if timing == .createContainer || timing == .startContainer { interruption.halt = .child(child.pid) }
        let outcome = try interruption.wait(for: child.pidfd.number, until: Deadline(seconds: timeout))
        if outcome != .ready { try Processes.kill(child) }
        return End(reason: try Processes.wait(child), outcome: outcome)
    }

    /// One line, in the words that engines know of runc and crun, with the last thing that the hook itself said.
    private func fail(_ index: Int, _ reason: String, _ kept: borrowing Descriptor) -> SystemError {
        let said = lastLine(kept).map { ": \($0)" } ?? ""
        return .refused("error running \(timing.rawValue) hook #\(index): \(reason)\(said)")
    }

    /// Without output the reason stands alone.
    private func lastLine(_ kept: borrowing Descriptor) -> String? {
        guard (try? Files.rewind(kept)) != nil, let bytes = try? Files.read(kept, limit: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self).parts(by: "\n").last
    }
}
