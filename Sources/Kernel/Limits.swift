internal import CLinux

/// A resource limit's kind, by the kernel's number; getrlimit(2).
package struct LimitKind: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

package enum Limits {
    /// Sets a limit of a process; 0 means this one. prlimit(2).
    package static func set(
        _ kind: LimitKind, soft: UInt64, hard: UInt64, of pid: Int32, name: String
    ) throws(SystemError) {
        var limit = rlimit64(rlim_cur: UInt(soft), rlim_max: UInt(hard))
        _ = try check("setrlimit", name) {
            lend(&limit) { system(Int(SYS_prlimit64), Int(pid), Int(kind.rawValue), $0, 0) }
        }
    }
}
