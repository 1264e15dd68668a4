internal import Kernel
internal import KernelTypes
internal import Planning

/// The container that a process of `exec` goes into, held by descriptors: nothing of it is found by a number or a path
/// twice.
struct ExecTarget: ~Copyable {
    /// The init.
    private let pidfd: Descriptor
    /// Its folder in procfs. Once the process is gone, nothing is found below it any more, whichever process gets the
    /// number then (proc(5)).
    private let folder: Descriptor
    private let startTime: UInt64
    /// Which of its namespaces are to be entered.
    private let entered: NamespaceFlags
    /// The container's root, where it is no mount namespace's.
    private let root: Descriptor?
    /// Whether the init could not be looked at.
    private let isHidden: Bool

    private init(
        pidfd: consuming Descriptor, folder: consuming Descriptor, startTime: UInt64, entered: NamespaceFlags,
        root: consuming Descriptor?, isHidden: Bool
    ) {
        self.pidfd = pidfd
        self.folder = folder
        self.startTime = startTime
        self.entered = entered
        self.root = root
        self.isHidden = isHidden
    }

    /// - Parameter planned: what the container was to have. What it made for itself is entered whatever it looks like
    ///   from here, and counts where an ordinary user may not look: at an init that waits for its start.
    static func open(_ record: Record, _ planned: NamespacePlan) throws(SystemError) -> ExecTarget {
        let folder = try unlessEnding { () throws(SystemError) in
            try Files.open("/proc/\(record.pid)", [.path, .directory])
        }
        let pidfd = try unlessEnding { () throws(SystemError) in try Processes.open(record.pid) }
        // Asked below the folder and after both are open: both are of the process that the record means.
        guard try Processes.startTime(at: folder) == record.startTime else { throw isEnding }
        var entered: NamespaceFlags = []
        var isHidden = false
        for (name, flag) in files {
            do throws(SystemError) {
                let isOwn = try isOwn(name, folder)
                if isOwn, planned.new.contains(flag), inseparable.contains(flag) { throw strayed(name) }
                // A process cannot enter its own user namespace again (setns(2)).
                if !isOwn || (flag != .user && planned.new.contains(flag)) { entered.insert(flag) }
            } catch {
                guard error.code == .accessDenied else { throw error }
                entered.formUnion(flag.intersection(planned.all))
                isHidden = true
            }
        }
        let root: Descriptor? =
            entered.contains(.mount) ? nil : try Files.open("root", at: folder, [.path, .directory])
        return ExecTarget(
            pidfd: pidfd, folder: folder, startTime: record.startTime, entered: entered, root: root,
            isHidden: isHidden)
    }

    private static let files: [(String, NamespaceFlags)] = [
        ("user", .user), ("pid", .pid), ("mnt", .mount), ("net", .network), ("ipc", .ipc), ("uts", .uts),
        ("cgroup", .cgroup), ("time", .time),
    ]

    /// Namespaces that a caller cannot share with a container that has its own: sharing one of them would mean
    /// that the process is another's.
    private static let inseparable: NamespaceFlags = [.user, .pid, .mount]

    private static func isOwn(_ name: String, _ folder: borrowing Descriptor) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try Namespaces.isOwn(name, Files.status("ns/\(name)", at: folder, follow: true))
        } catch  where error.code == .noEntry || error.code == .noProcess {
            // A kernel without time namespaces; a process without any other is on its way out.
            guard name == "time" else { throw isEnding }
            return true
        }
    }

    private static func unlessEnding(
        _ open: () throws(SystemError) -> Descriptor
    ) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try open()
        } catch {
            throw error.code == .noEntry || error.code == .noProcess ? isEnding : error
        }
    }

    private static var isEnding: SystemError { .refused("cannot exec in a stopped container: its process is ending") }

    private static func strayed(_ name: String) -> SystemError {
        .refused(
            "the container was made with a \(name) namespace of its own, but its process is in that of this runbox; nothing is run there"
        )
    }

    /// Makes sure, when everything that belongs to the container is open, that its init still lived while it was
    /// opened: only then its number was its own all the time.
    func check() throws(SystemError) {
        guard try Processes.startTime(at: folder) == startTime else { throw Self.isEnding }
    }

    /// Enters all of the container, but for its pid namespace, which only children start in: setns(2), "PID file
    /// descriptor".
    func enter() throws(SystemError) {
        do throws(SystemError) {
            if !entered.isEmpty { try Namespaces.join(pidfd, entered, subject: "the container's namespaces") }
        } catch {
            if error.code == .noProcess { throw Self.isEnding }
            guard isHidden, error.code == .notPermitted else { throw error }
            throw .refused(
                "the container waits for its start, and until then the kernel lets only the host's root enter it; run runbox start first"
            )
        }
        switch root {
        case .some(let root):
            try Files.changeDirectory(to: root)
            try Mounting.changeRootHere()
        case .none: break
        }
    }
}
