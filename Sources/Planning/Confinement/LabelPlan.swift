internal import Errors
internal import KernelTypes

/// The AppArmor profile and the SELinux label that a process gets by its execve. Specification: config.md, "Linux
/// Process".
package struct LabelPlan: Sendable, Equatable {
    package let profile: String?
    package let label: String?

    static let none = LabelPlan(profile: nil, label: nil)

    /// Whether there is anything to write below procfs.
    package var isEmpty: Bool { profile == nil && label == nil }

    private init(profile: String?, label: String?) {
        self.profile = profile
        self.label = label
    }

    /// - Parameters:
    ///   - profile, label: empty means none.
    ///   - profileField, labelField: where they come from, for messages.
    init(
        profile: String?, label: String?, modules: SecurityModules,
        profileField: String = "process.apparmorProfile", labelField: String = "process.selinuxLabel",
        findings: inout Findings
    ) {
        self.profile = Self.read(profile, isEnabled: modules.appArmor, profileField, &findings)
        self.label = Self.readLabel(label, modules, labelField, &findings)
    }

    private static func read(
        _ profile: String?, isEnabled: Bool, _ field: String, _ findings: inout Findings
    ) -> String? {
        guard let profile, !profile.isEmpty else { return nil }
        if !isEnabled {
            // Nothing confines the process, and that is what is asked for.
            if profile == "unconfined" { return nil }
            findings.refuse(
                field,
                "AppArmor is not enabled on this host, so \"\(profile)\" would confine nothing; remove it, or set \"unconfined\""
            )
        } else if profile.begins(with: "&")
            || profile.parts(by: "&", keepingEmpty: true).dropLast().contains(where: { $0.ends(with: "//") })
        {
            findings.refuse(field, "stacked profiles are not supported: \"\(profile)\"; name one profile")
        } else if hasControl(profile) {
            findings.refuse(field, "must not hold control characters")
        }
        return profile
    }

    /// A label of SELinux for a field.
    static func readLabel(
        _ label: String?, _ modules: SecurityModules, _ field: String, _ findings: inout Findings
    ) -> String? {
        guard let label, !label.isEmpty else { return nil }
        if !modules.seLinux {
            findings.refuse(field, "SELinux is not enabled on this host, so the label would protect nothing; remove it")
        } else if hasControl(label) {
            findings.refuse(field, "must not hold control characters")
        }
        return label
    }

    private static func hasControl(_ text: String) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7f } }
}
