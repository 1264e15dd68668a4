internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// From the container's set-up to the program's first instruction.
extension Payload {
    /// What was found out about the program, by a process with the payload's user and capabilities.
    struct ResolvedProgram: Sendable {
        let path: String
        let environment: [String]
    }

    /// A program laid out for execve.
    struct Prepared: ~Copyable {
        let image: ExecImage
        let name: String
        let path: String
        let environment: [String]
    }

    /// Everything about the process that can fail before the start, so that it is reported while the caller waits. From
    /// here on it has the payload's user, capabilities, limits and directory, and so have its children.
    ///
    /// - Parameters:
    ///   - filter: what will be loaded at last; without no_new_privs that needs a capability until then.
    ///   - isInDirectory: whether the working directory is entered already; its owner may have to do that itself.
    ///   - warn: takes a sentence.
    func prepare(
        filter: SeccompFilter?, isInDirectory: Bool, warn: (String) throws(SystemError) -> Void
    ) throws(StepFailure) -> ResolvedProgram {
        try step(.processAttributes, try SystemSettings.setPersonality(system))
        if let memoryPolicy { try step(.processAttributes, try memoryPolicy.apply()) }
        let environment = ProcessSetup.environment(process, activation: activationDescriptors, names: activationNames)
        if setsOwnLimits { try step(.resourceLimits, try ProcessSetup.setLimits(process, of: 0)) }
        try step(.credentials) { () throws(SystemError) in
            let refused = try Identity.assume(
                process, capabilities, noNewPrivileges: noNewPrivileges,
                keepsAdministration: filter != nil && !noNewPrivileges)
            // Specification: what cannot be granted is a warning.
            if !refused.isEmpty {
                let names = Capabilities.names(of: refused).joined(separator: ", ")
                try warn("ambient capabilities that are not permitted and inheritable too were left out: \(names)")
            }
            // A process that changes its user becomes what fs.suid_dumpable says, which may be traceable
            // (proc_sys_fs(5)).
            try Processes.setDumpable(false)
        }
        try step(.workingDirectory) { () throws(SystemError) in
            try ProcessSetup.enter(process.directory, alreadyThere: isInDirectory)
        }
        let program = try Program(
            process.arguments[0], searching: process.variable("PATH"), as: ProgramUser(process, capabilities))
        Files.setCreationMask(process.creationMask)
        return ResolvedProgram(path: program.path, environment: environment)
    }

    /// Lays the program out, in the process that becomes it: LISTEN_PID is that one's number.
    func layOut(_ resolved: ResolvedProgram) -> Prepared {
        var environment = resolved.environment
        if activationDescriptors > 0 {
            environment.removeAll { $0.begins(with: "LISTEN_PID=") }
            environment.append("LISTEN_PID=\(Processes.currentID)")
        }
        return Prepared(
            image: ExecImage(path: resolved.path, arguments: process.arguments, environment: environment),
            name: process.arguments[0], path: resolved.path, environment: environment)
    }

    /// From here to the program's first instruction. Nothing is opened once the filter is loaded, which may forbid it:
    /// so under a filter the program is looked at before, some microseconds long, and without one only when execve has
    /// failed.
    ///
    /// - Parameters:
    ///   - load: loads the filter; `SeccompFilter.load(over:)`, by the link to the process that passes a listener on.
    ///     What it does under the filter is for such a filter to allow.
    ///   - expectFailure: takes what execve will say if the kernel has no handler of its own for such a file; the
    ///     filter may forbid to say it later.
    func become(
        _ prepared: consuming Prepared, _ filter: SeccompFilter?,
        load: (SeccompFilter) throws(StepFailure) -> Void, expectFailure: (StepFailure) -> Void
    ) throws(StepFailure) -> Never {
        try step(.execute) { () throws(SystemError) in
            try InheritedDescriptors.closeOnExec(from: 3)
            try InheritedDescriptors.keepOnExec(inheritedDescriptors)
        }
        Signals.resetForProgram()
        let inspection = ProgramInspection.here(ProgramUser(process, capabilities))
        guard let filter else {
            let code = prepared.image.execute()
            throw Program.failure(prepared.name, code, inspection.fault(of: prepared.path))
        }
        let fault = inspection.fault(of: prepared.path)
        if let fault { expectFailure(Program.failure(prepared.name, fault.code, fault)) }
        StepClock.stop()
        try load(filter)
        throw Program.failure(prepared.name, prepared.image.execute(), fault)
    }

    /// Closes the host's descriptors: a process that may trace the waiting one must not reach the host through
    /// them.
    ///
    /// - Parameter kept: what is needed until the program runs.
    func closeHostDescriptors(keeping kept: [Int32]) throws(SystemError) {
        try InheritedDescriptors.close(from: 3, keeping: kept + inheritedDescriptors)
    }
}
