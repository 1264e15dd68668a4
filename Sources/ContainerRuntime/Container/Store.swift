internal import Kernel

/// The state root: one folder a container.
public struct Store: Sendable {
    /// The folder of all containers' folders.
    public let root: String

    /// A store at a folder, which is made when the first container is.
    public init(root: String) { self.root = root }

    /// Where state is kept by default: `/run/runbox`, or `$XDG_RUNTIME_DIR/runbox` for an ordinary user, also where it is the root of a user
    /// namespace that an engine has made for it.
    public static func defaultRoot() -> String {
        // The host's root mostly has no such folder, or this one; then nothing is looked up.
        guard let folder = Processes.environment("XDG_RUNTIME_DIR"), !folder.isEmpty, folder != "/run/user/0",
            Credentials.isOrdinary
        else { return "/run/runbox" }
        return "\(folder)/runbox"
    }

    /// Where compiled seccomp programs are kept. Names with a dot in front are never containers.
    var seccompCache: String { "\(root)/.cache/seccomp" }

    func folder(_ id: String) -> String { "\(root)/\(id)" }

    /// Whether a name is taken.
    public func contains(_ id: ContainerID) -> Bool { Files.exists(folder(id.description)) }

    /// Takes a name for a new container by making its folder.
    func reserve(_ id: String) throws(RuntimeError) -> String {
        let folder = folder(id)
        do throws(SystemError) {
            do throws(SystemError) {
                try Files.makeDirectory(folder, mode: 0o711)
            } catch  where error.code == .noEntry {
                try Files.makeDirectories(root, mode: 0o711)
                try Files.makeDirectory(folder, mode: 0o711)
            }
        } catch {
            if error.code == .exists { throw .exists(id) }
            if error.code == .accessDenied, Credentials.isOrdinary {
                throw .failed(
                    reason:
                        "make the state folder: \(error); set XDG_RUNTIME_DIR to this user's own folder, which is usually "
                        + "/run/user/\(Credentials.effectiveUser), or name another place with --root")
            }
            throw RuntimeError(error, doing: "make the state folder")
        }
        return folder
    }

    func write(_ record: Record) throws(SystemError) {
        try Files.replace("\(folder(record.id))/\(Record.fileName)", with: record.json(), mode: 0o600)
    }

    /// What is kept of a container.
    /// - Returns: nil when its folder is there but was never finished.
    func load(_ id: String) throws(RuntimeError) -> Record? {
        do throws(SystemError) {
            let bytes = try Files.read("\(folder(id))/\(Record.fileName)")
            guard let record = Record(bytes) else {
                throw .refused(
                    "the state of container \(id) in \(root) is damaged; runbox delete --force \(id) removes it")
            }
            return record
        } catch {
            guard error.code == .noEntry || error.code == .notDirectory else {
                throw RuntimeError(error, doing: "read the state")
            }
        }
        guard Files.exists(folder(id)) else { throw .missing(id) }
        return nil
    }

    /// The names of all containers, sorted.
    func all() throws(RuntimeError) -> [String] {
        do throws(SystemError) {
            return try Files.list(root).filter { !$0.begins(with: ".") }.sorted()
        } catch {
            if error.code == .noEntry { return [] }
            throw RuntimeError(error, doing: "list \(root)")
        }
    }

    /// Forgets a container.
    func remove(_ id: String) throws(SystemError) {
        let folder = folder(id)
        do throws(SystemError) {
            // What every container has; anything else is found by looking.
            for name in [Record.fileName, Record.configName, StartNote.fileName] {
                do throws(SystemError) {
                    try Files.remove("\(folder)/\(name)")
                } catch  where error.code == .noEntry {
                    continue
                }
            }
            try EndPin.remove(from: folder)
            try Files.removeDirectory(folder)
        } catch {
            if error.code == .noEntry { return }
            guard error.code == .notEmpty || error.code == .exists else { throw error }
            try Files.removeTree(folder)
        }
    }

    /// How long another call of the runtime may hold a container before this one gives up, in milliseconds.
    private static let patience: Int64 = 10_000

    /// Keeps other calls of the runtime from changing the container at the same time. The lock ends with the descriptor.
    /// - Parameter whenBusy: is called again and again while another call holds the lock.
    func lock(_ id: String, whenBusy: () -> Void = {}) throws(RuntimeError) -> Descriptor {
        do throws(SystemError) {
            let folder = try Files.open(folder(id), [.readOnly, .directory])
            let end = MonotonicClock.milliseconds + Self.patience
            while try !Files.tryLock(folder) {
                if MonotonicClock.milliseconds >= end {
                    throw .refused(
                        "another runbox (create, start or delete, perhaps waiting for a hook) does not let go of it")
                }
                whenBusy()
                MonotonicClock.sleep(milliseconds: 10)
            }
            return folder
        } catch {
            if error.code == .noEntry || error.code == .notDirectory { throw .missing(id) }
            throw RuntimeError(error, doing: "lock container \(id)")
        }
    }

    func whileLocked<Result: ~Copyable>(
        _ id: String, whenBusy: () -> Void = {}, _ body: () throws(RuntimeError) -> Result
    ) throws(RuntimeError) -> Result {
        let lock = try lock(id, whenBusy: whenBusy)
        let result = try body()
        extendLifetime(lock)
        return result
    }
}
