internal import CLinux
package import KernelTypes

extension Sockets {
    /// Takes a TCP connection out of repair mode, in which it neither sends nor answers. TCP_REPAIR,
    /// include/uapi/linux/tcp.h; needs CAP_NET_ADMIN in its network namespace.
    ///
    /// - Returns: whether it was in that mode; sockets of other kinds never are.
    package static func endRepair(of socket: borrowing Descriptor) throws(SystemError) -> Bool {
        let raw = socket.raw
        // IPPROTO_TCP and TCP_REPAIR, which Swift sees as something else than numbers.
        let (level, option) = (Int32(6), Int32(19))
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(raw, level, option, &value, &size) == 0, value == 1 else { return false }
        value = 0
        _ = try check("setsockopt(TCP_REPAIR)") { setsockopt(raw, level, option, &value, size) }
        return true
    }
}
