internal import Kernel

/// Finds the payload's program as execvp(3) would, in the container and as its user.
struct Program: Sendable {
    /// Where PATH is not set; as in runc and crun.
    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let path: String

    /// - Throws: a failure with status 127 or 126 in the words that engines look for (`executable file not found in $PATH`, `permission denied`, …).
    init(_ name: String, searching searchPath: String?) throws(StageFailure) {
        if name.containsByte("/") {
            if let code = Self.obstacle(name) { throw Self.failure(name, code) }
            path = name
            return
        }
        var denied = false
        for folder in (searchPath ?? Self.defaultPath).parts(by: ":", keepingEmpty: true) {
            let candidate = folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
            switch Self.obstacle(candidate) {
            case nil:
                path = candidate
                return
            case .some(.accessDenied): denied = true
            default: continue
            }
        }
        if denied { throw Self.failure(name, .accessDenied) }
        throw StageFailure(
            .program, .refused("exec: \"\(name)\": executable file not found in $PATH"), exitStatus: 127)
    }

    /// Why a file cannot be executed; nil when nothing speaks against it.
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

    static func failure(_ name: String, _ code: Errno) -> StageFailure {
        let isMissing = code == .noEntry || code == .notDirectory
        return StageFailure(
            .program, .refused("exec: \"\(name)\": \(code.standardDescription)"), exitStatus: isMissing ? 127 : 126)
    }
}
