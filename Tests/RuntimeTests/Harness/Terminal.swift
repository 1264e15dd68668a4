import Foundation
import Glibc

/// A pseudoterminal that plays the person's: the runtime gets its other end.
final class Terminal {
    let master: Int32
    let path: String
    private(set) var text = ""

    init(rows: UInt16 = 24, columns: UInt16 = 80) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlock: Int32 = 0
        var number: UInt32 = 0
        let setLock: UInt = 0x4004_5431  // TIOCSPTLCK
        let getNumber: UInt = 0x8004_5430  // TIOCGPTN
        guard master >= 0, ioctl(master, setLock, &unlock) == 0, ioctl(master, getNumber, &number) == 0 else {
            throw Trouble("no pseudoterminal: \(String(cString: strerror(errno)))")
        }
        path = "/dev/pts/\(number)"
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        resize(rows: rows, columns: columns)
    }

    /// A master that came over a console socket.
    init(master: Int32) {
        self.master = master
        path = ""
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
    }

    deinit { close(master) }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = Glibc.write(master, bytes, bytes.count)
    }

    /// Reads what has come so far.
    func pump() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(master, &buffer, buffer.count)
            if count <= 0 { return }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    /// Waits until a text has been written.
    func reads(_ expected: String, seconds: Double = 10) -> Bool {
        eventually(seconds) {
            pump()
            return text.contains(expected)
        }
    }

    /// What a probe wrote to it.
    var facts: Facts { Facts(text.replacingOccurrences(of: "\r\n", with: "\n")) }

    var settings: termios {
        var value = termios()
        tcgetattr(master, &value)
        return value
    }

    /// Whether it echoes and collects lines, as a shell's terminal does.
    var isCooked: Bool { settings.c_lflag & tcflag_t(ECHO) != 0 && settings.c_lflag & tcflag_t(ICANON) != 0 }
}

/// The engine's end of `--console-socket`: a Unix socket that takes one descriptor.
final class ConsoleSocket {
    let path: String
    private let listener: Int32

    init(path: String) throws {
        self.path = path
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { throw Trouble("too long: \(path)") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 4) == 0 else { throw Trouble("no console socket at \(path)") }
    }

    deinit { close(listener) }

    /// The message's text and the terminal that came with it.
    func receive(seconds: Int32 = 10) throws -> (text: String, terminal: Terminal) {
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, seconds * 1000) == 1 else { throw Trouble("nobody came to the console socket") }
        let peer = accept(listener, nil, nil)
        defer { close(peer) }
        var control = [UInt64](repeating: 0, count: 8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        return try buffer.withUnsafeMutableBytes { bytes in
            try control.withUnsafeMutableBytes { ancillary in
                var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return try withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = ancillary.baseAddress
                    message.msg_controllen = ancillary.count
                    let count = recvmsg(peer, &message, 0)
                    // A header (length, level, type) of 16 bytes and the one descriptor.
                    guard count > 0, ancillary.load(as: Int.self) == 20 else {
                        throw Trouble("no descriptor came with the message")
                    }
                    let descriptor = ancillary.load(fromByteOffset: 16, as: Int32.self)
                    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                    return (String(decoding: bytes[..<count], as: UTF8.self), Terminal(master: descriptor))
                }
            }
        }
    }
}
