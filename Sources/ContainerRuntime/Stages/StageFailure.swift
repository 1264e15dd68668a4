internal import Kernel

/// A step that failed, here or in the container's process: what crosses the link and becomes the one line the user reads.
struct StageFailure: Error, Equatable, Sendable {
    let step: Step
    let cause: SystemError
    /// Which exit status the failure calls for: 127 and 126 where the program is at fault, as in a shell; else 1.
    let exitStatus: Int32

    init(_ step: Step, _ cause: SystemError, exitStatus: Int32 = 1) {
        self.step = step
        self.cause = cause
        self.exitStatus = exitStatus
    }

    /// The sentence with, where there is one, what to do about it.
    var message: String {
        let text = cause.description.isEmpty ? step.words : "\(step.words): \(cause)"
        guard let remedy = Remedy.of(self) else { return text }
        return "\(text) (\(remedy))"
    }
}

extension SystemError {
    /// Whether it was made by `refused` of Kernel: a rule of ours and not the kernel refused.
    var isRefusal: Bool { code.rawValue == 0 }
}

/// Runs one call of a sequence under the name of its step.
@inline(__always)
func step<Result: ~Copyable>(
    _ step: Step, _ body: @autoclosure () throws(SystemError) -> Result
) throws(StageFailure) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw StageFailure(step, error)
    }
}

/// Runs a part of a sequence under the name of its step.
@inline(__always)
func step<Result: ~Copyable>(
    _ step: Step, _ body: () throws(SystemError) -> Result
) throws(StageFailure) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw StageFailure(step, error)
    }
}

/// What a person can do about a failure, where the errno and the step leave little doubt.
enum Remedy {
    static let rootPath = "root.path must name an existing directory; a relative one counts from the bundle"

    static func of(_ failure: StageFailure) -> String? {
        let code = failure.cause.code
        if let remedy = NamespaceObstacle.remedy(of: failure) { return remedy }
        switch failure.step {
        case .clone where code == .notPermitted:
            return
                "making namespaces needs root, or a user namespace: see runbox spec --rootless; runbox doctor tells what forbids user namespaces here"
        case .clone where code.rawValue == 28:
            return "a limit of /proc/sys/user/max_*_namespaces is reached"
        case .mounts where code == .noDevice:
            return "this kernel does not know the file system type; see /proc/filesystems"
        case .resourceLimits where code == .notPermitted:
            return "raising a hard limit needs CAP_SYS_RESOURCE"
        case .processAttributes where code == .notPermitted:
            return "needs CAP_SYS_RESOURCE or CAP_SYS_NICE on the host"
        case .seccomp where code == .busy:
            return "whoever runs runbox listens to its system calls already, and the kernel takes one listener only"
        case .prepareRoot where code == .noEntry:
            return rootPath
        default: return nil
        }
    }
}
