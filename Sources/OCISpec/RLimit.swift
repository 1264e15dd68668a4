/// A resource limit of a process (config.md, "POSIX process").
package struct RLimit: Sendable, Hashable {
    /// What is limited.
    package var type: RLimitType
    /// The limit in force, in the resource's own unit.
    package var soft: UInt64
    /// How far an unprivileged process may raise it.
    package var hard: UInt64

    /// A limit by its parts.
    package init(type: RLimitType, soft: UInt64, hard: UInt64) {
        self.type = type
        self.soft = soft
        self.hard = hard
    }
}

/// What `setrlimit` limits on Linux.
package enum RLimitType: String, Word {
    case addressSpace = "RLIMIT_AS"
    case core = "RLIMIT_CORE"
    case cpu = "RLIMIT_CPU"
    case data = "RLIMIT_DATA"
    case fileSize = "RLIMIT_FSIZE"
    case locks = "RLIMIT_LOCKS"
    case lockedMemory = "RLIMIT_MEMLOCK"
    case messageQueues = "RLIMIT_MSGQUEUE"
    case nice = "RLIMIT_NICE"
    case openFiles = "RLIMIT_NOFILE"
    case processes = "RLIMIT_NPROC"
    case residentSet = "RLIMIT_RSS"
    case realtimePriority = "RLIMIT_RTPRIO"
    case realtimeTime = "RLIMIT_RTTIME"
    case pendingSignals = "RLIMIT_SIGPENDING"
    case stack = "RLIMIT_STACK"
}

extension RLimit: Section {
    init(_ fields: inout Fields) {
        type = fields.requiredWord("type", placeholder: .core)
        soft = fields.requiredInteger("soft")
        hard = fields.requiredInteger("hard")
    }
}
