internal import CLinux
package import KernelTypes

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
    /// Duplicates this process into new namespaces and, where given, straight into a cgroup. clone3(2), CLONE_PIDFD,
    /// CLONE_INTO_CGROUP (Linux 5.7).
    ///
    /// The call does not go through the C library's fork, so it is for single-threaded programs only; the child must
    /// not touch stdio.
    /// - Parameter sibling: the child becomes the caller's parent's child (CLONE_PARENT).
    /// - Parameter body: what the new process does. It has a copy of all memory and descriptors and never comes back.
    package static func clone(
        _ namespaces: NamespaceFlags = [], cgroup: borrowing Descriptor?, sibling: Bool = false, body: () -> Never
    ) throws(SystemError) -> ChildProcess {
        var flags = namespaces.rawValue | UInt64(CLONE_PIDFD)
        if sibling { flags |= UInt64(CLONE_PARENT) }
        let cgroupNumber = rawNumber(of: cgroup)
        if cgroupNumber != nil { flags |= 0x2_0000_0000 }  // CLONE_INTO_CGROUP
        var pidfd: Int32 = -1
        let result = try check("clone3") { clinux_clone3(flags, &pidfd, sibling ? 0 : SIGCHLD, cgroupNumber ?? -1) }
        if result == 0 { body() }
        return ChildProcess(pid: Int32(result), pidfd: Descriptor(raw: pidfd))
    }
}
