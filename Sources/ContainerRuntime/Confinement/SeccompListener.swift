internal import Kernel
internal import OCISpec

/// Who decides on system calls with the action SCMP_ACT_NOTIFY: the agent that listens on a Unix stream socket.
/// Specification: config-linux.md, "Seccomp" and "The Container Process State".
struct SeccompListener: Sendable, Equatable {
    /// The agent's socket, absolute.
    let path: String
    /// What the agent is told along with the descriptor, untouched.
    let metadata: String?

    static let annotation = AnnotationName.seccompReceiver.rawValue
    static let pluginAnnotation = AnnotationName.seccompPlugins.rawValue
    /// crun's name for a listener of everything that one process makes.
    static let variable = "RUN_OCI_SECCOMP_RECEIVER"

    /// Reads who listens: the configuration's own word comes first, then the annotation, then the variable, as in crun.
    ///
    /// - Parameters:
    ///   - use: the field of the first action that notifies; nil without one, and then nobody needs to listen.
    ///   - receiver: the value of ``variable``.
    static func read(
        _ seccomp: Seccomp, use: String?, annotations: [KeyValue], receiver: String?, findings: inout PlanFindings
    ) -> SeccompListener? {
        let base = "linux.seccomp"
        let configured = nonEmpty(seccomp.listenerPath)
        let metadata = nonEmpty(seccomp.listenerMetadata)
        if metadata != nil, configured == nil {
            findings.refuse("\(base).listenerMetadata", "must not be set without listenerPath")
        }
        guard let use else { return nil }
        let annotated = nonEmpty(annotations.first { $0.key == annotation }?.value)
        guard let path = configured ?? annotated ?? nonEmpty(receiver) else {
            findings.refuse(use, "SCMP_ACT_NOTIFY needs an agent; set linux.seccomp.listenerPath to its socket")
            return nil
        }
        if !path.isAbsolutePath {
            let field =
                configured != nil
                ? "\(base).listenerPath" : annotated != nil ? "annotations[\"\(annotation)\"]" : variable
            findings.refuse(field, "must be an absolute path, is \"\(path)\"")
        }
        return SeccompListener(path: path, metadata: metadata)
    }

    /// crun loads shared objects that answer in the runtime's own process; a static program cannot, and no payload waits for ever for an answer.
    static func checkPlugins(_ annotations: [KeyValue], findings: inout PlanFindings) {
        guard let plugins = annotations.first(where: { $0.key == pluginAnnotation })?.value, !plugins.isEmpty else {
            return
        }
        findings.refuse(
            "annotations[\"\(pluginAnnotation)\"]",
            "runbox has no loader for plugins (\(plugins)); run an agent and name its socket in linux.seccomp.listenerPath"
        )
    }

    private static func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }

    // MARK: The agent

    /// Whether somebody can be there at all: told when the container is made, not only when it starts.
    func check() throws(SystemError) {
        do throws(SystemError) {
            guard try Files.status(path).kind == .socket else { throw .refused("\(subject): not a socket") }
        } catch  where error.code == .noEntry {
            throw .refused("\(subject): not found; is the agent running?")
        }
    }

    private var subject: String { "the agent's socket \(path)" }

    /// Connects to the agent; one connection is for one message.
    func connect() throws(SystemError) -> Agent {
        do throws(SystemError) {
            return Agent(socket: try Sockets.connect(path, timeout: 10), listener: self)
        } catch {
            let reason =
                switch error.code {
                case .connectionRefused: "nobody listens; is the agent running?"
                case .noEntry: "not found; is the agent running?"
                case .wrongProtocol: "not a stream socket"
                case .tryAgain: "the agent accepts no connection"
                default: error.code.description
                }
            throw .refused("\(subject): \(reason)")
        }
    }

    /// An agent that waits for its descriptor.
    struct Agent: ~Copyable {
        fileprivate let socket: Descriptor
        fileprivate let listener: SeccompListener

        /// Sends the descriptor with the process's state. Dropping the agent closes the connection, as the specification demands.
        ///
        /// - Parameters:
        ///   - pid: the process under the filter, as the runtime counts.
        ///   - state: the container's.
        func hand(_ descriptor: borrowing Descriptor, pid: Int32, state: State) throws(SystemError) {
            let message = ContainerProcessState(
                ociVersion: state.ociVersion, fds: ["seccompFd"], pid: Int(pid), metadata: listener.metadata,
                state: state)
            do throws(SystemError) {
                try message.json().withUnsafeBytesThrowing { bytes throws(SystemError) in
                    try Sockets.sendAll(bytes, descriptor: descriptor, on: socket)
                }
            } catch {
                throw SystemError("send to", listener.subject, error.code)
            }
        }
    }
}

extension SeccompFilter {
    var notifies: Bool { flags & SeccompSupport.newListener != 0 }

    /// Loads the filter; one that notifies, with its descriptor sent on the link and taken by the agent before this returns.
    func load(over link: borrowing Link) throws(SystemError) {
        if notifies { try link.load(self) } else { try program.load(flags: flags) }
    }
}
