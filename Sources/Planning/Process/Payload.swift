package import KernelTypes

/// The last stretch of every process that runs a program in a container, be it the init or one of `exec`: from the
/// runtime's privileges to the program's first instruction.
package struct Payload: Sendable {
    package let process: ProcessPlan
    package let capabilities: ProcessCapabilities
    package let noNewPrivileges: Bool
    /// Set once for the process and all that it executes.
    package let memoryPolicy: MemoryPolicyPlan?
    package let system: SystemPlan
    /// Whether the process sets its own limits, as the host's root that it still is; one in a user namespace could not
    /// raise them, and the runtime does it.
    package let setsOwnLimits: Bool
    /// How many descriptors from 3 on come from socket activation, holes included.
    package let activationDescriptors: Int
    /// The numbers of those, and of others, that the caller passes on.
    package let inheritedDescriptors: [Int32]
    /// The names of those from socket activation.
    package var activationNames: String?
}
