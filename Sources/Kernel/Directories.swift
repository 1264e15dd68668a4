internal import CLinux

extension Files {
    /// The names of the directories in a directory, without `.` and `..`, by the types that its entries carry: no call for each name. readdir(3), `d_type`.
    package static func listDirectories(_ path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir", path, .current) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard Int(entry.pointee.d_type) == Int(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Reads a small file that is open already once more from its beginning. Of the kernel's files this also takes note of the state that poll(2) compares with.
    package static func rereadText(
        _ descriptor: borrowing Descriptor, subject: String = ""
    ) throws(SystemError) -> String {
        let raw = descriptor.raw
        _ = try check("lseek", subject) { lseek(raw, 0, SEEK_SET) }
        return String(decoding: try read(descriptor, subject: subject, limit: 1 << 20), as: UTF8.self)
    }
}
