internal import KernelTypes

/// One mistake of a configuration that shows only when its parts are seen together, or against the host.
package struct PlanError: Error, Equatable, Sendable {
    /// The JSON path of the field, such as `linux.namespaces[2].path`.
    package let field: String
    package let reason: String

    package init(field: String, reason: String) {
        self.field = field
        self.reason = reason
    }

    /// Whether it is refused because this version does not apply it; `features` tells so.
    package var isUnsupported: Bool { reason.ends(with: "not supported yet") }
}

/// Collects everything that is wrong with a configuration, and what is merely odd, so that a user sees all of it at once.
package struct PlanFindings: Sendable {
    package init() {}

    package private(set) var errors: [PlanError] = []
    package private(set) var warnings: [PlanError] = []

    package mutating func refuse(_ field: String, _ reason: String) {
        errors.append(PlanError(field: field, reason: reason))
    }

    package mutating func warn(_ field: String, _ reason: String) {
        warnings.append(PlanError(field: field, reason: reason))
    }

    /// A field of the specification that this version does not apply. It must never be ignored in silence.
    package mutating func refuseUnsupported(_ field: String) {
        refuse(field, "not supported yet")
    }
}
