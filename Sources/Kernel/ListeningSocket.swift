internal import CLinux
package import KernelTypes

/// Which packets of the internet a socket is for.
package enum InternetProtocol: Sendable {
    case tcp, udp

    fileprivate var type: Int32 {
        switch self {
        case .tcp: Int32(SOCK_STREAM.rawValue)
        case .udp: Int32(SOCK_DGRAM.rawValue)
        }
    }
}

/// Sockets that wait for others.
extension Sockets {
    /// As many as the kernel allows, net.core.somaxconn.
    private static let backlog = Int32.max

    /// Opens a socket at an address and a port, which listens if it is one of TCP.
    /// - Parameters:
    ///   - address: nil for any, of both versions where the host has both.
    ///   - onlyVersion6: whether one of version 6 is for that alone; nil leaves it to net.ipv6.bindv6only.
    package static func listen(
        _ kind: InternetProtocol, _ address: IPAddress?, port: UInt16, onlyVersion6: Bool? = nil
    ) throws(SystemError) -> Descriptor {
        guard let address else {
            do throws(SystemError) {
                return try listen(
                    kind, [UInt8](repeating: 0, count: 16), port: port, onlyVersion6: onlyVersion6 ?? false)
            } catch {
                // A kernel without version 6.
                guard error.code.rawValue == EAFNOSUPPORT else { throw error }
                return try listen(kind, [0, 0, 0, 0], port: port, onlyVersion6: nil)
            }
        }
        return try listen(kind, address.bytes, port: port, onlyVersion6: onlyVersion6)
    }

    private static func listen(
        _ kind: InternetProtocol, _ address: [UInt8], port: UInt16, onlyVersion6: Bool?
    ) throws(SystemError) -> Descriptor {
        let isVersion6 = address.count == 16
        let family = isVersion6 ? AF_INET6 : AF_INET
        let end = Descriptor(
            raw: try check("socket") { socket(family, kind.type | Int32(SOCK_CLOEXEC.rawValue), 0) })
        if isVersion6, let onlyVersion6 {
            try set(end, Int32(IPPROTO_IPV6), IPV6_V6ONLY, onlyVersion6)
        }
        // Connections of an earlier socket do not keep the port. Of UDP, it would let two have the same.
        if kind == .tcp { try set(end, SOL_SOCKET, SO_REUSEADDR, true) }
        // sockaddr_in: family, port, address, eight bytes of nothing; sockaddr_in6: family, port, flow, address, scope.
        var bytes: [UInt8] = []
        bytes.append(value: UInt16(family))
        bytes.append(value: port.bigEndian)
        if isVersion6 { bytes.append(value: UInt32(0)) }
        bytes += address + [UInt8](repeating: 0, count: isVersion6 ? 4 : 8)
        let raw = Int(end.raw)
        let length = bytes.count
        _ = try check("bind") { lend(bytes) { system(Int(SYS_bind), raw, $0, length) } }
        if kind == .tcp { _ = try check("listen") { CLinux.listen(Int32(raw), backlog) } }
        return end
    }

    private static func set(
        _ socket: borrowing Descriptor, _ level: Int32, _ option: Int32, _ isOn: Bool
    ) throws(SystemError) {
        let raw = socket.raw
        var value: Int32 = isOn ? 1 : 0
        _ = try check("setsockopt") { setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) }
    }

    /// Opens a Unix stream socket at a path, which must be free, or at a name with `@` in front, and listens.
    /// - Parameter mode: of the file; whoever may write to it may connect.
    package static func listen(atPath path: String, mode: UInt32) throws(SystemError) -> Descriptor {
        let end = try make(.stream)
        // The mode that the file is made with, unix(7).
        try Files.changeMode(of: end, mode: mode)
        let mask = Files.setCreationMask(0)
        defer { Files.setCreationMask(mask) }
        let raw = end.raw
        var (address, length) = unixAddress(path)
        _ = try check("bind") { lend(&address) { system(Int(SYS_bind), Int(raw), $0, length) } }
        _ = try check("listen") { CLinux.listen(raw, backlog) }
        return end
    }

    /// Whether somebody listens at a Unix socket's path, of whatever kind the socket is.
    /// - Throws: what keeps it from being known, which is no answer.
    package static func hasListener(_ path: String) throws(SystemError) -> Bool {
        let end = try make(.stream)
        try Files.setNonBlocking(end)
        let raw = end.raw
        var (address, length) = unixAddress(path)
        do throws(SystemError) {
            _ = try check("connect", path) { lend(&address) { system(Int(SYS_connect), Int(raw), $0, length) } }
        } catch {
            switch error.code {
            case .connectionRefused, .noEntry: return false
            // Its queue is full; it is a socket of datagrams.
            case .tryAgain, .wrongProtocol: return true
            default: throw error
            }
        }
        return true
    }

    /// A number for the datagram that is read next: another one has another, but for a repetition from the same sender.
    /// - Returns: nil when there is none.
    package static func nextDatagram(at number: Int32) -> UInt64? {
        var bytes = [UInt8](repeating: 0, count: 256)
        var sender = [UInt8](repeating: 0, count: 128)
        var length = socklen_t(sender.count)
        let room = bytes.count
        let flags = Int(MSG_PEEK) | Int(MSG_DONTWAIT) | Int(MSG_TRUNC)
        let size = lend(writable: &bytes) { bytes in
            lend(writable: &sender) { sender in
                lend(writable: &length) { system(Int(SYS_recvfrom), Int(number), bytes, room, flags, sender, $0) }
            }
        }
        guard size >= 0 else { return nil }
        // FNV-1a.
        let seed = (0xcbf2_9ce4_8422_2325 as UInt64) ^ UInt64(size)
        let parts = bytes.prefix(size) + sender.prefix(Int(length))
        return parts.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    /// Lets the kernel announce by SIGIO, to this process, that something has arrived at a socket that it shares with
    /// others, who may have taken it already; fcntl(2), F_SETOWN.
    package static func announceArrivals(at number: Int32, _ isOn: Bool) throws(SystemError) {
        if isOn { _ = try check("fcntl(F_SETOWN)", "\(number)") { clinux_fcntl(number, F_SETOWN, Int(getpid())) } }
        var value: Int32 = isOn ? 1 : 0
        _ = try check("ioctl(FIOASYNC)", "\(number)") { clinux_ioctl(number, UInt(FIOASYNC), &value) }
    }
}

extension Descriptor {
    /// Gets another number, whatever that was before; still close-on-exec.
    package consuming func moved(to number: Int32) throws(SystemError) -> Descriptor {
        if raw == number { return self }
        let raw = self.raw
        return Descriptor(raw: try check("dup3", "\(number)") { dup3(raw, number, O_CLOEXEC) })
    }

    /// A copy with a number that is not below another one.
    package func duplicate(from first: Int32) throws(SystemError) -> Descriptor {
        Descriptor(raw: try check("fcntl(F_DUPFD_CLOEXEC)") { clinux_fcntl(raw, F_DUPFD_CLOEXEC, Int(first)) })
    }
}

/// Answers to those who have come; send(2).
extension Sockets {
    /// Sends what a peer takes at once, and nothing to one that has gone. MSG_DONTWAIT, MSG_NOSIGNAL.
    /// - Returns: false where the peer has no room now.
    @discardableResult
    package static func sendAvailable(_ bytes: [UInt8], on socket: borrowing Descriptor) -> Bool {
        let raw = socket.raw
        do throws(SystemError) {
            _ = try check("send") {
                bytes.withUnsafeBytes {
                    CLinux.send(raw, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
            }
            return true
        } catch {
            return error.code != .tryAgain
        }
    }
}
