internal import Kernel

/// Makes something inside a pid namespace that others live in. A procfs shows the processes of the namespace that whoever opened it lived in (proc(5)), and a
/// namespace is lived in by those who are born there only.
///
/// Two processes: the first stays out of it, drops what is the host's, has an empty directory for its root, and gives birth to the second, which makes the thing.
/// So nobody in the namespace, whatever they may trace, finds anything of the host's in it.
enum PIDNamespaceVisit {
    /// - Parameters:
    ///   - namespace: the handle of the pid namespace.
    ///   - make: what is done in it. Nothing is there but the kernel.
    /// - Returns: the descriptor that was made.
    static func make(
        in namespace: borrowing Descriptor, _ make: () throws(SystemError) -> Descriptor
    ) throws(SystemError) -> Descriptor {
        let pair = try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
        let runtimeEnd = pair.runtime
        let containerEnd = pair.container
        let outside = try Cloning.clone(cgroup: nil) {
            runtimeEnd.closeInChild()
            send(namespace, over: containerEnd, make)
        }
        // Closed here, so that the link ends when both of them have.
        try containerEnd.close()
        defer { _ = try? Processes.wait(outside) }  // it may only have ended by itself
        guard var received = try runtimeEnd.receive() else {
            throw .refused("the process in the pid namespace was killed")
        }
        if case .failed(let failure) = received.message { throw failure.cause }
        guard let made = received.descriptor.take() else {
            throw .refused("the process in the pid namespace sent nothing")
        }
        return made
    }

    /// The process outside.
    private static func send(
        _ namespace: borrowing Descriptor, over link: borrowing Link, _ make: () throws(SystemError) -> Descriptor
    ) -> Never {
        do throws(SystemError) {
            try Processes.setDumpable(false)
            try Processes.setNoNewPrivileges()
            try Namespaces.join(namespace, .pid, subject: "the pid namespace")
            try enterNothing()
            try Payload.closeHostDescriptors(from: 0, keeping: [link.number])
            Processes.forgetEnvironment()
            let inside = try Cloning.clone(cgroup: nil) {
                do throws(SystemError) {
                    try link.send(.bridged, descriptor: make())
                } catch {
                    try? link.send(.failed(StageFailure(.mounts, error)))  // a runtime that is gone needs no answer
                }
                Processes.exit(0)
            }
            _ = try Processes.wait(inside)
        } catch {
            try? link.send(.failed(StageFailure(.mounts, error)))  // a runtime that is gone needs no answer
        }
        Processes.exit(0)
    }

    /// Makes an empty file system, which is mounted nowhere, this process's root.
    private static func enterNothing() throws(SystemError) {
        let nothing = try Mounting.detachedFileSystem("tmpfs", options: [("nr_inodes", "1")], attributes: .readOnly)
        try Files.changeDirectory(to: nothing)
        try Mounting.changeRootHere()
    }
}
