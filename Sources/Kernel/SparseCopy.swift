internal import CLinux
package import KernelTypes

extension Files {
    /// Copies what a file holds into a new one, in the kernel, and leaves its holes holes. No more than it held at the
    /// beginning: another process may be adding to it. lseek(2), SEEK_DATA, SEEK_HOLE; sendfile(2).
    package static func copySparsely(
        from source: borrowing Descriptor, to target: borrowing Descriptor, size: Int, subject: String
    ) throws(SystemError) {
        let (input, output) = (source.raw, target.raw)
        var place = 0
        while place < size, let data = try data(in: source, from: place, subject: subject), data < size {
            let end = min(size, try check("lseek", subject) { Int(lseek(input, off_t(data), SEEK_HOLE)) })
            _ = try check("lseek", subject) { lseek(output, off_t(data), SEEK_SET) }
            var offset = off_t(data)
            while offset < end {
                let rest = min(end - Int(offset), 1 << 30)
                let sent = try check("sendfile", subject) {
                    lend(writable: &offset) { system(Int(SYS_sendfile), Int(output), Int(input), $0, rest) }
                }
                if sent == 0 { break }
            }
            // It has been made shorter meanwhile.
            if Int(offset) < end { break }
            place = end
        }
        _ = try check("ftruncate", subject) { ftruncate(output, off_t(size)) }
    }

    /// Where the next data begins; nil where only a hole is left.
    private static func data(
        in file: borrowing Descriptor, from place: Int, subject: String
    ) throws(SystemError) -> Int? {
        let raw = file.raw
        do throws(SystemError) {
            return try check("lseek", subject) { Int(lseek(raw, off_t(place), SEEK_DATA)) }
        } catch {
            if error.code.rawValue == ENXIO { return nil }
            throw error
        }
    }

    /// Gives a file the times of its last access and change, in nanoseconds since 1970, and leaves a symbolic link that
    /// it may be alone. utimensat(2).
    package static func setTimes(
        _ name: ByteName, at directory: borrowing Descriptor, like status: FileStatus
    ) throws(SystemError) {
        let raw = directory.raw
        let changed = timespec(
            tv_sec: Int(status.changed / 1_000_000_000), tv_nsec: Int(status.changed % 1_000_000_000))
        let times = [timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), changed]  // UTIME_OMIT
        _ = try check("utimensat", name.text) { utimensat(raw, name.bytes, times, AT_SYMLINK_NOFOLLOW) }
    }
}
