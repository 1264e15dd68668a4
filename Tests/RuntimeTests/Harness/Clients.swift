import Foundation
import Glibc

/// A client of a service: one connection, or one datagram socket.
final class Client {
    private let socket: Int32

    /// - Parameter address: `tcp:127.0.0.1:PORT`, `udp:127.0.0.1:PORT` or `unix:PATH`, as for `--listen`.
    init(_ address: String) throws {
        let parts = address.split(separator: ":", maxSplits: 1).map(String.init)
        let kind = Int32((parts[0] == "udp" ? SOCK_DGRAM : SOCK_STREAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        if parts[0] == "unix" {
            socket = Glibc.socket(AF_UNIX, kind, 0)
            var place = sockaddr_un()
            place.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: parts[1].utf8) }
            try Self.connect(socket, &place, address)
        } else {
            socket = Glibc.socket(AF_INET, kind, 0)
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = UInt16(parts[1].split(separator: ":").last ?? "0")?.bigEndian ?? 0
            place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            try Self.connect(socket, &place, address)
        }
    }

    private static func connect<Address>(_ socket: Int32, _ address: inout Address, _ text: String) throws {
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if result != 0 { throw Trouble("connect to \(text): \(String(cString: strerror(errno)))") }
    }

    deinit { close(socket) }

    /// Sends a line and reads what comes back, empty when nothing does in time.
    func ask(_ line: String = "hello", seconds: Int = 20) -> String {
        let bytes = Array("\(line)\n".utf8)
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &buffer, buffer.count, 0)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    /// A port of this host's loopback device that was free a moment ago.
    static func freePort() -> Int {
        let end = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(end) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(end, $0, length)
                _ = getsockname(end, $0, &length)
            }
        }
        return Int(UInt16(bigEndian: place.sin_port))
    }
}
