internal import CgroupPlanning
internal import Errors
internal import Kernel
package import KernelTypes

/// Notices processes of a cgroup, or of those below it, that were killed for want of memory: `oom_kill` in
/// `memory.events`.
///
/// The kernel announces a change of the file both to inotify and to poll(2) (cgroup-v2.rst, "memory.events"); poll
/// needs no descriptor more.
package struct OOMWatch: ~Copyable {
    private let file: Descriptor
    private var seen: UInt64

    private init(file: consuming Descriptor, seen: UInt64) {
        self.file = file
        self.seen = seen
    }

    /// - Returns: nil where the memory controller is not switched on.
    static func open(_ directory: borrowing Descriptor) throws(SystemError) -> OOMWatch? {
        do throws(SystemError) {
            let file = try Files.open("memory.events", at: directory, .readOnly)
            let seen = try count(file)
            return OOMWatch(file: file, seen: seen)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// What to wait for, with ``PollEvents/priority``.
    package var number: Int32 { file.number }

    /// How many were killed since the last call.
    package mutating func newKills() throws(SystemError) -> UInt64 {
        let count = try Self.count(file)
        defer { seen = count }
        return count > seen ? count - seen : 0
    }

    /// Reading takes note of the state that poll(2) compares with. A cgroup that is being removed counts no more.
    private static func count(_ file: borrowing Descriptor) throws(SystemError) -> UInt64 {
        do throws(SystemError) {
            return StatisticsFile.entries(try Files.rereadText(file, subject: "memory.events"))["oom_kill"] ?? 0
        } catch {
            if error.code == .noDevice { return 0 }
            throw error
        }
    }
}

extension FSManager {
    func watchOOM() throws(CgroupError) -> OOMWatch? {
        switch directory {
        case .none: return nil
        case .some(let directory):
            do throws(SystemError) {
                return try OOMWatch.open(directory)
            } catch {
                throw CgroupError(error, in: path.description)
            }
        }
    }
}
