internal import Cgroups
internal import Kernel

/// The container that a process of `exec` goes into, held by descriptors: nothing of it is found by a number or a path twice.
struct ExecTarget: ~Copyable {
    /// The init.
    private let pidfd: Descriptor
    /// Which of its namespaces are not the runtime's own. One that is need not be entered, and the user namespace could not be again (setns(2)).
    private let others: NamespaceFlags
    /// The container's root, where it is no mount namespace's.
    private let root: Descriptor?
    /// Whether the init could not be looked at.
    private let isHidden: Bool

    private init(pidfd: consuming Descriptor, others: NamespaceFlags, root: consuming Descriptor?, isHidden: Bool) {
        self.pidfd = pidfd
        self.others = others
        self.root = root
        self.isHidden = isHidden
    }

    /// - Parameter planned: what the container was to have. It counts where an ordinary user may not look: at an init that waits for its start.
    static func open(_ record: Record, _ planned: NamespacePlan) throws(SystemError) -> ExecTarget {
        let pidfd = try Processes.open(record.pid)
        // Whoever the number belonged to when the descriptor was made is who it stands for.
        guard Processes.startTime(record.pid) == record.startTime else { throw isEnding }
        var others: NamespaceFlags = []
        var isHidden = false
        for (name, flag) in files {
            do throws(SystemError) {
                if try !isOwn(name, record.pid) { others.insert(flag) }
            } catch {
                guard error.code == .accessDenied else { throw error }
                others.formUnion(flag.intersection(planned.all))
                isHidden = true
            }
        }
        let root: Descriptor? =
            others.contains(.mount) ? nil : try Files.open("/proc/\(record.pid)/root", [.path, .directory])
        return ExecTarget(pidfd: pidfd, others: others, root: root, isHidden: isHidden)
    }

    private static let files: [(String, NamespaceFlags)] = [
        ("user", .user), ("pid", .pid), ("mnt", .mount), ("net", .network), ("ipc", .ipc), ("uts", .uts),
        ("cgroup", .cgroup), ("time", .time),
    ]

    private static func isOwn(_ name: String, _ pid: Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let own = try Files.status("/proc/self/ns/\(name)")
            let other = try Files.status("/proc/\(pid)/ns/\(name)")
            return own.inode == other.inode && own.device == other.device
        } catch  where error.code == .noEntry {
            // A kernel without time namespaces; a process without any other is on its way out.
            guard name == "time" else { throw isEnding }
            return true
        }
    }

    private static var isEnding: SystemError { .refused("cannot exec in a stopped container: its process is ending") }

    /// Whether a process must enter before another can be born in there. Without a user namespace the runtime itself can
    /// say where its child is to be born, which saves a process.
    var needsBridge: Bool { others.contains(.user) }

    /// Lets this process's children be born in the container's pid namespace.
    func adoptProcessNamespace() throws(SystemError) {
        if others.contains(.pid) { try Namespaces.join(pidfd, .pid, subject: "the container's pid namespace") }
    }

    /// What a bridge enters. Not the cgroup namespace: from inside, a delegated tree lets nobody be born in it who comes from outside (cgroup-v2.rst, "nsdelegate").
    func enterAsBridge() throws(SystemError) { try enter(others.subtracting(.cgroup)) }

    /// What is left for the process itself: all at once. setns(2), "PID file descriptor".
    func enterAsPayload() throws(SystemError) {
        try enter(needsBridge ? others.intersection(.cgroup) : others.subtracting(.pid))
        switch root {
        case .some(let root):
            try Files.changeDirectory(to: root)
            try Mounting.changeRootHere()
        case .none: break
        }
    }

    private func enter(_ kinds: NamespaceFlags) throws(SystemError) {
        if kinds.isEmpty { return }
        do throws(SystemError) {
            try Namespaces.join(pidfd, kinds, subject: "the container's namespaces")
        } catch {
            guard isHidden, error.code == .notPermitted else { throw error }
            throw .refused(
                "the container waits for its start, and until then the kernel lets only the host's root enter it; run runbox start first"
            )
        }
    }
}
