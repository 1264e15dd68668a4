import Foundation
import Glibc
import Testing

/// What a test may need of the host. Each is looked for once, when the first test that needs it comes; no process is
/// forked from this one, which has threads: what has to be tried is tried by a command.
enum Requirement {
    static let isRoot = geteuid() == 0

    #if arch(x86_64)
        static let isX8664 = true
    #else
        static let isX8664 = false
    #endif

    /// Whether a device node can be made where the tests work, and opened there.
    static let hasDeviceNodes: Bool = {
        let path = NSTemporaryDirectory() + "rbt-node-\(getpid())"
        guard mknod(path, S_IFCHR | 0o666, dev_t(0x103)) == 0 else { return false }
        defer { unlink(path) }
        let device = open(path, O_WRONLY | O_CLOEXEC)
        guard device >= 0 else { return false }
        close(device)
        return true
    }()

    /// Whether the first process reaps what it adopts.
    static let hasReapingInit: Bool = {
        let output = NSTemporaryDirectory() + "rbt-orphan-\(getpid())"
        defer { for end in [".out", ".err"] { unlink(output + end) } }
        let outcome = try? spawn(["sh", "-c", "sleep 0.1 >/dev/null 2>&1 & echo $!"], output: output).wait()
        guard let orphan = (outcome?.stdout.split(separator: "\n").first).flatMap({ Int32($0) }) else { return false }
        // Some look for what has ended every few seconds only.
        return eventually(10) { !FileManager.default.fileExists(atPath: "/proc/\(orphan)") }
    }()

    static let hasAppArmor = Leftovers.lines("/sys/module/apparmor/parameters/enabled").first?.hasPrefix("Y") == true
    static let hasSELinux = exists("/sys/fs/selinux/enforce")
    static let hasResctrl = Leftovers.lines("/proc/self/mountinfo").contains { $0.contains(" - resctrl ") }
    static let hasOneMemoryNode = Leftovers.lines("/sys/devices/system/node/has_memory") == ["0"]
    /// The number of a disk that gives zeroes; the virtual machine has one.
    static let disk = Leftovers.lines("/sys/block/vdb/dev").first
    static let hasBFQ = Leftovers.lines("/sys/block/vdb/queue/scheduler").first?.contains("[bfq]") == true
    /// Controllers in the v2 tree of `/sys/fs/cgroup/unified`, the others in cgroup v1.
    static let hasHybridCgroups = exists("/sys/fs/cgroup/unified/cgroup.controllers")
    static let example = ProcessInfo.processInfo.environment["RUNBOX_EXAMPLE"]

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func isInstalled(_ program: String) -> Bool {
        ["/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"].contains {
            FileManager.default.isExecutableFile(atPath: $0 + program)
        }
    }

    static func kernelIs(atLeast wanted: [Int]) -> Bool {
        let release = Leftovers.lines("/proc/sys/kernel/osrelease").first ?? ""
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return !numbers.lexicographicallyPrecedes(wanted)
    }
}

/// The same as traits: a test without what it needs is skipped, and the log says why.
extension Trait where Self == ConditionTrait {
    // MARK: Users and programs

    static var needsRoot: Self { .enabled(if: Requirement.isRoot, "needs root") }

    static var needsX8664: Self { .enabled(if: Requirement.isX8664, "needs x86-64, whose system call numbers it has") }

    static func needsProgram(_ name: String) -> Self {
        .enabled(if: Requirement.isInstalled(name), "needs \(name), which is not installed")
    }

    static var needsExample: Self {
        .enabled(
            if: Requirement.example != nil,
            "needs the built Examples/HelloContainer, named by RUNBOX_EXAMPLE: make test builds it")
    }

    static var needsUserNamespaces: Self {
        .enabled(if: OrdinaryUser.hasNamespaces, "needs user namespaces for ordinary users: runbox doctor")
    }

    static var needsSubordinateIDs: Self {
        .enabled(if: OrdinaryUser.range != nil, "needs ids in /etc/subuid, and newuidmap: make test-vm")
    }

    // MARK: Cgroups

    static var needsCgroupTree: Self { .enabled(if: CgroupTree.path != nil, "needs a cgroup v2 tree") }

