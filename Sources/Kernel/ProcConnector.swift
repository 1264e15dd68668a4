internal import CLinux
package import KernelTypes

/// The kernel's proc connector, a netlink socket on which it reports events of processes: here the end of one process,
/// with its exit code, whichever process reaps it.
///
/// For kernels before 6.15, where nothing else shows that to others than the parent. Only for root of the host, in the
/// host's pid namespace; others get nothing. connector.rst, linux/cn_proc.h.
package struct ProcConnector: ~Copyable {
    private let socket: Descriptor
    private let pid: Int32

    // A message is a struct nlmsghdr of 16 bytes, a struct cn_msg of 20, and a struct proc_event.
    private static let whatOffset = 36
    private static let processOffset = 56
    private static let statusOffset = 60
    private static let exitEvent: UInt32 = 0x8000_0000

    private init(socket: consuming Descriptor, pid: Int32) {
        self.socket = socket
        self.pid = pid
    }

    /// Begins to listen where nothing else tells how a process has ended that is no child: before Linux 6.15 a reaper
    /// that is faster takes the exit code along.
    /// - Returns: nil where that is not needed or not possible: for ordinary users, and inside of containers.
    package static func listenWhereNeeded(to pid: Int32) -> ProcConnector? {
        guard KernelRelease.current < (6, 15) else { return nil }
        return try? listen(to: pid)
    }

    /// Begins to listen; what ends from now on is reported.
    package static func listen(to pid: Int32) throws(SystemError) -> ProcConnector {
        let kind = Int(SOCK_DGRAM.rawValue) | Int(SOCK_CLOEXEC.rawValue) | Int(SOCK_NONBLOCK.rawValue)
        let connector = 11  // NETLINK_CONNECTOR
        let number = try check("socket") { system(Int(SYS_socket), Int(AF_NETLINK), kind, connector) }
        let end = Descriptor(raw: Int32(number))
        let raw = Int(end.raw)
        try filter(raw, pid)
        // struct sockaddr_nl with the group of process events.
        var address: (UInt16, UInt16, UInt32, UInt32) = (UInt16(AF_NETLINK), 0, 0, 1)
        _ = try check("bind") { lend(&address) { system(Int(SYS_bind), raw, $0, 12) } }
        // nlmsghdr: length, NLMSG_DONE; cn_msg: CN_IDX_PROC, CN_VAL_PROC, sequence, ack, length; PROC_CN_MCAST_LISTEN.
        let request: [UInt32] = [40, 3, 0, 0, 1, 1, 0, 0, 4, 1]
        _ = try check("send") { lend(request) { system(Int(SYS_sendto), raw, $0, request.count * 4, 0, 0, 0) } }
        return ProcConnector(socket: end, pid: pid)
    }

    /// The kernel drops everything else before it would wake or fill anything: the host makes many processes.
    private static func filter(_ socket: Int, _ pid: Int32) throws(SystemError) {
        // Loads of a filter read numbers from the network's side.
        var code = [
            sock_filter(code: 0x20, jt: 0, jf: 0, k: UInt32(whatOffset)),
            sock_filter(code: 0x15, jt: 0, jf: 3, k: exitEvent.bigEndian),
            sock_filter(code: 0x20, jt: 0, jf: 0, k: UInt32(processOffset)),
            sock_filter(code: 0x15, jt: 0, jf: 1, k: UInt32(bitPattern: pid).bigEndian),
            sock_filter(code: 0x06, jt: 0, jf: 0, k: .max), sock_filter(code: 0x06, jt: 0, jf: 0, k: 0),
        ]
        try code.withUnsafeMutableBufferPointer { buffer throws(SystemError) in
            var program = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
            _ = try check("setsockopt(SO_ATTACH_FILTER)") {
                lend(&program) {
                    system(
                        Int(SYS_setsockopt), socket, Int(SOL_SOCKET), Int(SO_ATTACH_FILTER), $0,
                        MemoryLayout<sock_fprog>.size)
                }
            }
        }
    }

    /// How the process ended, once a pidfd has shown that it did; nil when that was not reported.
    package func take() -> ExitReason? {
        var last: ExitReason?
        let room = 256
        var message = [UInt8](repeating: 0, count: room)
        while true {
            let raw = Int(socket.raw)
            let length = lend(writable: &message) { system(Int(SYS_recvfrom), raw, $0, room, 0, 0, 0) }
            // Each thread announces its own end; the last one counts for all.
            guard length > 0 else { return last }
            if let reason = Self.reason(message[..<length], of: pid) { last = reason }
        }
    }

    static func reason(_ message: ArraySlice<UInt8>, of pid: Int32) -> ExitReason? {
        func number(_ offset: Int) -> UInt32? {
            guard message.count >= offset + 4 else { return nil }
            let start = message.startIndex + offset
            return message[start..<(start + 4)].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        }
        guard number(whatOffset) == exitEvent, number(processOffset) == UInt32(bitPattern: pid),
            let status = number(statusOffset)
        else { return nil }
        return ExitReason(waitStatus: Int32(bitPattern: status))
    }
}
