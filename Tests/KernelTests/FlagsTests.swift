import KernelTypes
import Testing

@testable import Kernel

/// The kernel's numbers, which never change.
@Suite struct FlagsTests {
    @Test(
        arguments: [
            (.readOnly, 0x1), (.noSetID, 0x2), (.noDevices, 0x4), (.noExecute, 0x8), (.synchronous, 0x10),
            (.remount, 0x20), (.mandatoryLocks, 0x40), (.directorySync, 0x80), (.noSymbolicLinks, 0x100),
            (.noAccessTime, 0x400), (.noDirectoryAccessTime, 0x800), (.bind, 0x1000), (.move, 0x2000),
            (.recursive, 0x4000), (.silent, 0x8000), (.relativeAccessTime, 0x20_0000), (.inodeVersion, 0x80_0000),
            (.strictAccessTime, 0x100_0000), (.lazyTime, 0x200_0000),
        ] as [(MountFlags, UInt)])
    func mountFlagsHaveTheKernelsNumbers(flag: MountFlags, number: UInt) {
        #expect(flag.rawValue == number)
    }

    @Test(
        arguments: [
            (.readOnly, 0x1), (.noSetID, 0x2), (.noDevices, 0x4), (.noExecute, 0x8), (.noAccessTime, 0x10),
            (.strictAccessTime, 0x20), (.accessTimeMask, 0x70), (.noDirectoryAccessTime, 0x80),
            (.noSymbolicLinks, 0x20_0000),
        ] as [(MountAttributes, UInt64)])
    func mountAttributesHaveTheKernelsNumbers(attribute: MountAttributes, number: UInt64) {
        #expect(attribute.rawValue == number)
    }

    @Test(
        arguments: [
            (.unbindable, 0x2_0000), (.private, 0x4_0000), (.slave, 0x8_0000), (.shared, 0x10_0000),
        ] as [(MountPropagation, UInt64)])
    func propagationKindsHaveTheKernelsNumbers(kind: MountPropagation, number: UInt64) {
        #expect(kind.flag == number)
    }

    @Test(arguments: ["mnt", "uts", "ipc", "net", "pid", "user", "cgroup"])
    func namespacesAreRecognisedByTheirFiles(name: String) throws {
        let expected: [String: NamespaceFlags] = [
            "mnt": .mount, "uts": .uts, "ipc": .ipc, "net": .network, "pid": .pid, "user": .user, "cgroup": .cgroup,
        ]
        let kind = Namespaces.kind(of: try Files.open("/proc/self/ns/\(name)", .readOnly))
        #expect(kind == expected[name])
    }

    @Test func otherFilesAreNoNamespace() throws {
        let kind = Namespaces.kind(of: try Files.open("/proc/self/status", .readOnly))
        #expect(kind == nil)
    }
}
