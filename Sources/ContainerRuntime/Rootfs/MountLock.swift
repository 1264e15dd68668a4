internal import Kernel
internal import KernelTypes
internal import Planning

/// Locks the container's mounts as the kernel locks those that come from a more privileged namespace: then not even
/// root of the container's user namespace can unmount them, or write where they are read-only. mount_namespaces(7),
/// "Restrictions on mount namespaces".
///
/// The kernel does that to every mount of a namespace that is copied for another user namespace than its owner's, in
/// either direction. So a helper takes a copy into a user namespace of its own; the init follows it there and comes
/// back, with a copy of the copy that belongs to the container again. Shared mounts become slaves on the way.
enum MountLock {
    private struct Ends: ~Copyable {
        let own: Descriptor
        let helpers: Descriptor
    }

    private struct Helper: ~Copyable {
        let socket: Descriptor
        let process: ChildProcess
    }

    /// Of clone3(2): the limits of user namespaces, of processes, or a security module.
    private static let limits: [Errno] = [.notPermitted, .tryAgain, .accessDenied, .noSpace, .tooManyUsers]

    /// Afterwards root and working directory are those of the new namespace.
    /// - Parameter proc: ``HostProcfs``, by which the helper shows its namespace: no other process may look at it.
    /// - Returns: what stood against it, with nothing changed, where no further user namespace or process is allowed
    ///   here.
    static func apply(proc: borrowing Descriptor) throws(SystemError) -> SystemError? {
        let helper: Helper
        do throws(SystemError) {
            helper = try makeHelper(proc)
        } catch  where error.call == "clone3" && limits.contains(error.code) {
            return error
        }
        do throws(SystemError) {
            try enter(helper)
            try end(helper)
            return nil
        } catch {
            try? end(helper)  // the first failure is the one to report
            throw error
        }
    }

    static func warning(_ obstacle: SystemError) -> String {
        "the mounts are not locked against the container's root, who may unmount masked paths and write to read-only mounts: no user namespace for a moment (\(obstacle))"
    }

    private static func makeHelper(_ proc: borrowing Descriptor) throws(SystemError) -> Helper {
        let ends = try Sockets.packetPair { Ends(own: $0, helpers: $1) }
        let process = try Cloning.clone([.user, .mount], cgroup: nil) { help(ends.helpers, proc) }
        return Helper(socket: ends.own, process: process)
    }

    private static func enter(_ helper: borrowing Helper) throws(SystemError) {
        var packet = try Sockets.receive(on: helper.socket, limit: 8)
        switch packet.descriptor.take() {
        case .some(let handle):
            guard Namespaces.kind(of: handle) == .mount else { throw .refused("the helper sent no mount namespace") }
            try Namespaces.join(handle, .mount, subject: "the helper's mount namespace")
            try Namespaces.unshare(.mount)
        case .none: throw .failed("lock the mounts", "", Errno(rawValue: Int32(packet.bytes.first ?? 0)))
        }
    }

    private static func end(_ helper: borrowing Helper) throws(SystemError) {
        // It ends by itself, unless a process that shares its pid namespace has halted it.
        try? Processes.kill(helper.process)
        _ = try Processes.wait(helper.process)
    }

    /// The helper's whole life. The handle that it sends keeps its namespace, so it need not.
    private static func help(_ socket: borrowing Descriptor, _ proc: borrowing Descriptor) -> Never {
        do throws(SystemError) {
            try Processes.setNoNewPrivileges()
            try InheritedDescriptors.close(from: 0, keeping: [socket.number, proc.number])
            try send(to: socket, by: proc)
        } catch {
            // The end of the socket says the same.
            try? withUnsafeBytes(of: UInt8(truncatingIfNeeded: error.code.rawValue)) { bytes throws(SystemError) in
                try Sockets.send(bytes, on: socket)
            }
        }
        Processes.exit(0)
    }

    private static func send(to socket: borrowing Descriptor, by proc: borrowing Descriptor) throws(SystemError) {
        let folder = try Files.openBeneath("\(Files.readLink("self", at: proc))/ns", at: proc, [.path, .directory])
        let handle = try Files.open("mnt", at: folder, .readOnly)
        try withUnsafeBytes(of: UInt8(0)) { bytes throws(SystemError) in
            try Sockets.send(bytes, descriptor: handle, on: socket)
        }
    }
}

/// What the copies have lost, and what still lies in the namespace that was left.
extension MountLock {
    /// Mounts whose options say so are shared again, with what is copied of them inside: their link to the host's peers
    /// leads inwards only from now on.
    static func shareAgain(_ plan: RootfsPlan) throws(SystemError) {
        let root = RootDirectory(try Files.open("/", [.path, .directory]))
        for (index, mount) in plan.mounts.enumerated() {
            let isCovered = plan.mounts[(index + 1)...].contains { $0.destination == mount.destination }
            guard !isCovered, mount.propagation.contains(where: { $0.kind == .shared }) else { continue }
            do throws(SystemError) {
                let place = try root.open(mount.destination, mount.followDestination ? .path : [.path, .noFollow])
                for entry in mount.propagation {
                    try Mounting.setAttributes(of: place, propagation: entry.kind, recursive: entry.recursive)
                }
            } catch  where [.invalidArgument, .noEntry, .notDirectory, .accessDenied].contains(error.code) {
                // Another mount lies above it.
            }
        }
    }

    /// Opens the terminal of the standard streams anew: the paths of the old descriptors lead nowhere, and programs ask
    /// for the name of their terminal.
    static func reopenTerminal() throws(SystemError) {
        let old = try Files.status(ofNumber: 0)
        let root = RootDirectory(try Files.open("/", [.path, .directory]))
        // A devpts that is covered, or elsewhere: the terminal works without its name.
        guard
            let terminal = try? root.open("/dev/pts/\(old.deviceMinor)", [.readWrite, .noControllingTerminal])
        else { return }
        let new = try Files.status(of: terminal)
        guard new.isSameFile(as: old) else { return }
        for number in 0...2 as ClosedRange<Int32> { try terminal.copy(to: number) }
    }
}
