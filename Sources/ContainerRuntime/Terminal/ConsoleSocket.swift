internal import Kernel
internal import KernelTypes

/// Hands the terminal's controlling side to the engine, as runc's and crun's `--console-socket` do.
enum ConsoleSocket {
    /// Sends one message with the descriptor and a name for it, which receivers ignore, and closes.
    static func hand(
        _ controller: borrowing Descriptor, to path: String, saying text: String = "/dev/ptmx"
    ) throws(SystemError) {
        let socket = try Sockets.connect(path)
        let name = Array(text.utf8)
        try name.withUnsafeBytesThrowing { bytes throws(SystemError) in
            try Sockets.send(bytes, descriptor: controller, on: socket)
        }
    }
}
