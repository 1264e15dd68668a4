internal import Kernel
internal import KernelTypes
internal import Planning

/// One socket that is to be opened.
struct SocketOpening {
    private let address: ListenAddress
    /// Whether one of version 6 for any address must leave version 4 to another one of the same port.
    private let leavesVersion4: Bool

    /// As systemd has it (SocketMode=): everybody may connect. Who may reach the folder is its owner's to say.
    private static let mode: UInt32 = 0o666

    init(_ address: ListenAddress, among all: [ListenAddress]) {
        self.address = address
        leavesVersion4 = all.contains { $0.isAnyOfVersion4(besides: address) }
    }

    func open() throws(SystemError) -> Descriptor {
        switch address.place {
        case .tcp(let host, let port): try open(.tcp, host, port)
        case .udp(let host, let port): try open(.udp, host, port)
        case .unix(let path): try path.begins(with: "@") ? listen(path) : open(path)
        }
    }

    /// The file that a Unix socket has made.
    func file() -> SocketFile? {
        guard case .unix(let path) = address.place, !path.begins(with: "@"),
            let status = try? Files.status(path, follow: false)
        else { return nil }
        return SocketFile(path: path, status: status)
    }

    private func open(_ kind: InternetProtocol, _ host: IPAddress?, _ port: UInt16) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try Sockets.listen(kind, host, port: port, onlyVersion6: leavesVersion4 ? true : nil)
        } catch {
            let tool = kind == .tcp ? "ss -ltnp" : "ss -lunp"
            let remedy: String? =
                switch error.code {
                case .addressInUse: "; \(tool) names the program that has it"
                case .addressNotAvailable: "; no network interface of this host has it, ip address shows those that do"
                case .accessDenied: "; ports below net.ipv4.ip_unprivileged_port_start are for CAP_NET_BIND_SERVICE"
                default: nil
                }
            throw remedy.map { .failed("\(error.code)\($0)", "", .noError) } ?? error
        }
    }

    private func listen(_ path: String) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try Sockets.listen(atPath: path, mode: Self.mode)
        } catch {
            guard error.code == .addressInUse else { throw error.about(path) }
            throw .refused("another program listens there; end it, or choose another name")
        }
    }

    /// Whoever does the same at the same time waits, or both would remove the other's file.
    private func open(_ path: String) throws(SystemError) -> Descriptor {
        let folder = path.splitAtLastSlash?.folder ?? ""
        if !folder.isEmpty { try Files.makeDirectories(folder, mode: 0o755) }
        let directory = try Files.open(folder.isEmpty ? "/" : folder, [.readOnly, .directory])
        let deadline = Deadline(milliseconds: 1000)
        // For something else that has the lock for long nobody waits: it is no concern of ours.
        while try !Files.tryLock(directory), !deadline.hasPassed { MonotonicClock.sleep(milliseconds: 5) }
        try removeStale(path)
        return try listen(path)
    }

    /// Removes what a listener that has ended has left, and nothing else.
    private func removeStale(_ path: String) throws(SystemError) {
        let status: FileStatus
        do throws(SystemError) {
            status = try Files.status(path, follow: false)
        } catch {
            if error.code == .noEntry { return }
            throw error
        }
        guard status.kind == .socket else {
            throw .refused("\(path) is there and is no socket; remove it, or choose another path")
        }
        if try Sockets.hasListener(path) {
            throw .refused("another program listens there; end it, or choose another path")
        }
        try Files.remove(path)
    }
}

extension ListenAddress {
    /// Whether this one is for any address of version 4 where another is for any of version 6, with the same port.
    fileprivate func isAnyOfVersion4(besides other: ListenAddress) -> Bool {
        switch (place, other.place) {
        case (.tcp(let own?, let port), .tcp(let another?, let otherPort)),
            (.udp(let own?, let port), .udp(let another?, let otherPort)):
            !own.isVersion6 && another.isVersion6 && port == otherPort
                && (own.bytes + another.bytes).allSatisfy { $0 == 0 }
        default: false
        }
    }
}
