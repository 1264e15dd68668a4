package import KernelTypes

/// A mistake in `linux.resources` or `linux.cgroupsPath`, found before anything on the host has been touched.
package struct CgroupPlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path of the field in config.json.
    package let field: String
    package let reason: String

    package init(field: String, reason: String) {
        self.field = field
        self.reason = reason
    }

    package var description: String { "\(field): \(reason)" }

    package static func onlyInVersion1(_ field: String) -> CgroupPlanError {
        CgroupPlanError(field: field, reason: "exists only in cgroup v1; remove it")
    }
}

/// A cgroup operation that the host refused: which field asked for it, why it failed, what to do about it.
package struct CgroupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field of config.json that asked for it; nil where no single one did.
    package let field: String?
    /// The controller whose absence or refusal it was.
    package let controller: Controller?
    package let reason: String
    package let remedy: String?
    /// The kernel's answer, so that a rootless runtime can distinguish a lack of permission from the rest.
    package let code: Errno?

    package init(
        field: String? = nil, controller: Controller? = nil, _ reason: String, remedy: String? = nil,
        code: Errno? = nil
    ) {
        self.field = field
        self.controller = controller
        self.reason = reason
        self.remedy = remedy
        self.code = code
    }

    package init(_ error: SystemError, in cgroup: String) {
        self.init("cgroup \(cgroup): \(error)", code: error.code)
    }

    /// Whether this process may not do it: for a container without limits a rootless runtime ignores that.
    package var isPermission: Bool {
        code == .accessDenied || code == .notPermitted || code == .readOnly
    }

    /// For places that show the field by themselves.
    package var descriptionWithoutField: String { reason + (remedy.map { "; \($0)" } ?? "") }

    package var description: String {
        (field.map { "\($0): " } ?? "") + reason + (remedy.map { "; \($0)" } ?? "")
    }
}
