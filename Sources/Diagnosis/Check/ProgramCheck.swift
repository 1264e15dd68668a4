internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The payload's program, looked up and looked at from outside, as the container would.
struct ProgramCheck {
    private let plan: LaunchPlan
    private let process: ProcessPlan
    private let tree: OverlaidTree
    private let user: ProgramUser
    private let filter: SeccompProgram?

    private static let field = "process.args[0]"

    init(_ plan: LaunchPlan, _ process: ProcessPlan, _ tree: OverlaidTree, filter: SeccompProgram?) {
        self.plan = plan
        self.process = process
        self.tree = tree
        self.filter = filter
        user = ProgramUser(process, plan.capabilities).mapped(by: plan.namespaces)
    }

    func run(_ findings: inout Findings) {
        guard let name = process.arguments.first else { return }
        let searchPath = process.variable("PATH")
        var isUnknown = false
        let search = Program.search(name, in: searchPath) { path in
            do throws(SystemError) {
                return try obstacle(path)
            } catch {
                isUnknown = isUnknown || error.isRefusal || error.code == .accessDenied
                return error.code
            }
        }
        switch search {
        case .missing where isUnknown: return
        case .missing: findings.refuse(Self.field, Program.missing(name, searchPath).cause.description)
        case .refused(let path, let code): say(name, path, code, &findings)
        case .found(let path):
            say(name, path, nil, &findings)
            checkLine(path, &findings)
            checkCalls(path, &findings)
        }
    }

    /// The same inspection as in the container, on the tree as it will be.
    var inspection: ProgramInspection {
        var result = ProgramInspection(open: { path, flags throws(SystemError) in try open(path, flags) }, user: user)
        result.isHandled = { BinaryFormats.handle($0) }
        result.forbidsExecution = { fileSystem in
            guard let tag = tree.lastTag else { return fileSystem.forbidsExecution }
            let mount = plan.rootfs.mounts[tag]
            if mount.set.contains(.noExecute) { return true }
            return fileSystem.forbidsExecution && !mount.clear.contains(.noExecute)
        }
        return result
    }

    /// Relative paths count from the working directory.
    private func open(_ path: String, _ flags: OpenFlags) throws(SystemError) -> Descriptor {
        try tree.open(path.isAbsolutePath ? path : "\(process.directory)/\(path)", flags)
    }

    private func obstacle(_ path: String) throws(SystemError) -> Errno? {
        let status = try Files.status(of: open(path, .path))
        if status.kind == .directory { return .isDirectory }
        return status.kind == .regular && user.mayExecute(status) ? nil : .accessDenied
    }

    private func say(_ name: String, _ path: String, _ code: Errno?, _ findings: inout Findings) {
        guard let fault = inspection.fault(of: path) else { return }
        if let code, code != fault.code { return }
        findings.refuse(Self.field, Program.failure(name, fault.code, fault).cause.description)
    }

    /// A carriage return behind an argument does not keep the kernel from starting the interpreter, but that is not its
    /// argument.
    private func checkLine(_ path: String, _ findings: inout Findings) {
        guard let file = try? open(path, [.readOnly, .nonBlocking]),
            let head = try? Files.read(file, at: 0, count: 256),
            case .script(let interpreter, let argument) = ProgramHead(head), argument.utf8.last == UInt8(ascii: "\r")
        else { return }
        findings.warn(
            Self.field,
            "the \"#!\" line of \(path) ends in a carriage return (CRLF), which \(interpreter) gets as a part of its argument; save it with Unix line ends (sed -i 's/\\r$//')"
        )
    }

    /// What every program does, or every one with a loader; a profile without it kills or fails what it should confine.
    private func checkCalls(_ path: String, _ findings: inout Findings) {
        guard let filter, SeccompPreflight.obstacle(to: filter) == nil else { return }
        for call in ["exit_group", "mmap", "brk", "read", "openat"] {
            let need = call == "exit_group" ? "by which programs end" : "which nearly every program needs to begin"
            switch filter.answer(toCall: call) {
            case .kills?: findings.warn("linux.seccomp", "kills \(call), \(need)")
            case .fails(let code)?: findings.warn("linux.seccomp", "answers \(call), \(need), with \"\(code)\"")
            case .passes?, nil: break
            }
        }
    }
}
