internal import Errors
internal import KernelTypes
internal import OCISpec

/// What decides on system calls with the action SCMP_ACT_NOTIFY: the agent that listens on a Unix stream socket.
/// Specification: config-linux.md, "Seccomp" and "The Container Process State".
package struct SeccompListener: Sendable, Equatable {
    /// The agent's socket, absolute.
    package let path: String
    /// What the agent gets along with the descriptor, untouched.
    package let metadata: String?
    /// Whether an action asks it. One that none asks gets its listener too, as in crun, but need not be there.
    package let isAsked: Bool

    package init(path: String, metadata: String?, isAsked: Bool = true) {
        self.path = path
        self.metadata = metadata
        self.isAsked = isAsked
    }

    static let annotation = AnnotationName.seccompReceiver.rawValue
    static let pluginAnnotation = AnnotationName.seccompPlugins.rawValue
    /// crun's name for a listener of everything that one process makes.
    package static let variable = "RUN_OCI_SECCOMP_RECEIVER"

    /// Finds the agent: the configuration's own field comes first, then the annotation, then the variable, as in crun.
    ///
    /// - Parameters:
    ///   - use: the field of the first action that notifies; nil without one, and then none need be named.
    ///   - receiver: the value of ``variable``.
    static func read(
        _ seccomp: Seccomp, use: String?, annotations: [KeyValue], receiver: String?, findings: inout Findings
    ) -> SeccompListener? {
        let base = "linux.seccomp"
        let configured = nonEmpty(seccomp.listenerPath)
        let metadata = nonEmpty(seccomp.listenerMetadata)
        if metadata != nil, configured == nil {
            findings.refuse("\(base).listenerMetadata", "must not be set without listenerPath")
        }
        let annotated = nonEmpty(annotations.first { $0.key == annotation }?.value)
        guard let path = configured ?? annotated ?? nonEmpty(receiver) else {
            guard let use else { return nil }
            findings.refuse(use, "SCMP_ACT_NOTIFY needs an agent; set linux.seccomp.listenerPath to its socket")
            return nil
        }
        if !path.isAbsolutePath {
            let field =
                configured != nil
                ? "\(base).listenerPath" : annotated != nil ? "annotations[\"\(annotation)\"]" : variable
            findings.refuse(field, "must be an absolute path, is \"\(path)\"")
        }
        return SeccompListener(path: path, metadata: metadata, isAsked: use != nil)
    }

    /// crun loads shared objects that answer in the runtime's own process; a static program cannot, and no payload
    /// waits for ever for an answer.
    static func checkPlugins(_ annotations: [KeyValue], findings: inout Findings) {
        guard let plugins = annotations.first(where: { $0.key == pluginAnnotation })?.value, !plugins.isEmpty else {
            return
        }
        findings.refuse(
            "annotations[\"\(pluginAnnotation)\"]",
            "runbox has no loader for plugins (\(plugins)); run an agent and name its socket in linux.seccomp.listenerPath"
        )
    }

    private static func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
}
