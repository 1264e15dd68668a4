import Foundation
import Glibc

/// A service manager's end of NOTIFY_SOCKET: a datagram socket at a path. Descriptors that come along are closed by
/// the kernel.
final class NotifyListener {
    let path: String
    private let socket: Int32
    private(set) var messages: [String] = []

    init(path: String) throws {
        self.path = path
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard bindUnix(socket, path) else { throw Trouble("no notify socket at \(path)") }
    }

    deinit { close(socket) }

    /// Sends to it for as long as it takes anything.
    func fill() {
        let sender = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(sender) }
        guard withUnixAddress(path, { connect(sender, $0, $1) == 0 }) else { return }
        while send(sender, "x", 1, Int32(MSG_DONTWAIT)) > 0 {}
    }

    /// Reads what has come; whether one of all messages satisfies.
    func hears(seconds: Double = 10, _ condition: (String) -> Bool) -> Bool {
        eventually(seconds) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count <= 0 { break }
                messages.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
            return messages.contains(where: condition)
        }
    }
}

/// Binds a socket to a path.
func bindUnix(_ socket: Int32, _ path: String) -> Bool { withUnixAddress(path) { bind(socket, $0, $1) == 0 } }

private func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8) + [0]
    guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}
