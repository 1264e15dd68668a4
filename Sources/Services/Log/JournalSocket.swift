internal import Kernel
internal import KernelTypes

/// The way to the journal.
struct JournalSocket: ~Copyable {
    private let path: String
    private let room: Int32?
    private var socket: Descriptor?

    init(_ destination: LogDestination) {
        path = destination.journalSocket
        room = destination.journalRoom
    }

    /// Sends entries from a place in a batch on, each as a packet of its own, as long as there is room.
    /// - Returns: the place up to which they are sent, and why no further.
    mutating func send(_ batch: LogBatch, from first: Int = 0) -> (next: Int, failure: SystemError?) {
        for index in first..<batch.count {
            do throws(SystemError) {
                try send(batch.bytes(of: index))
            } catch {
                return (index, error.about(path))
            }
        }
        return (batch.count, nil)
    }

    private mutating func send(_ entry: ArraySlice<UInt8>) throws(SystemError) {
        do throws(SystemError) {
            try sendNow(entry)
        } catch {
            // A journal that was started anew has another socket at the same path.
            guard error.code == .connectionRefused || error.code == .connectionReset || error.code == .notConnected
            else { throw error }
            socket = nil
            try sendNow(entry)
        }
    }

    private mutating func sendNow(_ entry: ArraySlice<UInt8>) throws(SystemError) {
        if !isConnected {
            let connected = try Sockets.connect(path, .datagram)
            if let room { try Sockets.setSendRoom(room, of: connected) }
            socket = consume connected
        }
        switch socket {
        case .some(let socket): try Self.send(entry, on: socket)
        case .none: return
        }
    }

    private var isConnected: Bool {
        switch socket {
        case .some: true
        case .none: false
        }
    }

    /// What is too long for a packet goes as a sealed memory file.
    private static func send(_ entry: ArraySlice<UInt8>, on socket: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Sockets.sendPacket(entry, on: socket)
        } catch  where error.code == .messageTooLong {
            let file = try Files.memoryFile("journal-entry", sealable: true)
            try Array(entry).withUnsafeBytesThrowing { bytes throws(SystemError) in
                try Files.write(bytes, to: file)
            }
            try Files.seal(file)
            try Sockets.sendPacket(descriptor: file, on: socket)
        }
    }
}
