internal import Kernel
internal import KernelTypes

/// The host's procfs, verified to be one: the only way anything is written below /proc (CVE-2019-16884,
/// CVE-2025-52881). What the container shows at its own /proc may be an image's folder, or be covered.
enum HostProcfs {
    /// A private mount of it, on which nothing is mounted; or, for a user who may not make mounts, the folder itself,
    /// where every path below must be opened without leaving its mount.
    static func open() throws(SystemError) -> Descriptor {
        let root: Descriptor
        do throws(SystemError) {
            root = try Mounting.cloneTree("/proc", recursive: false)
        } catch  where error.code == .notPermitted || error.code == .invalidArgument {
            root = try Files.open("/proc", [.path, .directory])
        }
        // The root of every procfs has the number 1; a folder of it that is shown at /proc has another.
        guard try Files.fileSystem(of: root).isProc, try Files.status(of: root).inode == 1 else {
            throw .refused("/proc is not a procfs")
        }
        return root
    }
}
