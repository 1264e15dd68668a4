internal import DBus
internal import Kernel
internal import KernelTypes

/// Authenticates this process by the identity that the kernel vouches for. D-Bus Specification,
/// "Authentication Protocol", EXTERNAL.
///
/// Everything is said in one go, as sd-bus does: systemd's own socket does not look at a first message that comes in
/// one piece with the line before it, so nothing may be sent between the end of the handshake and its answer.
enum Handshake: CaseIterable {
    /// This process names its user.
    case named
    /// The server goes by what it sees. In a user namespace that is another number than this process's; older servers
    /// insist on a name.
    case unnamed

    func run(_ stream: inout Stream) throws(DBusError) {
        // The zero byte carries the credentials on systems where they must be sent; it comes first everywhere.
        switch self {
        case .named:
            try stream.write("\0AUTH EXTERNAL \(Self.hexadecimal(String(Credentials.effectiveUser)))\r\nBEGIN\r\n")
        case .unnamed:
            try stream.write("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
            let answer = try stream.line()
            guard answer == "DATA" || answer.begins(with: "DATA ") else { throw .notAuthenticated(answer) }
        }
        let answer = try stream.line()
        guard answer == "OK" || answer.begins(with: "OK ") else { throw .notAuthenticated(answer) }
    }

    /// Two digits for each byte.
    static func hexadecimal(_ text: String) -> String {
        var digits = ""
        for byte in text.utf8 {
            if byte < 16 { digits += "0" }
            digits += String(byte, radix: 16)
        }
        return digits
    }
}
