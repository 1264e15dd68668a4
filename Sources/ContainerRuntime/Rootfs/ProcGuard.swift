internal import Kernel
internal import KernelTypes
internal import Planning

/// Keeps mounts off the container's /proc: a file put there would answer what the runtime and the payload
/// ask the kernel (CVE-2019-16884, CVE-2019-19921).
enum ProcGuard {
    /// Files below /proc that stand for the machine and may be replaced, as runc and crun allow it for lxcfs and its
    /// like.
    static let replaceable = [
        "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo", "sys/kernel/ns_last_pid",
        "sys/crypto/fips_enabled",
    ]

    static func check(
        _ target: borrowing Descriptor, _ mount: MountPlan, root: String
    ) throws(SystemError) {
        guard let path = try pathInProc(target, mount, root: root) else { return }
        if path.isEmpty {
            if !mount.isProc { throw .refused("only procfs may be mounted on /proc") }
        } else if !replaceable.contains(path) {
            throw .refused("cannot be mounted because it is inside /proc")
        }
    }

    static func check(
        _ target: borrowing Descriptor, _ mount: MountPlan, root: String, source: borrowing Descriptor
    ) throws(SystemError) {
        guard let path = try pathInProc(target, mount, root: root) else { return }
        if path.isEmpty {
            let isRoot = try Files.status(of: source).inode == 1
            if try !Files.fileSystem(of: source).isProc || !isRoot {
                throw .refused("only procfs may be mounted on /proc")
            }
        } else if !replaceable.contains(path) {
            throw .refused("cannot be mounted because it is inside /proc")
        }
    }

    /// Where in /proc a target lies, empty for /proc itself; nil when it lies elsewhere.
    ///
    /// The descriptor's own path counts, not the configured one: a link in the image may lead there. The path is
    /// looked at first because most mounts never come near.
    private static func pathInProc(
        _ target: borrowing Descriptor, _ mount: MountPlan, root: String
    ) throws(SystemError) -> String? {
        let isInProcfs = try Files.fileSystem(of: target).isProc
        let named = mount.destination == "/proc" || mount.destination.begins(with: "/proc/")
        guard isInProcfs || named else { return nil }
        let actual = try Files.readLink(target.path)
        guard let inside = actual.rest(after: root) else { return isInProcfs ? "?" : nil }
        if inside == "/proc" { return "" }
        if let below = inside.rest(after: "/proc/") { return below }
        return isInProcfs ? "?" : nil
    }
}
