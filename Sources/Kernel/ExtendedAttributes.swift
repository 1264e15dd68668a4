internal import CLinux

/// Values that a file system keeps beside a file; xattr(7).
package enum ExtendedAttributes {
    package static func set(
        _ name: String, _ value: [UInt8], of descriptor: borrowing Descriptor
    ) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("setxattr", name) { fsetxattr(raw, name, value, value.count, 0) }
    }
}
