package import KernelTypes

/// What a filter will do to the runtime's own last calls, known before it is loaded.
///
/// After the filter is loaded come only execve and, where that fails, the report why. A profile that forbids the first
/// can never start a program.
package enum SeccompPreflight {
    /// Why no program can start under a filter; nil when one can.
    package static func obstacle(to program: SeccompProgram) -> String? {
        switch program.answer(toCall: "execve") {
        case .kills?:
            "kills execve, the system call that starts the program; \(remedy)"
        case .fails(let code)?:
            "answers execve, the system call that starts the program, with \"\(code)\"; \(remedy)"
        case .passes?, nil: nil
        }
    }

    private static let remedy = "add \"execve\" to the names of a rule with SCMP_ACT_ALLOW"

    /// The call that the init needs to say why its program does not run, where the filter forbids it.
    /// - Parameter byGate: whether it speaks by the start gate instead of the link.
    static func silenced(by program: SeccompProgram, byGate: Bool) -> String? {
        let call = byGate ? "write" : "sendmsg"
        return program.answer(toCall: call) == .passes ? nil : call
    }
}
