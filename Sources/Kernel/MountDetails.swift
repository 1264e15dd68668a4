package import KernelTypes

/// One line of a mount table with what tells whose file system it shows: proc_pid_mountinfo(5).
package struct MountDetail: Equatable, Sendable {
    /// The mount's number in its namespace.
    package let id: String
    /// The file system, as `major:minor`.
    package let device: String
    /// Which part of the file system is shown.
    package let root: String
    /// Where it is shown.
    package let path: String
    package let type: String

    package init(id: String = "", device: String, root: String, path: String, type: String) {
        self.id = id
        self.device = device
        self.root = root
        self.path = path
        self.type = type
    }
}

extension MountTable {
    /// The mounts as a process sees them, below its root.
    package static func details(ofProcess pid: Int32) throws(SystemError) -> [MountDetail] {
        details(in: String(decoding: try Files.read("/proc/\(pid)/mountinfo"), as: UTF8.self))
    }

    /// The mounts of this process.
    package static func details() throws(SystemError) -> [MountDetail] {
        details(in: String(decoding: try Files.read("/proc/self/mountinfo"), as: UTF8.self))
    }

    package static func details(in text: String) -> [MountDetail] {
        lines(of: text) { fields, type in
            MountDetail(
                id: fields[0], device: fields[2], root: unescape(fields[3]), path: unescape(fields[4]), type: type)
        }
    }
}
