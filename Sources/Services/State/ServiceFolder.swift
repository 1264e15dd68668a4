internal import ContainerRuntime
package import Errors
package import Kernel
internal import KernelTypes

/// What is kept of a service beside its containers: `ROOT/.services/NAME`. It outlives each of them.
package struct ServiceFolder: Sendable {
    package let root: String
    package let name: String

    package static let servicesName = ".services"
    static let recordName = "service.json"
    static let lockName = "lock"
    static let controlName = "control"
    private static let notifyName = "notify"

    package init(root: String, name: String) {
        self.root = root
        self.name = name
    }

    package var path: String { "\(root)/\(Self.servicesName)/\(name)" }
    package var controlPath: String { "\(path)/\(Self.controlName)" }

    /// The folder of the notify socket as the container sees it, in one that keeps the host's users away from it.
    var notifyFolder: String { "\(path)/\(Self.notifyName)/inside" }

    /// The FIFO of a stream of the payload, 1 or 2.
    func streamPath(_ number: Int) -> String { "\(path)/\(number == 1 ? "stdout" : "stderr")" }

    /// Whether there is one.
    package var exists: Bool { Files.exists("\(path)/\(Self.recordName)") }

    /// The names of all services of a state root, sorted.
    package static func names(in root: String) -> [String] {
        // None where there is no such folder, or it is not for this user.
        ((try? Files.listDirectories("\(root)/\(servicesName)")) ?? []).filter {
            Files.exists("\(root)/\(servicesName)/\($0)/\(recordName)")
        }.sorted()
    }

    /// Whether a supervisor lives: it holds the lock as long as it does.
    package var isSupervised: Bool {
        guard let lock = try? Files.open("\(path)/\(Self.lockName)", [.readOnly, .noFollow]) else { return false }
        return (try? Files.tryLock(lock)) == false
    }

    /// Makes the folder where it is not there, and takes the lock.
    /// - Returns: the lock; nil where another supervisor has it.
    package func take() throws(RuntimeError) -> Descriptor? {
        try Store(root: root).prepare()
        return try operation("make the folder of service \(name)") { () throws(SystemError) in
            let (soon, late) = (Deadline(milliseconds: 100), Deadline(milliseconds: Self.patience))
            while true {
                try make("\(root)/\(Self.servicesName)")
                try make(path)
                let lock: Descriptor
                do throws(SystemError) {
                    lock = try Files.open(
                        "\(path)/\(Self.lockName)", [.readWrite, .create, .noFollow], mode: 0o600)
                } catch  where error.code == .noEntry {
                    continue  // deleted just now
                }
                if try Files.tryLock(lock) {
                    if isCurrent(lock) { return lock }
                } else if late.hasPassed || soon.hasPassed && hasLivingSupervisor {
                    return nil
                } else {
                    // One that was killed lets go a moment later; one that just begins has not written its name down.
                    MonotonicClock.sleep(milliseconds: 5)
                }
            }
        }
    }

    /// How long the lock of a supervisor that does not live may be held, in milliseconds.
    private static let patience: Int64 = 2000

    /// Whether the process lives that has written its name down last.
    private var hasLivingSupervisor: Bool {
        guard let supervisor = read()?.supervisor else { return false }
        return (try? Processes.startTime(supervisor.pid)) == supervisor.startTime
    }

    /// Whether the lock is still that of the name.
    private func isCurrent(_ lock: borrowing Descriptor) -> Bool {
        guard let own = try? Files.status(of: lock), let there = try? Files.status("\(path)/\(Self.lockName)") else {
            return false
        }
        return own.isSameFile(as: there)
    }

    private func make(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeDirectory(path, mode: 0o700)
        } catch {
            guard error.code == .exists else { throw error }
            let status = try Files.status(path, follow: false)
            guard status.kind == .directory, status.owner == Credentials.effectiveUser else {
                throw .refused("\(path) is not this user's folder; remove it, or name another --root")
            }
        }
    }

    /// The FIFOs that the payload writes to. Whoever may open them is decided by the folder: an ID of a container's
    /// user namespace may own them by then.
    func makeStreams() throws(SystemError) {
        for number in 1...2 {
            let path = streamPath(number)
            if (try? Files.status(path, follow: false))?.kind == .fifo { continue }
            try? Files.remove(path)  // nothing else belongs there
            try Files.makeFIFO(path, mode: 0o600)
            try Files.changeMode(path, mode: 0o666)
        }
    }

    func write(_ record: ServiceRecord) throws(SystemError) {
        try Files.replace("\(path)/\(Self.recordName)", with: record.json(), mode: 0o600)
    }

    /// What is known of the service; nil where there is none, or it is damaged.
    package func read() -> ServiceRecord? {
        guard let bytes = try? Files.read("\(path)/\(Self.recordName)", limit: 1 << 20) else { return nil }
        return ServiceRecord(bytes)
    }

    /// The same for those who look: of a supervisor that was killed, the last that it wrote is no longer so.
    package var view: ServiceRecord? {
        guard var record = read() else { return nil }
        if record.phase != .ended, !isSupervised { record.isOrphaned = true }
        return record
    }

    /// Removes the folder. The caller holds the lock, which goes last: who has opened it sees that it is not current.
    func remove() throws(SystemError) {
        do throws(SystemError) {
            let folder = try Files.open(path, [.readOnly, .directory, .noFollow])
            try Files.removeContents(of: folder)
            try Files.removeDirectory(path)
        } catch {
            if error.code != .noEntry { throw error }
        }
    }
}
