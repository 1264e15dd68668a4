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

    /// What kind of namespace a descriptor is; nil when it is none. ioctl_ns(2), NS_GET_NSTYPE.
    package static func kind(of descriptor: borrowing Descriptor) -> NamespaceFlags? {
        let request = UInt(0xB703)  // _IO(0xb7, 0x3), which Swift does not import
        let result = clinux_ioctl_value(descriptor.raw, request, 0)
        return result == -1 ? nil : NamespaceFlags(rawValue: UInt64(UInt32(bitPattern: result)))
    }
}
