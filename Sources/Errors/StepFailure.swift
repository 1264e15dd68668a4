public import KernelTypes

/// A step that failed, here or in the container's process: what crosses the link and becomes the one line the user
/// reads.
@usableFromInline package struct StepFailure: Error, Equatable, Sendable {
    package let step: Step
    package let cause: SystemError
    /// Which exit status the failure calls for: 127 and 126 where the program is at fault, as in a shell; else 1.
    package let exitStatus: Int32
    /// Whether nothing failed but that the container's process is gone: what ended it is the failure to look for. Not
    /// sent over the link.
    package let isEndOfProcess: Bool

    @usableFromInline package init(
        _ step: Step, _ cause: SystemError, exitStatus: Int32 = 1, isEndOfProcess: Bool = false
    ) {
        self.step = step
        self.cause = cause
        self.exitStatus = exitStatus
        self.isEndOfProcess = isEndOfProcess
    }

    /// The sentence with, where there is one, what to do about it.
    package func message(remedy: String?) -> String {
        let text = cause.description.isEmpty ? step.words : "\(step.words): \(cause)"
        return remedy.map { "\(text) (\($0))" } ?? text
    }
}

extension SystemError {
    /// Whether it was made by `refused` of Kernel: a rule of ours and not the kernel refused.
    package var isRefusal: Bool { code == .noError }
}

/// Runs one call under the name of its step.
@inlinable @inline(__always)
package func step<Result: ~Copyable>(
    _ step: Step, _ body: @autoclosure () throws(SystemError) -> Result
) throws(StepFailure) -> Result {
    let began = StepClock.now
    defer { StepClock.note(step.rawValue, since: began) }
    do throws(SystemError) {
        return try body()
    } catch {
        throw StepFailure(step, error)
    }
}

/// Runs a part of a recipe under the name of its step.
@inlinable @inline(__always)
package func step<Result: ~Copyable>(
    _ step: Step, _ body: () throws(SystemError) -> Result
) throws(StepFailure) -> Result {
    let began = StepClock.now
    defer { StepClock.note(step.rawValue, since: began) }
    do throws(SystemError) {
        return try body()
    } catch {
        throw StepFailure(step, error)
    }
}

/// Measures a part that has errors of its own.
@inlinable @inline(__always)
package func measured<Result: ~Copyable, Failure: Error>(
    _ step: Step, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let began = StepClock.now
    defer { StepClock.note(step.rawValue, since: began) }
    return try body()
}
