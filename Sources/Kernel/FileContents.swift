internal import CLinux
package import KernelTypes

extension Files {
    /// Reads a whole file.
    /// - Parameter limit: a file longer than this many bytes is refused with EFBIG, so that a hostile one cannot fill
    ///   the memory.
    package static func read(_ path: String, limit: Int = 16 << 20) throws(SystemError) -> [UInt8] {
        let file = try open(path, .readOnly)
        return try read(file, subject: path, limit: limit)
    }

    package static func read(
        _ name: String, at directory: borrowing Descriptor, limit: Int = 16 << 20
    ) throws(SystemError) -> [UInt8] {
        let file = try open(name, at: directory, .readOnly)
        return try read(file, subject: name, limit: limit)
    }

    package static func read(
        _ descriptor: borrowing Descriptor, subject: String = "", limit: Int = 16 << 20
    ) throws(SystemError) -> [UInt8] {
        let raw = descriptor.raw
        var status = stat()
        _ = try check("fstat", subject) { fstat(raw, &status) }
        if Int(status.st_size) > limit { throw SystemError("read", subject, .fileTooLarge) }
        // Files of procfs and sysfs say 0; one byte more than the size sees the end in one read.
        var capacity = min(status.st_size > 0 ? Int(status.st_size) + 1 : 4096, limit + 1)
        var bytes: [UInt8] = []
        while true {
            let have = bytes.count
            var failure: SystemError?
            var got = 0
            bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                count = have
                guard let start = buffer.baseAddress else { return }
                start.update(from: bytes, count: have)
                do throws(SystemError) {
                    got = try check("read", subject) { CLinux.read(raw, start + have, capacity - have) }
                } catch {
                    failure = error
                }
                count += got
            }
            if let failure { throw failure }
            if got == 0 { return bytes }
            if bytes.count > limit { throw SystemError("read", subject, .fileTooLarge) }
            if bytes.count == capacity { capacity = min(capacity * 2, limit + 1) }
        }
    }

    /// Reads a small text file, such as the kernel's own, without the newline at its end.
    package static func readText(_ path: String) throws(SystemError) -> String {
        trimmed(try read(path, limit: 1 << 20))
    }

    package static func readText(_ name: String, at directory: borrowing Descriptor) throws(SystemError) -> String {
        trimmed(try read(name, at: directory, limit: 1 << 20))
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        var end = bytes.count
        while end > 0, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// Writes all bytes.
    package static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: borrowing Descriptor, subject: String = ""
    ) throws(SystemError) {
        let raw = descriptor.raw
        var done = 0
        while done < bytes.count {
            done += try check("write", subject) {
                CLinux.write(raw, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            }
        }
    }

    package static func write(
        _ text: String, to descriptor: borrowing Descriptor, subject: String = ""
    ) throws(SystemError) {
        var text = text
        let result: Result<Void, SystemError> = text.withUTF8 { bytes in
            do throws(SystemError) {
                try write(UnsafeRawBufferPointer(bytes), to: descriptor, subject: subject)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Writes a value into an existing file in one write, as the kernel's control files want it.
    package static func write(_ text: String, into path: String) throws(SystemError) {
        try write(text, to: open(path, .writeOnly), subject: path)
    }

    package static func write(
        _ text: String, into name: String, at directory: borrowing Descriptor
    ) throws(SystemError) {
        try write(text, to: open(name, at: directory, .writeOnly), subject: name)
    }

    /// Writes a file that must not be there yet.
    package static func write(_ bytes: [UInt8], toNew path: String, mode: UInt32) throws(SystemError) {
        let file = try open(path, [.writeOnly, .create, .exclusive, .noFollow], mode: mode)
        try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
            try write(UnsafeRawBufferPointer(buffer), to: file, subject: path)
        }
    }

    /// Puts a new file in place whole or not at all, also when this process is killed meanwhile: it has no name until
    /// it is whole (open(2), O_TMPFILE). Not every file system can do that.
    package static func publish(_ bytes: UnsafeRawBufferPointer, at path: String, mode: UInt32) throws(SystemError) {
        let folder = path.splitAtLastSlash?.folder ?? "."
        let file = try open(folder.isEmpty ? "/" : folder, [.writeOnly, .nameless], mode: mode)
        try write(bytes, to: file, subject: path)
        let raw = file.raw
        _ = try check("linkat", path) { linkat(AT_FDCWD, "/proc/self/fd/\(raw)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) }
    }

    /// Puts a file in place whole or not at all, whether one was there or not.
    package static func replace(_ path: String, with text: String, mode: UInt32) throws(SystemError) {
        try Array(text.utf8).withUnsafeBufferPointer { buffer throws(SystemError) in
            let bytes = UnsafeRawBufferPointer(buffer)
            // Where that does not work, the other way reports why.
            if !exists(path), (try? publish(bytes, at: path, mode: mode)) != nil { return }
            try overwrite(path, with: bytes, mode: mode)
        }
    }

    /// Written under a name beside it, then renamed.
    private static func overwrite(_ path: String, with bytes: UnsafeRawBufferPointer, mode: UInt32) throws(SystemError)
    {
        let temporary = "\(path).\(getpid())"
        do throws(SystemError) {
            let file = try open(temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: mode)
            do throws(SystemError) {
                try write(bytes, to: file, subject: path)
                try rename(temporary, to: path)
            } catch {
                _ = unlink(temporary)  // best effort: the error of the write is the one to report
                throw error
            }
        } catch {
            // Nobody knows the other name.
            throw error.about(path)
        }
    }
}

extension Files {
    /// Copies the rest of one file into another, in the kernel. sendfile(2).
    package static func copyContents(
        from source: borrowing Descriptor, to target: borrowing Descriptor, subject: String
    ) throws(SystemError) {
        let input = source.raw
        let output = target.raw
        while try check("sendfile", subject, { system(Int(SYS_sendfile), Int(output), Int(input), 0, 1 << 20) }) > 0 {}
    }
}

extension Files {
    /// Reads up to so many bytes from a place in a file; fewer where it ends. pread(2).
    package static func read(
        _ descriptor: borrowing Descriptor, at offset: Int, count: Int
    ) throws(SystemError) -> [UInt8] {
        let raw = descriptor.raw
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try check("pread") { pread(raw, &bytes, count, off_t(offset)) }
        bytes.removeSubrange(got...)
        return bytes
    }

    /// Goes back to the beginning of a file.
    package static func rewind(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("lseek") { lseek(raw, 0, SEEK_SET) }
    }
}

extension Files {
    /// Writes text to a standard stream.
    package static func write(_ text: String, toNumber number: Int32) throws(SystemError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = try check("write") { rest.withUnsafeBytes { CLinux.write(number, $0.baseAddress, $0.count) } }
            rest = rest.dropFirst(count)
        }
    }
}
