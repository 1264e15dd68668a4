internal import Errors
internal import KernelTypes
internal import OCISpec

/// The SELinux context of the container's new file systems. Specification: config-linux.md, "Mount Label".
package struct MountLabel: Sendable {
    static let annotation = AnnotationName.mountContext.rawValue
    /// Mount options that set a context; mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS".
    static let kinds = ["context", "fscontext", "defcontext", "rootcontext"]

    let label: String
    /// The option, such as `context="system_u:object_r:container_file_t:s0:c1,c2"`: quoted, because categories are
    /// separated by commas.
    let option: String
    /// The same for fsconfig(2).
    let parameter: (key: String, value: String?)

    init?(_ spec: Spec, modules: SecurityModules, findings: inout Findings) {
        let field = "linux.mountLabel"
        guard let label = LabelPlan.readLabel(spec.linux?.mountLabel, modules, field, &findings) else { return nil }
        if label.containsByte("\"") { findings.refuse(field, "must not hold a quotation mark") }
        let kind = spec.annotations?.first { $0.key == Self.annotation }?.value ?? "context"
        if !Self.kinds.contains(kind) {
            findings.refuse(
                "annotations[\"\(Self.annotation)\"]",
                "must be one of \(Self.kinds.joined(separator: ", ")), is \"\(kind)\"")
        }
        self.label = label
        option = "\(kind)=\"\(label)\""
        parameter = (kind, label)
    }

    /// A context as fsconfig(2) takes it: the quotation marks are for mount(2), which separates options by commas.
    package static func unquoted(_ value: String) -> String {
        let isQuoted = value.utf8.count > 1 && value.begins(with: "\"") && value.ends(with: "\"")
        return isQuoted ? String(decoding: value.utf8.dropFirst().dropLast(), as: UTF8.self) : value
    }

    /// Whether an option of a mount sets a context of its own.
    package static func isOption(_ word: String) -> Bool { kinds.contains { word.begins(with: "\($0)=") } }

    /// Whether a file system takes a context when it is mounted: those of the kernel get theirs from the policy.
    static func isTaken(by type: String) -> Bool {
        !["proc", "sysfs", "mqueue", "cgroup", "cgroup2"].contains(type)
    }
}
