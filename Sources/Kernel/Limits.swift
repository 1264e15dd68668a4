internal import CLinux
package import KernelTypes

package enum Limits {
    /// Sets a limit of a process; 0 means this one. prlimit(2).
    package static func set(
        _ kind: LimitKind, soft: UInt64, hard: UInt64, of pid: Int32, name: String
    ) throws(SystemError) {
        var limit = rlimit(rlim_cur: UInt(soft), rlim_max: UInt(hard))
        _ = try check("setrlimit", name) {
            lend(&limit) { system(Int(SYS_prlimit64), Int(pid), Int(kind.rawValue), $0, 0) }
        }
    }
}
