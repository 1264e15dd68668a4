internal import KernelTypes
internal import OCISpec

/// One thing that a host can do, or cannot.
public struct HostFinding: Sendable, Equatable {
    /// The result.
    public enum Verdict: String, Sendable {
        case ok
        /// Something is less than it could be.
        case warn
        /// It is not there.
        case missing
    }

    /// A part of the report.
    public enum Group: String, Sendable, CaseIterable {
        case kernel, cgroup, users, security, tools
    }

    /// A name that stays the same from release to release, such as `cgroup.controller.memory`.
    public let id: String
    /// What it is about, and what was found.
    public let summary: String
    /// The result.
    public let verdict: Verdict
    /// Whether containers cannot be run without it.
    public let isEssential: Bool
    /// What the gap costs.
    public let cost: String?
    /// The command that fixes it.
    public let remedy: String?

    /// The part of the report that it belongs to.
    public var group: Group { Group.allCases.first { id.begins(with: $0.rawValue + ".") } ?? .tools }

    /// All is well.
    static func ok(_ id: String, _ summary: String, essential: Bool = false) -> HostFinding {
        HostFinding(id: id, summary: summary, verdict: .ok, isEssential: essential, cost: nil, remedy: nil)
    }

    static func warn(_ id: String, _ summary: String, cost: String, remedy: String?) -> HostFinding {
        HostFinding(id: id, summary: summary, verdict: .warn, isEssential: false, cost: cost, remedy: remedy)
    }

    static func missing(
        _ id: String, _ summary: String, cost: String, remedy: String?, essential: Bool = false
    ) -> HostFinding {
        HostFinding(id: id, summary: summary, verdict: .missing, isEssential: essential, cost: cost, remedy: remedy)
    }
}
