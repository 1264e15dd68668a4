internal import Errors
internal import Kernel
internal import KernelTypes

/// The state root: one folder for each container.
///
/// A process that changes a container holds the lock of its folder (flock(2)). A folder appears under the container's
/// name locked and with its record in it, and goes while it is locked, so that the lock of a folder that does not have
/// the name any more means nothing: a process that has waited for it finds that the container is gone.
public struct Store: Sendable {
    /// The folder of all containers' folders.
    public let root: String

    /// A store at a folder, which is made when the first container is.
    public init(root: String) { self.root = root }

    /// Where state is kept by default: `/run/runbox`, or `$XDG_RUNTIME_DIR/runbox` for an ordinary user, also where it
    /// is the root of a user namespace that an engine has made for it.
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

    /// Makes the root where it is not there, for what is kept beside the containers.
    /// - Throws: where another user could have put it there.
    package func prepare() throws(RuntimeError) {
        do throws(SystemError) {
            _ = try StateRoot.open(root, make: true)
        } catch {
            throw RuntimeError(error, doing: "make the state folder")
        }
    }

    // MARK: Folders

    /// Opens the folder of a container that is there.
    func open(_ id: String, _ flags: OpenFlags) throws(RuntimeError) -> Descriptor {
        do throws(SystemError) {
            if let folder = try find(id, flags) { return folder }
        } catch {
            throw RuntimeError(error, doing: "use the state in \(root)")
        }
        throw .missing(id)
    }

