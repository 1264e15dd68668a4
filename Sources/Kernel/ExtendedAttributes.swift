internal import CLinux
package import KernelTypes

/// Values that a file system keeps beside a file; xattr(7).
package enum ExtendedAttributes {
    package static func set(
        _ name: String, _ value: [UInt8], of descriptor: borrowing Descriptor
    ) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("setxattr", name) { fsetxattr(raw, name, value, value.count, 0) }
    }

    /// Copies all that the target takes. What it does not, such as names of a module that is off or owners that are not
    /// mapped, stays behind.
    package static func copy(from source: borrowing Descriptor, to target: borrowing Descriptor) {
        let (from, to) = (source.raw, target.raw)
        var names = [CChar](repeating: 0, count: 64 << 10)
        let length = names.withUnsafeMutableBufferPointer { flistxattr(from, $0.baseAddress, $0.count) }
        guard length > 0 else { return }
        var value = [UInt8](repeating: 0, count: 64 << 10)
        for name in names[..<length].split(separator: 0) {
            let name = Array(name) + [0]
            let count = value.withUnsafeMutableBytes { fgetxattr(from, name, $0.baseAddress, $0.count) }
            guard count >= 0 else { continue }
            _ = value.withUnsafeBytes { fsetxattr(to, name, $0.baseAddress, count, 0) }
        }
    }

    /// A short value.
    package static func get(_ name: String, of path: String) throws(SystemError) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: 256)
        let count = try check("getxattr", name) {
            value.withUnsafeMutableBytes { getxattr(path, name, $0.baseAddress, $0.count) }
        }
        return Array(value[..<count])
    }
}
