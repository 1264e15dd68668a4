public import KernelTypes

/// Why an operation on a container failed. Its description is the one line that the user reads;
/// engines search it for the texts of runc and crun, so these are kept.
public enum RuntimeError: Error, Sendable {
    /// The name cannot be a container's.
    case invalidID(String)
    /// Another container has the name; `holder` says what it is and how to be rid of it, where that is known.
    case exists(String, holder: String = "")
    /// There is no such container.
    case missing(String)
    /// The container is in a status that does not allow the operation; `reason` begins with the text that engines look
    /// for.
    case status(reason: String)
    /// config.json is not there or unreadable.
    case bundle(reason: String)
    /// config.json has mistakes; at least one.
    case configuration([Finding])
    /// A step of setting the container up failed. `errno` is the kernel's, errno(3); 0 where the runtime itself
    /// refused.
    case step(Step, errno: Int32, message: String, exitStatus: Int32)
    /// The cgroup could not be made, changed or removed; `field` is the field of config.json that asked for it, where
    /// there is one.
    case cgroup(field: String?, errno: Int32, reason: String)
    /// The time that the caller gave has run out; `reason` says what has not happened.
    case timedOut(reason: String)
    /// Anything else, in a sentence. `errno` is the kernel's; 0 where the kernel refused nothing.
    case failed(reason: String, errno: Int32 = 0)

    /// What the command line exits with: 127 and 126 where the container's program is at fault, 124 after a time limit
    /// as timeout(1) has it, else 1.
    public var exitStatus: Int32 {
        switch self {
        case .step(_, _, _, let status): status
        case .timedOut: 124
        default: 1
        }
    }

    /// The kernel's error number, errno(3); nil where no system call failed.
    public var errno: Int32? {
        switch self {
        case .step(_, let code, _, _), .cgroup(_, let code, _), .failed(_, let code): code == 0 ? nil : code
        default: nil
        }
    }

    /// The field of config.json that is at fault, as a JSON path; nil where it is none, or it is not known which.
    public var field: String? {
        switch self {
        case .configuration(let findings): findings.first?.field
        case .cgroup(let field, _, _): field
        default: nil
        }
    }
}

extension RuntimeError: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .invalidID(let text):
            "invalid container ID format: \"\(text)\" (letters, digits and _+-. are allowed, and no dot in front)"
        case .exists(let id, let holder):
            "container with given ID already exists: \(id)\(holder.isEmpty ? "" : " is \(holder)")"
        case .missing(let id): "container does not exist: \(id)"
        case .status(let reason), .bundle(let reason), .timedOut(let reason), .failed(let reason, _): reason
        case .cgroup(_, _, let reason): reason
        case .configuration(let findings):
            findings.count <= 1
                ? findings.first?.description ?? "the configuration has a mistake"
                : "\(findings[0]) (and \(findings.count - 1) more; --debug lists them all)"
        case .step(_, _, let message, _): message
        }
    }
}

extension RuntimeError {
    /// - Parameter remedy: what helps against it; nil where that is not known.
    package init(_ failure: StepFailure, remedy: String?) {
        self = .step(
            failure.step, errno: failure.cause.code.rawValue, message: failure.message(remedy: remedy),
            exitStatus: failure.exitStatus)
    }

    @usableFromInline package init(_ error: SystemError, doing: String) {
        self = .failed(reason: "\(doing): \(error)", errno: error.code.rawValue)
    }

    package init(_ error: CgroupError) {
        self = .cgroup(field: error.field, errno: error.code?.rawValue ?? 0, reason: error.description)
    }
}

/// Runs kernel calls of an operation outside of the set-up.
@inlinable @inline(__always)
package func operation<Result: ~Copyable>(
    _ doing: @autoclosure () -> String, _ body: () throws(SystemError) -> Result
) throws(RuntimeError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw RuntimeError(error, doing: doing())
    }
}
