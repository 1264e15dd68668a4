internal import CLinux

/// When steps of this process, and of those that it makes, began and ended: what `--debug` shows. Nothing is measured
/// before ``begin()``, and a step costs one comparison.
@usableFromInline package enum StepClock {
    /// Whose step it was.
    package enum Side: UInt8, Sendable {
        case runtime, intermediate, containerProcess
    }

    /// One step; times in nanoseconds of the wall clock.
    package struct Entry: Sendable {
        /// The number of the step.
        package let step: UInt8
        package let side: Side
        package let began: UInt64
        package let ended: UInt64
    }

    /// Measures from here on.
    /// - Returns: whether there is memory for it.
    package static func begin() -> Bool { clinux_times_begin() == 0 }

    /// To be called before a seccomp filter is loaded, which may forbid to ask for the time; also where nobody is to
    /// see what follows.
    package static func stop() { clinux_times_stop() }

    /// Says what this process is, which was just made.
    package static func become(_ side: Side) { clinux_times_side(side.rawValue) }

    /// The time; 0 where nothing is measured.
    @usableFromInline package static var now: UInt64 { clinux_times_now() }

    /// Takes note of a step that has ended.
    @usableFromInline package static func note(_ step: UInt8, since began: UInt64) { clinux_times_note(step, began) }

    /// What was noted so far, in the order of the ends.
    package static var entries: [Entry] {
        var entries: [Entry] = []
        var found = clinux_step_time()
        while clinux_times_entry(UInt32(entries.count), &found) != 0 {
            entries.append(
                Entry(
                    step: found.step, side: Side(rawValue: found.side) ?? .runtime, began: found.began,
                    ended: found.ended))
        }
        return entries
    }
}