    static var needsCgroup2AtItsUsualPlace: Self {
        .enabled(if: CgroupTree.path == "/sys/fs/cgroup", "needs cgroup v2 at /sys/fs/cgroup")
    }

    static var needsAnyController: Self {
        .enabled(if: !CgroupTree.controllers.isEmpty, "needs a cgroup v2 tree with a controller")
    }

    static func needsControllers(_ names: String...) -> Self {
        .enabled(
            if: names.allSatisfy(CgroupTree.has),
            "needs controllers in the cgroup v2 tree: \(names.joined(separator: ", "))")
    }

    static func needsHostWithoutControllers(_ names: String...) -> Self {
        .disabled(
            if: names.contains(where: CgroupTree.has),
            "needs a cgroup v2 tree without any of the controllers \(names.joined(separator: ", "))")
    }

    /// With all of them there would be no case to try, and a test without cases passes.
    static func needsMissingController(of names: [String]) -> Self {
        .disabled(if: names.allSatisfy(CgroupTree.has), "needs a cgroup v2 tree that lacks a controller")
    }

    static var needsHybridCgroups: Self {
        .enabled(if: Requirement.hasHybridCgroups, "needs hybrid cgroups: v2 at /sys/fs/cgroup/unified")
    }

    /// The virtual machine's ordinary user has one.
    static var needsDelegatedCgroup: Self {
        .disabled(if: Requirement.isRoot, "needs an ordinary user with a delegated cgroup: make test-vm")
    }

    /// Where the tests run as root, the user that they become has none.
    static var needsUserWithoutCgroup: Self {
        .enabled(if: Requirement.isRoot, "needs an ordinary user without a delegated cgroup: run by root")
    }

    // MARK: systemd

    static var needsSystemd: Self {
        .enabled(if: Systemd.isHere, "needs systemd as process 1, and a manager that answers this user")
    }

    /// Root's manager; the reason is what a user's cannot do.
    static func needsSystemManager(_ reason: Comment) -> Self { .disabled(if: Systemd.isUser, reason) }

    static var needsHostWithoutSystemd: Self {
        .disabled(if: Requirement.exists("/run/systemd/private"), "needs a host without systemd, which would answer")
    }

    static var needsHostWithoutJournal: Self {
        .disabled(
            if: Requirement.exists("/run/systemd/journal/socket"), "needs a host without a journal, which would listen")
    }

    // MARK: Devices and the kernel

    static func needsFile(_ path: String) -> Self {
        .enabled(if: Requirement.exists(path), "needs \(path), which this host does not have")
    }

    static var needsDeviceNodes: Self {
        .enabled(
            if: Requirement.hasDeviceNodes, "needs device nodes that can be made and opened in the temporary folder")
    }

    static var needsDisk: Self { .enabled(if: Requirement.disk != nil, "needs a disk to try (vdb): make test-vm") }

    static var needsBFQ: Self { .enabled(if: Requirement.hasBFQ, "needs a disk (vdb) with the scheduler BFQ") }

    static var needsOneMemoryNode: Self {
        .enabled(if: Requirement.hasOneMemoryNode, "needs a kernel with NUMA and memory on node 0 alone")
    }

    static var needsTwoCPUs: Self {
        .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two CPUs")
    }

    static func needsKernel(_ major: Int, _ minor: Int, _ reason: String) -> Self {
        .enabled(
            if: Requirement.kernelIs(atLeast: [major, minor]), "needs Linux \(major).\(minor): \(reason)")
    }

    static var needsReapingInit: Self {
        .enabled(if: Requirement.hasReapingInit, "needs a first process that reaps its children")
    }

    static var needsHostWithoutAppArmor: Self {
        .disabled(if: Requirement.hasAppArmor, "AppArmor is enabled here: Tests/VM/apparmor.sh")
    }

    static var needsHostWithoutSELinux: Self {
        .disabled(if: Requirement.hasSELinux, "SELinux is enabled here: Tests/VM/selinux.sh")
    }

    static var needsHostWithoutResctrl: Self { .disabled(if: Requirement.hasResctrl, "this host has resctrl") }
}
