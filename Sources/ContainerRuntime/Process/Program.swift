internal import Errors
internal import Kernel
package import KernelTypes

/// Finds the payload's program as execvp(3) would, in the container and as its user.
package struct Program: Sendable {
    /// Where PATH is not set; as in runc and crun.
    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let path: String

    /// - Parameter user: whose permissions explain a refusal.
    /// - Throws: a failure with status 127 or 126 with the text that engines look for (`executable file not found in
    ///   $PATH`, `permission denied`, …).
    init(_ name: String, searching searchPath: String?, as user: ProgramUser = .runtime) throws(StepFailure) {
        switch Self.search(name, in: searchPath, obstacle: Self.obstacle) {
        case .found(let path): self.path = path
        case .refused(let path, let code):
            throw Self.failure(name, code, ProgramInspection.here(user).fault(of: path))
        case .missing: throw Self.missing(name, searchPath)
        }
    }

    /// How looking a program up ends.
    package enum Search: Equatable, Sendable {
        case found(String)
        /// There, or named by its path, but not to be executed.
        case refused(String, Errno)
        /// In no folder of PATH.
        case missing
    }

    /// Looks a name up; one with a slash is the path itself.
    /// - Parameter obstacle: why a file cannot be executed; nil when nothing speaks against it.
    package static func search(_ name: String, in searchPath: String?, obstacle: (String) -> Errno?) -> Search {
        if name.containsByte("/") {
            return obstacle(name).map { .refused(name, $0) } ?? .found(name)
        }
        var denied: String?
        for folder in (searchPath ?? defaultPath).parts(by: ":", keepingEmpty: true) {
            let candidate = folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
            switch obstacle(candidate) {
            case nil: return .found(candidate)
            case .some(.accessDenied): denied = denied ?? candidate
            default: continue
            }
        }
        return denied.map { .refused($0, .accessDenied) } ?? .missing
    }

    private static func obstacle(_ path: String) -> Errno? {
        do throws(SystemError) {
            let status = try Files.status(path)
            if status.kind == .directory { return .isDirectory }
            if status.kind != .regular { return .accessDenied }
            return Files.isExecutable(path) ? nil : .accessDenied
        } catch {
            return error.code
        }
    }

    package static func missing(_ name: String, _ searchPath: String?) -> StepFailure {
        let hint =
            name.containsByte(" ")
            ? "process.args[0] holds a blank: the program and each of its arguments are strings of their own"
            : "searched \(searchPath ?? defaultPath) in the container"
        return StepFailure(
            .program, .refused("exec: \"\(name)\": executable file not found in $PATH (\(hint))"), exitStatus: 127)
    }

    /// What the kernel or the search answered, with the true cause where looking at the file has shown it.
    package static func failure(_ name: String, _ code: Errno, _ fault: ProgramFault?) -> StepFailure {
        let words = fault?.code == code ? fault?.words : nil
        return StepFailure(
            .program, .refused("exec: \"\(name)\": \(words ?? Self.words(code))"),
            exitStatus: ProgramFault.exitStatus(code))
    }

    /// Causes that lie outside of the file.
    private static func words(_ code: Errno) -> String {
        let text = code.standardDescription
        switch code {
        case .tooLong:
            return "\(text): process.args and process.env together are longer than the kernel takes; shorten them"
        case .busyText: return "\(text): another process has the file open for writing; wait for it to be closed"
        case .noMemory: return "\(text): raise linux.resources.memory.limit, or free memory"
        case .notPermitted:
            return
                "\(text): a security module or the seccomp profile forbids it; see linux.seccomp and the kernel's log"
        default: return text
        }
    }
}
