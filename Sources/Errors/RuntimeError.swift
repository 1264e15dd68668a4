public import KernelTypes

/// Why an operation on a container failed. Its description is the one line that the user reads;
/// engines search it for the words of runc and crun, so these are kept.
public enum RuntimeError: Error, Sendable {
    /// The name cannot be a container's.
    case invalidID(String)
    /// Another container has the name; `holder` says what it is and how to be rid of it, where that is known.
    case exists(String, holder: String = "")
    /// There is no such container.
    case missing(String)
    /// The container is in a status that does not allow the operation; `reason` begins with the words engines look for.
    case status(reason: String)
    /// config.json is not there or unreadable.
    case bundle(reason: String)
    /// config.json has mistakes: each with file, line, column and path; at least one.
    case configuration([String])
    /// A step of setting the container up failed.
    case stage(message: String, exitStatus: Int32)
    /// The time that the caller gave has run out; `reason` says what has not happened.
    case timedOut(reason: String)
    /// Anything else, in a sentence.
    case failed(reason: String)

    /// What the command line exits with: 127 and 126 where the container's program is at fault, 124 after a time limit as timeout(1) has it, else 1.
    public var exitStatus: Int32 {
        switch self {
        case .stage(_, let status): status
        case .timedOut: 124
        default: 1
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
        case .status(let reason), .bundle(let reason), .timedOut(let reason), .failed(let reason): reason
        case .configuration(let findings):
            findings.count <= 1
                ? findings.first ?? "the configuration has a mistake"
                : "\(findings[0]) (and \(findings.count - 1) more; --debug lists them all)"
        case .stage(let message, _): message
        }
    }
}

extension RuntimeError {
    /// - Parameter remedy: what helps against it; nil where that is not known.
    package init(_ failure: StageFailure, remedy: String?) {
        self = .stage(message: failure.message(remedy: remedy), exitStatus: failure.exitStatus)
    }

    @usableFromInline package init(_ error: SystemError, doing: String) {
        self = .failed(reason: "\(doing): \(error)")
    }

    package init(_ error: CgroupError) { self = .failed(reason: error.description) }
}

/// Runs kernel calls of an operation outside the set-up sequences.
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
