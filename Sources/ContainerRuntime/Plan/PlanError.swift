internal import Kernel

/// One mistake of a configuration that shows only when its parts are seen together, or against the host.
struct PlanError: Error, Equatable, Sendable {
    /// The JSON path of the field, such as `linux.namespaces[2].path`.
    let field: String
    let reason: String

    /// Whether it is refused because this version does not apply it; `features` tells so.
    var isUnsupported: Bool { reason.ends(with: "not supported yet") }
}

/// Collects everything that is wrong with a configuration, and what is merely odd, so that a user sees all of it at once.
struct PlanFindings: Sendable {
    private(set) var errors: [PlanError] = []
    private(set) var warnings: [PlanError] = []

    mutating func refuse(_ field: String, _ reason: String) {
        errors.append(PlanError(field: field, reason: reason))
    }

    mutating func warn(_ field: String, _ reason: String) {
        warnings.append(PlanError(field: field, reason: reason))
    }

    /// A field of the specification that this version does not apply. It must never be ignored in silence.
    mutating func refuseUnsupported(_ field: String) {
        refuse(field, "not supported yet")
    }
}
