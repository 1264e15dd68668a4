internal import CLinux
package import KernelTypes

/// Calls on files that grow at their end, as logs do.
extension Files {
    /// Writes what the file takes in one call.
    /// - Returns: how many bytes that was; fewer than there are where a disk is nearly full.
    package static func writeSome(
        _ bytes: ArraySlice<UInt8>, to descriptor: borrowing Descriptor
    ) throws(SystemError) -> Int {
        let raw = descriptor.raw
        return try check("write") { bytes.withUnsafeBytes { CLinux.write(raw, $0.baseAddress, $0.count) } }
    }

    /// Writes all bytes to a standard stream.
    package static func write(_ bytes: ArraySlice<UInt8>, toNumber number: Int32) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try check("write") { rest.withUnsafeBytes { CLinux.write(number, $0.baseAddress, $0.count) } }
            rest = rest.dropFirst(count)
        }
    }

    /// Cuts a file off.
    package static func setSize(_ size: Int64, of descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("ftruncate") { ftruncate(raw, off_t(size)) }
    }

    /// Gives a name in a directory another one there, in place of what may have that.
    package static func rename(
        _ old: String, replacing new: String, at directory: borrowing Descriptor
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try check("rename", new) { renameat(raw, old, raw, new) }
    }

    /// Sets when the content last changed, in nanoseconds since 1970.
    package static func setChanged(_ time: Int64, of descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        let moment = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        let times = [moment, moment]
        _ = try check("futimens") { futimens(raw, times) }
    }

    /// Reads on from where the last reading ended, at most so many bytes; empty at the end of what there is.
    package static func readOn(
        _ descriptor: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> [UInt8] {
        let raw = descriptor.raw
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = try check("read") { CLinux.read(raw, &bytes, limit) }
        bytes.removeSubrange(count...)
        return bytes
    }

    /// Goes to a place in a file.
    package static func seek(_ descriptor: borrowing Descriptor, to offset: Int64) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("lseek") { lseek(raw, off_t(offset), SEEK_SET) }
    }

    /// The names in a directory that is open, in the order of the file system.
    package static func names(in directory: borrowing Descriptor) throws(SystemError) -> [String] {
        try entries(of: directory).map { $0.name.text }
    }
}
