internal import Kernel
internal import KernelTypes
internal import Planning

/// Sockets that the processes of a running payload have, for a supervisor that follows one that was killed.
///
/// As long as the payload holds them, nobody else can listen at their addresses. A payload has them at the numbers at
/// which it got them, or has moved them; so all of its descriptors are looked at.
struct LeftSockets {
    private let processes: [Int32]

    init(_ processes: [Int32]) { self.processes = processes }

    /// A copy of the one with an address; nil where no process has it, or they may not be looked into.
    func take(_ address: ListenAddress) -> Descriptor? {
        for pid in processes {
            if let found = try? Self.take(address, from: pid) { return found }
        }
        return nil
    }

    private static func take(_ address: ListenAddress, from pid: Int32) throws(SystemError) -> Descriptor? {
        let process = try Processes.open(pid)
        for name in try Files.list("/proc/\(pid)/fd") {
            // Others are not copied: to open and close a file may have an effect.
            guard let number = Int32(name), let target = try? Files.readLink("/proc/\(pid)/fd/\(name)"),
                target.begins(with: "socket:"), let copy = try? Processes.descriptor(number, of: process),
                let facts = try? SocketFacts(of: copy.number)
            else { continue }
            if address.isOf(facts) { return copy }
        }
        return nil
    }
}

extension ListenAddress {
    /// Whether a socket is one that was opened for this address.
    func isOf(_ socket: SocketFacts) -> Bool {
        switch place {
        case .tcp(let host, let port): socket.isStream && socket.isListening && socket.isAt(host, port: port)
        case .udp(let host, let port): !socket.isStream && socket.isAt(host, port: port)
        case .unix(let path): socket.isListening && socket.isAt(path)
        }
    }
}
