package import Errors
internal import KernelTypes
package import OCISpec

/// Names of system calls that no machine has. A filter passes over them, so that a profile works with an older
/// libseccomp; its author wants to know.
package enum SeccompNames {
    package static func check(_ seccomp: Seccomp, _ findings: inout Findings) {
        var known: [String]?
        for (rule, entry) in (seccomp.syscalls ?? []).enumerated() {
            for (index, name) in entry.names.enumerated() where SeccompLibrary.number(name) == nil {
                let all = known ?? SeccompLibrary.knownNames()
                known = all
                let near = Spelling.nearest(to: name, in: all).map { "; did you mean \"\($0)\"?" } ?? ""
                findings.warn(
                    "linux.seccomp.syscalls[\(rule)].names[\(index)]",
                    "libseccomp \(SeccompLibrary.version) knows no system call \"\(name)\": it is newer, or misspelt\(near) (ignored)"
                )
            }
        }
    }
}
