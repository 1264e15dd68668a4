package import Errors
internal import Kernel
internal import KernelTypes
package import Planning

/// The sockets of a service, open as long as its supervisor lives: whoever connects while nothing runs waits.
///
/// Those of a service manager (LISTEN_FDS of the environment) come first, from number 3 on, then those of
/// ``ServiceSettings/listen``, then what `--preserve-fds` passes on. They have the same numbers in the supervisor as in
/// the payload, so that nothing is to be moved at a start. sd_listen_fds(3).
///
/// The numbers have no owner among the values of this process: a process that is made to start the payload has them as
/// well, whatever becomes of its copy of this one.
package struct ListeningSockets: ~Copyable {
    private let addresses: [ListenAddress]
    private let first: Int32
    private var files: [SocketFile] = []
    /// The numbers of all, those of a service manager first.
    package private(set) var numbers: [Int32]

    /// Takes the numbers that the sockets will have, so that nothing else gets them. Called before the supervisor opens
    /// anything: what is open there by now was inherited.
    /// - Parameter caller: what each start of the payload gets; the sockets are added to it, and what it preserves
    ///   moves behind them.
    package init(reserving addresses: [ListenAddress], caller: inout Caller) throws(RuntimeError) {
        self.addresses = addresses
        first = 3 + Int32(caller.activationDescriptors)
        numbers = (3..<first).filter { caller.inherited?.contains($0) == true }
        guard !addresses.isEmpty else { return }
        let start = first
        let count = Int32(addresses.count)
        try operation("reserve descriptors for sockets") { () throws(SystemError) in
            try Self.makeRoom(from: start, count, &caller)
            let placeholder = try Files.open("/dev/null", .readOnly).duplicate(from: Self.beyond(start + count, caller))
            for number in start..<start + count { try InheritedDescriptors.copy(placeholder.number, to: number) }
        }
        numbers += start..<start + count
        name(&caller)
    }

    /// Opens the sockets.
    /// - Parameters:
    ///   - processes: of a payload that runs already and was left by an earlier supervisor. What they hold open cannot
    ///     be opened again, so a copy is taken.
    package mutating func open(leftWith processes: [Int32] = []) throws(RuntimeError) {
        let left = LeftSockets(processes)
        for (index, address) in addresses.enumerated() {
            let number = first + Int32(index)
            do throws(SystemError) {
                let opening = SocketOpening(address, among: addresses)
                let socket: Descriptor
                if let taken = left.take(address) {
                    socket = taken
                } else {
                    socket = try opening.open()
                }
                if let file = opening.file() { files.append(file) }
                // In the place of the one that has kept the number.
                try socket.moved(to: number).leaveToExec()
            } catch {
                removeFiles()
                throw .failed(reason: "listen at \(address.text): \(error)", errno: error.code.rawValue)
            }
        }
    }

    /// What the caller preserves moves behind the sockets.
    private static func makeRoom(from start: Int32, _ count: Int32, _ caller: inout Caller) throws(SystemError) {
        let inherited = caller.inherited ?? []
        for number in inherited.sorted().reversed() where number >= start {
            try InheritedDescriptors.copy(number, to: number + count)
        }
        caller.inherited =
            inherited.filter { $0 < start } + (start..<start + count)
            + inherited.filter { $0 >= start }.map { $0 + count }
    }

    /// A number that neither the sockets nor what is passed on has.
    private static func beyond(_ end: Int32, _ caller: Caller) -> Int32 { max(end, (caller.inherited?.max() ?? 0) + 1) }

    private func name(_ caller: inout Caller) {
        let given = caller.activationDescriptors
        // sd_listen_fds_with_names(3) calls so what has no name.
        let others = caller.activationNames.map { [$0] } ?? [String](repeating: "unknown", count: given)
        let own = addresses.map { $0.name ?? "unknown" }
        caller.activationNames = ((given > 0 ? others : []) + own).joined(separator: ":")
        caller.activationDescriptors = given + addresses.count
    }

    /// What waits at all of them, connections that nobody has accepted and datagrams, each by a number of its own.
    package var waiting: [UInt64] { numbers.flatMap { Self.waiting(at: $0) } }

    private static func waiting(at number: Int32) -> [UInt64] {
        guard (try? Polling.wait([(number, .readable)], timeout: 0))?[0].isEmpty == false else { return [] }
        let unknown = UInt64(UInt32(bitPattern: number))
        guard let facts = try? SocketFacts(of: number) else { return [unknown] }
        guard facts.isListening else { return [Sockets.nextDatagram(at: number) ?? unknown] }
        // What the kernel cannot tell apart is taken for one.
        guard let use = try? SocketDiagnosis.use(of: number), use.isKnown, !use.waiting.isEmpty else {
            return [unknown]
        }
        return use.waiting
    }

    /// Closes the sockets and removes their files, unless others have taken those names.
    package mutating func close() {
        removeFiles()
        guard !addresses.isEmpty else { return }
        // They were open until now.
        try? InheritedDescriptors.close(from: first, to: UInt32(first) + UInt32(addresses.count) - 1)
    }

    private mutating func removeFiles() {
        for file in files { file.remove() }
        files = []
    }
}

/// The file of a Unix socket that is open.
struct SocketFile {
    let path: String
    let status: FileStatus

    /// It may be gone, or be another's by now.
    func remove() {
        guard let now = try? Files.status(path, follow: false), now.isSameFile(as: status) else { return }
        try? Files.remove(path)
    }
}
