/// What a configuration to begin with is to be like, where it is not to be the usual one: the flags of `spec`.
package struct SpecWishes: Sendable {
    /// Whether the container has a network of its own.
    package enum Network: Sendable {
        /// The usual: a new one, but the host's for an ordinary user.
        case usual
        /// The host's.
        case host
        /// A namespace of its own, with nothing but loopback until somebody moves devices there.
        case own
    }

    /// The program and its arguments; nil for a shell.
    package var arguments: [String]?
    /// Variables as `NAME=value`; they win over the usual ones, and a later one over an earlier one.
    package var environment: [String] = []
    package var user: User?
    package var directory: String?
    package var mounts: [Mount] = []
    package var readOnly: Bool?
    /// Bytes.
    package var memory: Int64?
    /// CPU time in microseconds for each ``cpuPeriod``.
    package var cpuQuota: Int64?
    package var tasks: Int64?
    /// The section `linux.seccomp` as text, which must be one JSON value.
    package var seccomp: [UInt8]?
    package var hostname: String?
    package var terminal = true
    package var network = Network.usual
    /// In the order in which they are written.
    package var annotations: [KeyValue] = []

    /// The kernel's own default, 100 ms.
    package static let cpuPeriod: UInt64 = 100_000

    package init() {}

    /// The usual variables with those that are wished for in their places.
    func merged(_ usual: [String]) -> [String] {
        var result = usual
        for variable in environment {
            let name = Self.name(of: variable)
            if let index = result.firstIndex(where: { Self.name(of: $0) == name }) {
                result[index] = variable
            } else {
                result.append(variable)
            }
        }
        return result
    }

    private static func name(of variable: String) -> [UInt8] {
        Array(variable.utf8.prefix { $0 != UInt8(ascii: "=") })
    }
}
