internal import CLinux

/// Which side of a clone a process finds itself on.
package enum CloneSide: ~Copyable {
    /// The new process. It has a copy of all memory and descriptors, and must end in `exec` or ``Processes/exit(_:)``.
    case child
    /// The old one, with the new one's number in its own pid name space and a descriptor for it.
    case parent(ChildProcess)
}

/// A child, held by a pidfd: its number cannot come to mean another process.
package struct ChildProcess: ~Copyable, Sendable {
    package let pid: Int32
    package let pidfd: Descriptor

    package init(pid: Int32, pidfd: consuming Descriptor) {
        self.pid = pid
        self.pidfd = pidfd
    }
}

package enum Cloning {
    /// Duplicates this process into new name spaces and, where given, straight into a cgroup. clone3(2), CLONE_PIDFD, CLONE_INTO_CGROUP (Linux 5.7).
    ///
    /// The call does not go through the C library's fork, so it is for single-threaded programs only; the child must not touch stdio.
    /// - Parameter sibling: the child becomes the caller's parent's child (CLONE_PARENT).
    package static func clone(
        _ namespaces: NamespaceFlags = [], cgroup: borrowing Descriptor?, sibling: Bool = false
    ) throws(SystemError) -> CloneSide {
        var flags = namespaces.rawValue | UInt64(CLONE_PIDFD)
        if sibling { flags |= UInt64(CLONE_PARENT) }
        let cgroupNumber = rawNumber(of: cgroup)
        if cgroupNumber != nil { flags |= 0x2_0000_0000 }  // CLONE_INTO_CGROUP
        var pidfd: Int32 = -1
        let result = try check("clone3") { clinux_clone3(flags, &pidfd, sibling ? 0 : SIGCHLD, cgroupNumber ?? -1) }
        if result == 0 { return .child }
        return .parent(ChildProcess(pid: Int32(result), pidfd: Descriptor(raw: pidfd)))
    }
}
