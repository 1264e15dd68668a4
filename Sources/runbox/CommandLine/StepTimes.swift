internal import Errors
internal import KernelTypes

/// Writes how long the steps took: a line of level "debug" each, in the order in which they ended.
struct StepTimes: Sendable {
    private let log: Log
    private let began: UInt64

    /// Begins to measure where somebody will read it.
    init(_ log: Log) {
        self.log = log
        let isMeasured = log.level >= .debug && StepClock.begin()
        began = isMeasured ? StepClock.now : 0
    }

    /// Writes them, and measures no more: a process that stays beside a program may lose the right to open a log.
    func write() {
        guard began != 0 else { return }
        let now = StepClock.now
        let entries = StepClock.entries
        StepClock.stop()
        if now == 0 { return }
        for entry in entries {
            guard let step = Step(rawValue: entry.step) else { continue }
            let who =
                switch entry.side {
                case .runtime: "runtime"
                case .intermediate: "intermediate process"
                case .containerProcess: "container's process"
                }
            let at = Self.milliseconds(entry.began - min(began, entry.began))
            let spent = Self.milliseconds(entry.ended - entry.began)
            log.write(.debug, "\(who): \(Self.name(step)): \(spent) (from \(at) on)")
        }
        log.write(.debug, "all of it: \(Self.milliseconds(now - min(began, now)))")
    }

    /// What is done; the words of a failure would say that it failed.
    private static func name(_ step: Step) -> String {
        switch step {
        case .program: "find the program"
        case .execute: "start the program"
        case .runtimeHooks: "prestart and createRuntime hooks"
        case .createContainerHooks: "createContainer hooks"
        case .startContainerHooks: "startContainer hooks"
        case .poststartHooks: "poststart hooks"
        case .gate: "wait for the other side"
        default: step.words
        }
    }

    /// A duration in nanoseconds as milliseconds, to the microsecond: `0.412 ms`.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let micro = nanoseconds / 1000
        let rest = String(micro % 1000)
        return "\(micro / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest) ms"
    }
}
