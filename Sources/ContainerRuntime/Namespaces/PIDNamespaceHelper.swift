internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// Opens a procfs in a pid namespace that has processes already. A procfs shows the namespace of the process that
/// called fsopen(2), and a process is in a pid namespace only by being cloned into it.
///
/// Every process in it that may trace others could take over the new one. So a process that stays outside gives up
/// all that is the host's first, and the one that it spawns has nothing but one end of a link: its root and its
/// mount namespace are empty, its user namespace is its own. The runtime does the rest.
enum PIDNamespaceHelper {
    /// - Parameter namespace: the handle of the pid namespace.
    /// - Returns: the context of a new procfs; ``Mounting/detachedFileSystem(_:from:options:attributes:)`` makes a
    ///   mount of it.
    static func openProcfs(in namespace: borrowing Descriptor) throws(SystemError) -> Descriptor {
        let pair = try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
        let runtimeEnd = pair.runtime
        let otherEnd = pair.container
        let outside = try Cloning.clone(cgroup: nil) {
            runtimeEnd.closeInChild()
            spawnInner(to: namespace, with: otherEnd)
        }
        // So that the link ends when both of them have.
        try otherEnd.close()
        defer { _ = try? Processes.wait(outside) }  // it does no more than it has done by now
        let inner = try next(on: runtimeEnd, of: outside.pid)
        defer { end(inner) }
        let pid = try Processes.pid(of: inner)
        try runtimeEnd.send(.acknowledged)
        return try next(on: runtimeEnd, of: pid)
    }

    private static func next(on link: borrowing Link, of process: Int32) throws(SystemError) -> Descriptor {
        do throws(StepFailure) {
            try Interruption(halt: .process(process)).waitOrFail(for: link.number)
        } catch {
            throw error.cause
        }
        guard var received = try link.receive() else {
            throw .refused("the process in the pid namespace was killed")
        }
        if case .failed(let failure) = received.message { throw failure.cause }
        guard let descriptor = received.descriptor.take() else {
            throw .refused("the process in the pid namespace sent nothing")
        }
        return descriptor
    }

    private static func end(_ inner: borrowing Descriptor) {
        // It may have ended by itself.
        try? Processes.send(.kill, to: inner)
        try? Processes.reap(inner)
    }

    /// The process outside.
    private static func spawnInner(to namespace: borrowing Descriptor, with link: borrowing Link) -> Never {
        do throws(SystemError) {
            try Processes.setDumpable(false)
            try Processes.setNoNewPrivileges()
            try Namespaces.join(namespace, .pid, subject: "the pid namespace")
            try leaveHost()
            try InheritedDescriptors.close(from: 0, keeping: [link.number])
            Processes.forgetEnvironment()
            let inner = try Cloning.clone([.user, .mount], cgroup: nil, sibling: true) { runInner(link) }
            try link.send(.spawned, descriptor: inner.pidfd)
        } catch {
            try? link.send(.failed(StepFailure(.sources, error)))  // a runtime that is gone needs no answer
        }
        Processes.exit(0)
    }

    /// Makes an empty file system the root of a mount namespace without any other.
    private static func leaveHost() throws(SystemError) {
        try Namespaces.unshare(.mount)
        try Mounting.setPropagation("/", .private, recursive: true)
        let nothing = try Mounting.detachedFileSystem("tmpfs", options: [("nr_inodes", "1")], attributes: .readOnly)
        try Mounting.attach(nothing, on: Files.open("/proc", [.path, .directory]), subject: "/proc")
        try Files.changeDirectory(to: nothing)
        try Mounting.pivotRootHere()
        try Mounting.detach(".")
        try Files.changeDirectory("/")
    }

    /// The process inside. It speaks only when the runtime knows it, which must be able to end it.
    private static func runInner(_ link: borrowing Link) -> Never {
        do throws(SystemError) {
            try link.expect(.acknowledged)
            try link.send(.prepared, descriptor: Mounting.openFileSystem("proc"))
        } catch {
            try? link.send(.failed(StepFailure(.sources, error)))  // a runtime that is gone needs no answer
        }
        Processes.exit(0)
    }
}
