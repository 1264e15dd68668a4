internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The agent's side of a notifying filter; seccomp_unotify(2).
extension SeccompListener {
    /// Whether an agent can be there at all: reported when the container is made, not only when it starts.
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
                case .connectionRefused: "no process listens; is the agent running?"
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

        /// Sends the descriptor with the process's state. Dropping the agent closes the connection, as the
        /// specification demands.
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
                throw SystemError("send", "to \(listener.subject)", error.code)
            }
        }
    }
}
