internal import OCISpec

/// Where a container is in its life. Specification: runtime.md, "State"; `paused` is the runtimes' common addition.
public enum Status: String, Sendable {
    /// Its environment is being made.
    case creating
    /// It waits for `start`.
    case created
    /// Its payload runs.
    case running
    /// Its cgroup is frozen.
    case paused
    /// Its process has ended.
    case stopped

    /// Whether `start` may be called.
    var allowsStart: Bool { self == .created }
    /// Whether a signal reaches the process.
    var allowsKill: Bool { self != .stopped }
    /// Whether `delete` removes it without `--force`. A created one is killed: its payload has not begun.
    var allowsDelete: Bool { self == .stopped || self == .created }
    /// Whether there is a process.
    var hasProcess: Bool { self != .stopped }
}
