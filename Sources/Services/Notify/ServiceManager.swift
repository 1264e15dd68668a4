internal import Kernel
internal import KernelTypes

/// The service manager above the supervisor, where there is one that waits for notifications; sd_notify(3).
///
/// Best effort: a manager that takes nothing does not hold the service up.
struct ServiceManager: ~Copyable {
    private let socket: Descriptor?
    private var lastStatus = ""

    init(_ address: String?, warn: (String) -> Void) {
        guard let address, !address.isEmpty else {
            socket = nil
            return
        }
        do throws(SystemError) {
            socket = try Self.connect(address)
        } catch {
            warn("NOTIFY_SOCKET \(address) of the environment is not used: \(error.code)")
            socket = nil
        }
    }

    private static func connect(_ address: String) throws(SystemError) -> Descriptor {
        let end = try Sockets.connect(address, .datagram)
        try Files.setNonBlocking(end)
        return end
    }

    var isThere: Bool {
        switch socket {
        case .some: true
        case .none: false
        }
    }

    /// - Parameter mayWait: whether a manager that has no room gets a second to make some: it may be reading its units
    ///   anew, and what it does not hear of it would wait for in vain.
    func send(_ lines: [String], mayWait: Bool = true) {
        guard !lines.isEmpty else { return }
        let bytes = Array(lines.joined(separator: "\n").utf8)
        switch socket {
        case .some(let socket):
            if Sockets.sendAvailable(bytes, on: socket) || !mayWait { return }
            _ = try? Polling.wait([(socket.number, .writable)], timeout: 1000)
            Sockets.sendAvailable(bytes, on: socket)
        case .none: return
        }
    }

    /// - Parameter text: a line for people; sent where it is another one than before.
    mutating func sendStatus(_ text: String) {
        guard isThere, text != lastStatus else { return }
        lastStatus = text
        send(["STATUS=\(text)"], mayWait: false)
    }
}
