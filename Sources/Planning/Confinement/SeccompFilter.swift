package import KernelTypes

/// A compiled filter with the flags that it is loaded with; seccomp(2).
package struct SeccompFilter: Sendable {
    package let program: SeccompProgram
    /// SECCOMP_FILTER_FLAG_* bits.
    package let flags: UInt32

    package init(program: SeccompProgram, flags: UInt32) {
        self.program = program
        self.flags = flags
    }

    /// Whether an agent decides on some calls.
    package var notifies: Bool { flags & SeccompSupport.newListener != 0 }
}