    private func find(_ id: String, _ flags: OpenFlags) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            switch try StateRoot.open(root) {
            case .some(let root):
                let folder = try Files.open(id, at: root, flags.union([.directory, .noFollow]))
                try StateRoot.check(folder, path: self.folder(id))
                return folder
            case .none: return nil
            }
        } catch {
            if error.code == .noEntry || error.code == .notDirectory { return nil }
            throw error
        }
    }

    /// Whether a folder still has the container's name.
    func isCurrent(_ id: String, _ folder: borrowing Descriptor) throws(SystemError) -> Bool {
        let own = try Files.status(of: folder)
        do throws(SystemError) {
            return try Files.status(self.folder(id), follow: false).isSameFile(as: own)
        } catch {
            if error.code == .noEntry || error.code == .notDirectory { return false }
            throw error
        }
    }

    // MARK: Records

    func write(_ record: Record) throws(SystemError) {
        try Files.replace("\(folder(record.id))/\(Record.fileName)", with: record.json(), mode: 0o600)
    }

    /// Writes the first record into a folder that nobody sees before it is whole.
    func writeFirst(_ record: Record, in folder: String) throws(SystemError) {
        try Files.write(Array(record.json().utf8), toNew: "\(folder)/\(Record.fileName)", mode: 0o600)
    }

    /// Whether what lies in a container's folder can be read and is no record.
    func isDamaged(_ folder: borrowing Descriptor) -> Bool {
        guard let bytes = try? Files.read(Record.fileName, at: folder) else { return false }  // that may be better soon
        return Record(bytes) == nil
    }

    /// What is kept of a container.
    /// - Returns: nil when its folder is there but was never finished.
    func load(_ id: String) throws(RuntimeError) -> Record? { try load(id, at: try open(id, .path)) }

    /// What a container's folder holds, whatever has its name by now.
    func load(_ id: String, at folder: borrowing Descriptor) throws(RuntimeError) -> Record? {
        do throws(SystemError) {
            do throws(SystemError) {
                let bytes = try Files.read(Record.fileName, at: folder)
                if let record = Record(bytes) { return record }
            } catch {
                guard error.code == .noEntry else { throw error }
                if try isCurrent(id, folder) { return nil }
                throw error
            }
            throw .refused("the state of container \(id) in \(root) is damaged; runbox delete --force \(id) removes it")
        } catch {
            if error.code == .noEntry { throw .missing(id) }
            throw RuntimeError(error, doing: "read the state")
        }
    }

    /// The names of all containers, sorted, whatever is the matter with them.
    package func all() throws(RuntimeError) -> [String] {
        do throws(SystemError) {
            return try names { !$0.begins(with: ".") }.sorted()
        } catch {
            throw RuntimeError(error, doing: "list \(root)")
        }
    }

    private func names(_ isMeant: (String) -> Bool) throws(SystemError) -> [String] {
        switch try StateRoot.open(root) {
        case .some(let root): try Files.entries(of: root, subject: self.root).map { $0.name.text }.filter(isMeant)
        case .none: []
        }
    }

    // MARK: The end

    /// Forgets a container.
    /// - Parameter folder: its folder, locked. Where another has the name by now, that is left alone.
    func remove(_ id: String, _ folder: borrowing Descriptor) throws(SystemError) {
        guard try isCurrent(id, folder) else { return }
        do throws(SystemError) {
            // What every container has; anything else is found by looking.
            for name in [Record.fileName, Record.configName, StartTime.fileName] {
                do throws(SystemError) {
                    try Files.remove(name, at: folder)
                } catch  where error.code == .noEntry {
                    continue
                }
            }
            try PidfdPin.remove(from: self.folder(id))
            try Files.removeDirectory(self.folder(id))
        } catch {
            if error.code == .noEntry { return }
            guard error.code == .notEmpty || error.code == .exists else { throw error }
            try Files.removeContents(of: folder)
            try Files.removeDirectory(self.folder(id))
        }
    }

    /// Removes what a runtime that was killed while it took a name has left behind.
    func sweep() throws(SystemError) {
        for name in try names({ $0.begins(with: Self.unnamed) }) {
            // Another sweep may be faster.
            guard let folder = try find(name, .readOnly), try Files.tryLock(folder), try isCurrent(name, folder) else {
                continue
            }
            try Files.removeContents(of: folder)
            try Files.removeDirectory(self.folder(name))
        }
    }

    // MARK: The beginning

    /// What the names of folders begin with that have no container's name yet.
    private static let unnamed = ".new-"

    /// Takes a name for a new container. Its folder gets the name when it is locked and filled: it is not visible
    /// before.
    /// - Parameter fill: writes what the folder must have, whose path it is given.
    /// - Returns: the folder, locked.
    func reserve(_ id: String, fill: (String) throws(SystemError) -> Void = { _ in }) throws(RuntimeError) -> Descriptor
    {
        do throws(SystemError) {
            return try makeFolder(id, fill)
        } catch let failure {
            // The folder's first name is nobody's business.
            let isUnnamed = failure.subject.parts(by: "/").contains { $0.begins(with: Self.unnamed) }
            let error = isUnnamed ? failure.about(folder(id)) : failure
            if error.code == .exists { throw .exists(id) }
            if error.code == .accessDenied, Credentials.isOrdinary {
                throw .failed(
                    reason:
                        "make the state folder: \(error); set XDG_RUNTIME_DIR to this user's own folder, which is usually "
                        + "/run/user/\(Credentials.effectiveUser), or name another place with --root")
            }
            throw RuntimeError(error, doing: "make the state folder")
        }
    }

    private func makeFolder(
        _ id: String, _ fill: (String) throws(SystemError) -> Void
    ) throws(SystemError) -> Descriptor {
        switch try StateRoot.open(root, make: true) {
        case .some(let root):
            var number = Processes.currentID
            while true {
                let name = "\(Self.unnamed)\(number)"
                // One that is there is of a process that was killed, or has the same number in another pid namespace.
                number &+= 1
                guard try makeUnnamed(name, at: root) else { continue }
                do throws(SystemError) {
                    // A sweep may have found it before the lock.
                    guard let folder = try lockUnnamed(name, at: root) else { continue }
                    try fill(self.folder(name))
                    try Files.rename(name, to: id, at: root)
                    return folder
                } catch {
                    // What failed is the error to report, and a sweep finds the rest.
                    try? Files.removeTree(self.folder(name))
                    throw error
                }
            }
        case .none: throw SystemError("open", root, .noEntry)
        }
    }

    private func lockUnnamed(_ name: String, at root: borrowing Descriptor) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            let folder = try Files.open(name, at: root, [.readOnly, .directory, .noFollow])
            guard try Files.tryLock(folder), try isCurrent(name, folder) else { return nil }
            return folder
        } catch {
            guard error.code == .noEntry else { throw error }
            return nil
        }
    }

    private func makeUnnamed(_ name: String, at root: borrowing Descriptor) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try Files.makeDirectory(name, at: root, mode: 0o711)
            return true
        } catch {
            guard error.code == .exists else { throw error }
            return false
        }
    }
}
