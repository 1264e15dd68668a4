internal import Kernel
internal import OCISpec

/// How far one clock of a new time namespace is off. Specification: config-linux.md, "Offset for Time Namespace"; time_namespaces(7).
struct TimeOffsetPlan: Sendable, Equatable {
    /// The kernel's name of the clock, which is the specification's too.
    let clock: String
    /// Before or after the host's clock.
    let seconds: Int64
    /// Always forwards: -1 s and 500000000 ns together are half a second back.
    let nanoseconds: UInt32

    var field: String { "linux.timeOffsets.\(clock)" }

    /// The offsets that differ from none.
    static func read(
        _ spec: Spec, isNew: Bool, isJoined: Bool, findings: inout PlanFindings
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
    private static let mostSeconds: Int64 = 9_223_372_036

    private func check(_ findings: inout PlanFindings) {
        if nanoseconds > 999_999_999 {
            findings.refuse("\(field).nanosecs", "must be 0 to 999999999, is \(nanoseconds)")
        }
        if seconds > Self.mostSeconds || seconds < -Self.mostSeconds {
            findings.refuse(
                "\(field).secs", "must be \(-Self.mostSeconds) to \(Self.mostSeconds), is \(seconds)")
        }
    }

    // MARK: Applying

    /// The file that takes the offsets of this process's children. It is opened while the host's procfs is at hand and the host's privileges are: the
    /// kernel judges a write by whoever opened the file.
    static func openFile() throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open("/proc/self/timens_offsets", .writeOnly)
        } catch {
            guard error.code == .noEntry else { throw error }
            throw .refused("linux.timeOffsets: this kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS)")
        }
    }

    /// Sets the clock of the time namespace that this process has made for its children. The kernel lets that be done only while nobody lives in it.
    func write(to file: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.rewind(file)
            try Files.write("\(clock) \(seconds) \(nanoseconds)\n", to: file)
        } catch {
            let asked = "\(field) \(seconds) s \(nanoseconds) ns"
            if error.code == .range {
                let now = Clock.seconds(since: clock == "boottime" ? .boot : .start)
                throw .refused(
                    "\(asked): the clock would not be between 0 and \(Self.mostSeconds / 2) s; the host's is at \(now) s"
                )
            }
            if error.code == .notPermitted { throw .refused("\(asked): setting clocks needs CAP_SYS_TIME") }
            throw SystemError("write timens_offsets", asked, error.code)
        }
    }
}
