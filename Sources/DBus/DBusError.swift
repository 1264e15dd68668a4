package import KernelTypes

/// What goes wrong between this process and a bus, or a service behind it.
package enum DBusError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The socket failed.
    case system(SystemError)
    /// Bytes that are no message, or a value that cannot be one.
    case malformed(String)
    /// The other end does not know this user.
    case notAuthenticated(String)
    /// The other end answered with an error: its name, such as `org.freedesktop.DBus.Error.AccessDenied`, and its
    /// message.
    case refused(name: String, message: String)
    /// No answer in time; what was waited for.
    case timedOut(String)
    /// The other end is gone.
    case closed

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .malformed(let what): "D-Bus: \(what)"
        case .notAuthenticated(let words): "the bus does not accept this user (\(words))"
        // Engines take the kernel's own text for a missing program of the container.
        case .refused("System.Error.ENOENT", _): "not found (System.Error.ENOENT)"
        case .refused(let name, let message): message.isEmpty ? name : "\(message) (\(name))"
        case .timedOut(let what): "\(what): no answer in time"
        case .closed: "the connection was closed by the other end"
        }
    }

    /// Whether it is an answer with this name.
    package func isNamed(_ name: String) -> Bool {
        if case .refused(name, _) = self { return true }
        return false
    }
}
