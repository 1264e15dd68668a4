internal import Kernel
package import KernelTypes
package import Planning

extension NotifyPlan {
    /// - Parameter address: of the manager.
    /// - Returns: nil without a manager, or with one that is not there any more.
    init?(_ address: String?, state: String, warn: (String) -> Void) {
        guard let address, !address.isEmpty else { return nil }
        do throws(SystemError) {
            _ = try Sockets.connect(address, .datagram)
        } catch {
            warn("NOTIFY_SOCKET \(address) of the environment is not used: \(error.code)")
            return nil
        }
        self.init(address: address, folder: Self.folder(in: state))
    }

    /// Makes the folder, for the container's mounts to show.
    package func makeFolder() throws(SystemError) {
        let outer = folder.splitAtLastSlash?.folder ?? folder
        // The modes are meant whatever the caller's umask.
        let mask = Files.setCreationMask(0)
        defer { Files.setCreationMask(mask) }
        try Files.makeDirectory(outer, mode: 0o700)
        try Files.makeDirectory(folder, mode: 0o755)
    }
}

/// Passes notifications of the payload on to the service manager.
struct NotifyProxy: ~Copyable {
    private let socket: Descriptor
    private let manager: Descriptor
    /// The init as the host counts it, where it takes this process's place in the manager's eyes.
    private let pid: Int32?
    /// Whether the payload has said that it is ready.
    private(set) var isReady = false

    /// How long the manager may take for what was sent, in milliseconds; as in runc and crun.
    private static let timeout: Int32 = 30_000
    private static let limit = 32 << 10

    private init(socket: consuming Descriptor, manager: consuming Descriptor, pid: Int32?) {
        self.socket = socket
        self.manager = manager
        self.pid = pid
    }

    /// Begins to listen for notifications of the payload, if a service manager waits for them. It is not worth a
    /// container if that fails.
    ///
    /// - Parameter pid: the init, which becomes the service's main process when it is ready; nil where this process
    ///   stays: the manager learns how a service ended from its own child only.
    static func listen(_ plan: NotifyPlan?, pid: Int32?, warn: (String) -> Void) -> NotifyProxy? {
        guard let plan else { return nil }
        do throws(SystemError) {
            return try open(plan, pid: pid)
        } catch {
            warn("notifications of the payload are not passed on: \(error)")
            return nil
        }
    }

    /// The payload may be any user of the container's.
    private static func open(_ plan: NotifyPlan, pid: Int32?) throws(SystemError) -> NotifyProxy {
        let manager = try Sockets.connect(plan.address, .datagram)
        let folder = try Files.open(plan.folder, [.path, .directory, .noFollow])
        let socket = try Sockets.bindDatagram(NotifyPlan.socketName, at: folder, mode: 0o666)
        return NotifyProxy(socket: socket, manager: manager, pid: pid)
    }

    /// What to wait for beside others.
    var number: Int32 { socket.number }

    /// Passes on what has come so far. What the manager does not take in time is lost, as it would be without a runtime
    /// in between.
    mutating func forward(warn: (String) -> Void) {
        do throws(SystemError) {
            while var packet = try Sockets.receiveAvailable(on: socket, limit: Self.limit) {
                let message = Notification(packet.bytes, pid: pid)
                if message.isReady { isReady = true }
                if message.bytes.isEmpty { continue }
                _ = try Polling.wait([(manager.number, .writable)], timeout: 5000)
                try send(message, packet.descriptor.take())
            }
        } catch {
            warn("a notification could not be passed on: \(error)")
        }
    }

    private func send(_ message: Notification, _ descriptor: consuming Descriptor?) throws(SystemError) {
        try message.bytes.withUnsafeBytesThrowing { bytes throws(SystemError) in
            switch descriptor {
            // The manager closes it when it has come so far; our copy goes with this call.
            case .some(let descriptor) where message.isBarrier:
                try Sockets.send(bytes, descriptor: descriptor, on: manager)
            default: try Sockets.send(bytes, on: manager)
            }
        }
    }

    /// Waits until the payload is ready or has ended, and until the manager has taken notice.
    mutating func waitUntilReady(_ initProcess: borrowing Descriptor, warn: (String) -> Void) throws(SystemError) {
        while !isReady {
            let ready = try Polling.wait([(number, .readable), (initProcess.number, .readable)])
            forward(warn: warn)
            if !ready[1].isEmpty { break }
        }
        try settle()
    }

    /// The same for an init that is no child of this process.
    mutating func waitUntilReady(of pid: Int32, warn: (String) -> Void) throws(SystemError) {
        do throws(SystemError) {
            let initProcess = try Processes.open(pid)
            try waitUntilReady(initProcess, warn: warn)
        } catch {
            // It has ended, and what it said is waiting still.
            guard error.code == .noProcess else { throw error }
            forward(warn: warn)
            try settle()
        }
    }

    /// sd_notify_barrier(3): the manager asks who sent a message when it reads it, and this process is about to go.
    private func settle() throws(SystemError) {
        let barrier = Array("BARRIER=1".utf8)
        let end = try Sockets.pipeWithEnd { end throws(SystemError) in
            try barrier.withUnsafeBytesThrowing { bytes throws(SystemError) in
                try Sockets.send(bytes, descriptor: end, on: manager)
            }
        }
        _ = try Polling.wait([(end.number, [])], timeout: Self.timeout)
    }
}

/// One message of the payload as it is passed on.
struct Notification: Equatable {
    let bytes: [UInt8]
    let isReady: Bool
    /// Whether it came only to have its descriptor closed.
    let isBarrier: Bool

    /// What a service manager may get from inside a container. Process numbers are the container's, descriptors would
    /// be stored for another process: what is not listed is left out.
    private static let passed = [
        "READY", "RELOADING", "STOPPING", "STATUS", "ERRNO", "BUSERROR", "EXIT_STATUS", "WATCHDOG", "WATCHDOG_USEC",
        "EXTEND_TIMEOUT_USEC", "MONOTONIC_USEC",
    ]

    init(_ message: [UInt8], pid: Int32?) {
        let lines = message.split(separator: UInt8(ascii: "\n"))
        isBarrier = lines.count == 1 && lines[0].elementsEqual("BARRIER=1".utf8)
        if isBarrier {
            bytes = message
            isReady = false
            return
        }
        var kept: [ArraySlice<UInt8>] = lines.filter { line in
            Self.passed.contains {
                line.starts(with: $0.utf8) && line.dropFirst($0.utf8.count).first == UInt8(ascii: "=")
            }
        }
        isReady = kept.contains { $0.elementsEqual("READY=1".utf8) }
        if isReady, let pid { kept.append(Array("MAINPID=\(pid)".utf8)[...]) }
        bytes = Array(kept.joined(separator: [UInt8(ascii: "\n")]))
    }
}
