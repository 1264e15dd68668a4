internal import CLinux
package import KernelTypes

package enum Namespaces {
    /// Moves this process into the namespace that `descriptor` (of /proc/PID/ns/NAME, or a pidfd) stands for. setns(2).
    package static func join(
        _ descriptor: borrowing Descriptor, _ kinds: NamespaceFlags, subject: String
    ) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("setns", subject) { setns(raw, Int32(kinds.rawValue)) }
    }

    /// Leaves the given namespaces for new ones. unshare(2).
    package static func unshare(_ kinds: NamespaceFlags) throws(SystemError) {
        _ = try check("unshare") { CLinux.unshare(Int32(kinds.rawValue)) }
    }

    /// Whether a file stands for the namespace that this process is in: the links in /proc/PID/ns lead to one file for
    /// all that share one. namespaces(7).
    /// - Parameter name: the kind's, as in /proc/PID/ns.
    package static func isOwn(_ name: String, _ other: FileStatus) throws(SystemError) -> Bool {
        try Files.status("/proc/self/ns/\(name)").isSameFile(as: other)
    }

    /// What kind of namespace a descriptor is; nil when it is none. ioctl_ns(2), NS_GET_NSTYPE.
    package static func kind(of descriptor: borrowing Descriptor) -> NamespaceFlags? {
        let request = UInt(0xB703)  // _IO(0xb7, 0x3), which Swift does not import
        let result = clinux_ioctl_value(descriptor.raw, request, 0)
        return result == -1 ? nil : NamespaceFlags(rawValue: UInt64(UInt32(bitPattern: result)))
    }
}
