internal import CgroupPlanning
internal import JSON
internal import Kernel
internal import KernelTypes
internal import Planning

/// Sends a process's pidfd to a listening socket, as runc's `--pidfd-socket` does.
enum PidfdSocket {
    /// The text that comes with the descriptor and says whose it is.
    enum Kind: String, Sendable {
        /// A container's init, of `create` and `run`.
        case standard
        /// A process that `exec` put into a container.
        case setns
    }

    /// Sends one message with the descriptor to a listening stream socket, and closes.
    static func hand(_ pidfd: borrowing Descriptor, to path: String, as kind: Kind) throws(SystemError) {
        try ConsoleSocket.hand(pidfd, to: path, saying: kind.rawValue)
    }
}
