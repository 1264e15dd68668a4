package import Errors
internal import KernelTypes
package import OCISpec

/// Names of system calls that this libseccomp does not know. A filter passes over them, so that a profile works with an
/// older libseccomp; its author wants to know of those that no machine has, and of those whose rule is missed.
package enum SeccompNames {
    package static func check(_ seccomp: Seccomp, _ findings: inout Findings) {
        var candidates: [String]?
        var newer: [String]?
        for (rule, entry) in (seccomp.syscalls ?? []).enumerated() {
            for (index, name) in entry.names.enumerated() where SeccompLibrary.number(name) == nil {
                let field = "linux.seccomp.syscalls[\(rule)].names[\(index)]"
                let known = newer ?? newerNames.parts(by: " ")
                newer = known
                if known.contains(name) {
                    if isMissed(entry.action, seccomp.defaultAction) {
                        findings.warn(
                            field,
                            "libseccomp \(SeccompLibrary.version) is older than the system call \"\(name)\": \(entry.action.rawValue) is not in force for it, but \(seccomp.defaultAction.rawValue)"
                        )
                    }
                    continue
                }
                let all = candidates ?? SeccompLibrary.knownNames() + known
                candidates = all
                let near = Spelling.nearest(to: name, in: all).map { "; did you mean \"\($0)\"?" } ?? ""
                findings.warn(
                    field,
                    "libseccomp \(SeccompLibrary.version) knows no system call \"\(name)\": it is newer, or misspelt\(near) (ignored)"
                )
            }
        }
    }

    /// Whether it matters that a rule is passed over. A call that is refused instead of allowed is what every program
    /// meets on an older kernel; one that is allowed against its rule, or that no agent is asked for, protects nobody.
    private static func isMissed(_ action: SeccompAction, _ defaultAction: SeccompAction) -> Bool {
        switch action {
        case .allow, .log: false
        case .notify, .trace: true
        case .errno, .trap, .kill, .killThread, .killProcess: allows(defaultAction)
        }
    }

    private static func allows(_ action: SeccompAction) -> Bool {
        switch action {
        case .allow, .log, .notify, .trace: true
        case .errno, .trap, .kill, .killThread, .killProcess: false
        }
    }
}
