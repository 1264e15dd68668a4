import Kernel
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime
@testable import Planning

/// What may be mounted on a container's /proc and below; the container's root is a folder here.
@Suite struct ProcGuardTests {
    /// What the guard says to a mount on a path of the root: nil where it may be.
    private func refusal(_ target: String, destination: String? = nil, type: String = "tmpfs", in folder: Folder) throws
        -> String?
    {
        let mount = try mount(destination ?? target, type: type)
        let descriptor = try Files.open(folder.path + target, .path)
        return failure { try ProcGuard.check(descriptor, mount, root: folder.path) }
    }

    /// The same of a bind mount.
    private func refusal(ofBinding source: String, on target: String, in folder: Folder) throws -> String? {
        let mount = try mount(target, source: source, options: ["rbind"])
        let descriptor = try Files.open(folder.path + target, .path)
        let from = try Files.open(source, .path)
        return failure { try ProcGuard.check(descriptor, mount, root: folder.path, source: from) }
    }

    private func mount(_ destination: String, type: String? = nil, source: String? = nil, options: [String] = []) throws
        -> MountPlan
    {
        let mount = Mount(destination: destination, type: type, source: source ?? type, options: options)
        return try #require(plan { MountPlan(mount, index: 0, bundle: "/b", findings: &$0) }.plan)
    }

    /// A root whose /proc is a folder with files, as an image may bring it.
    private func withRoot(_ body: (Folder) throws -> Void) throws {
        try withFolder { folder throws in
            for name in ["proc", "proc/sys", "proc/sys/kernel", "proc/sys/crypto", "proc/self", "etc"] {
                try Files.makeDirectory(folder.path(name), mode: 0o755)
            }
            let others = ["/version", "/uptimes", "/sys/kernel/hostname", "/self/status"].map { "/proc" + $0 }
            for path in Self.machine + others + ["/etc/file"] { try folder.write(String(path.dropFirst())) }
            try body(folder)
        }
    }

    private static let inside = "cannot be mounted because it is inside /proc"
    private static let onProc = "only procfs may be mounted on /proc"

    /// What lxcfs and its like put in the place of the machine's own files.
    private static let machine = [
        "/cpuinfo", "/diskstats", "/meminfo", "/stat", "/swaps", "/uptime", "/loadavg", "/slabinfo",
        "/sys/kernel/ns_last_pid", "/sys/crypto/fips_enabled",
    ].map { "/proc" + $0 }

    @Test(arguments: machine)
    func filesOfTheMachineMayBeReplaced(target: String) throws {
        try withRoot { root throws in
            #expect(try refusal(target, in: root) == nil)
            #expect(try refusal(ofBinding: root.path("etc/file"), on: target, in: root) == nil)
        }
    }

    @Test(arguments: [
        "/proc/version", "/proc/uptimes", "/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/hostname", "/proc/self",
        "/proc/self/status",
    ])
    func otherFilesMayNotBeReplaced(target: String) throws {
        try withRoot { root throws in
            #expect(try refusal(target, in: root)?.contains(Self.inside) == true)
            #expect(try refusal(target, type: "proc", in: root)?.contains(Self.inside) == true, "nor by procfs")
            #expect(try refusal(ofBinding: root.path("etc/file"), on: target, in: root)?.contains(Self.inside) == true)
            #expect(try refusal(ofBinding: "/proc", on: target, in: root)?.contains(Self.inside) == true)
        }
    }

    @Test func onlyProcfsMayBeOnProc() throws {
        try withRoot { root throws in
            #expect(try refusal("/proc", type: "proc", in: root) == nil)
            #expect(try refusal("/proc", type: "tmpfs", in: root)?.contains(Self.onProc) == true)
            #expect(try refusal(ofBinding: "/proc", on: "/proc", in: root) == nil)
            for source in ["/proc/sys", "/proc/self", root.path("etc")] {
                #expect(
                    try refusal(ofBinding: source, on: "/proc", in: root)?.contains(Self.onProc) == true, "\(source)")
            }
        }
    }

    @Test func elsewhereAnythingMayBeMounted() throws {
        try withRoot { root throws in
            #expect(try refusal("/etc", in: root) == nil)
            #expect(try refusal(ofBinding: "/proc/sys", on: "/etc", in: root) == nil)
        }
    }

    /// Where the target lies counts, not how it is called.
    @Test func aLinkInTheImageDoesNotDeceiveTheGuard() throws {
        try withRoot { root throws in
            #expect(try refusal("/proc/version", destination: "/proc/cpuinfo", in: root)?.contains(Self.inside) == true)
            #expect(try refusal("/etc/file", destination: "/proc/version", in: root) == nil)
            // The host's own procfs, behind whatever name.
            for path in ["/proc/version", "/proc/cpuinfo", "/proc"] {
                let target = try Files.open(path, .path)
                let mount = try mount("/data", type: "tmpfs")
                let refusal = failure { try ProcGuard.check(target, mount, root: root.path) }
                #expect(refusal?.contains(Self.inside) == true, "\(path)")
            }
        }
    }
}
