internal import Errors
internal import OCISpec

/// How far one clock of a new time namespace is off. Specification: config-linux.md, "Offset for Time Namespace";
/// time_namespaces(7).
package struct TimeOffsetPlan: Sendable, Equatable {
    /// The kernel's name of the clock, which is the specification's too.
    package let clock: String
    /// Before or after the host's clock.
    package let seconds: Int64
    /// Always forwards: -1 s and 500000000 ns together are half a second back.
    package let nanoseconds: UInt32

    package var field: String { "linux.timeOffsets.\(clock)" }

    /// The offsets that differ from none.
    static func read(
        _ spec: Spec, isNew: Bool, isJoined: Bool, findings: inout Findings
    ) -> [TimeOffsetPlan] {
        guard let offsets = spec.linux?.timeOffsets, offsets.monotonic != nil || offsets.boottime != nil else {
            return []
        }
        if isJoined {
            findings.refuse(
                "linux.timeOffsets", "cannot be set in a time namespace that is joined: its clocks are set already")
        } else if !isNew {
            findings.refuse("linux.timeOffsets", "needs a time namespace; add {\"type\": \"time\"} to linux.namespaces")
        }
        return [("monotonic", offsets.monotonic), ("boottime", offsets.boottime)].compactMap { clock, offset in
            guard let offset else { return nil }
            let plan = TimeOffsetPlan(
                clock: clock, seconds: offset.secs ?? 0, nanoseconds: offset.nanosecs ?? 0)
            plan.check(&findings)
            return plan.seconds == 0 && plan.nanoseconds == 0 ? nil : plan
        }
    }

    /// The kernel counts nanoseconds in 64 bits, so there is an end to the seconds.
    package static let mostSeconds: Int64 = 9_223_372_036

    private func check(_ findings: inout Findings) {
        if nanoseconds > 999_999_999 {
            findings.refuse("\(field).nanosecs", "must be 0 to 999999999, is \(nanoseconds)")
        }
        if seconds > Self.mostSeconds || seconds < -Self.mostSeconds {
            findings.refuse(
                "\(field).secs", "must be \(-Self.mostSeconds) to \(Self.mostSeconds), is \(seconds)")
        }
    }
}
