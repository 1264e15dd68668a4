import KernelTypes
import Testing

@testable import Kernel

@Suite struct CapabilitiesTests {
    /// Names and numbers of linux/capability.h.
    static let known: [(name: String, number: UInt64)] = [
        ("CAP_CHOWN", 0), ("CAP_DAC_OVERRIDE", 1), ("CAP_DAC_READ_SEARCH", 2), ("CAP_FOWNER", 3), ("CAP_FSETID", 4),
        ("CAP_KILL", 5), ("CAP_SETGID", 6), ("CAP_SETUID", 7), ("CAP_SETPCAP", 8), ("CAP_LINUX_IMMUTABLE", 9),
        ("CAP_NET_BIND_SERVICE", 10), ("CAP_NET_BROADCAST", 11), ("CAP_NET_ADMIN", 12), ("CAP_NET_RAW", 13),
        ("CAP_IPC_LOCK", 14), ("CAP_IPC_OWNER", 15), ("CAP_SYS_MODULE", 16), ("CAP_SYS_RAWIO", 17),
        ("CAP_SYS_CHROOT", 18), ("CAP_SYS_PTRACE", 19), ("CAP_SYS_PACCT", 20), ("CAP_SYS_ADMIN", 21),
        ("CAP_SYS_BOOT", 22), ("CAP_SYS_NICE", 23), ("CAP_SYS_RESOURCE", 24), ("CAP_SYS_TIME", 25),
        ("CAP_SYS_TTY_CONFIG", 26), ("CAP_MKNOD", 27), ("CAP_LEASE", 28), ("CAP_AUDIT_WRITE", 29),
        ("CAP_AUDIT_CONTROL", 30), ("CAP_SETFCAP", 31), ("CAP_MAC_OVERRIDE", 32), ("CAP_MAC_ADMIN", 33),
        ("CAP_SYSLOG", 34), ("CAP_WAKE_ALARM", 35), ("CAP_BLOCK_SUSPEND", 36), ("CAP_AUDIT_READ", 37),
        ("CAP_PERFMON", 38), ("CAP_BPF", 39), ("CAP_CHECKPOINT_RESTORE", 40),
    ]

    @Test(arguments: known)
    func namesAreRead(name: String, number: UInt64) {
        #expect(Capabilities.named(name)?.rawValue == 1 << number)
    }

    @Test(arguments: ["", "CAP_", "CHOWN", "CAP_NOTHING", "CAP_64", "0", "all", "CAP_ALL", " CAP_CHOWN", "CAP_SYS"])
    func unknownNamesAreRefused(name: String) {
        #expect(Capabilities.named(name) == nil)
    }

    /// libcap's reader stops at the first character that is no letter and takes what was before.
    @Test(arguments: [
        "CAP_CHOWN ", "CAP_SYS_ADMIN2", "CAP_KILL=eip", "CAP_BPF,CAP_KILL", "CAP_BPF\n", "CAP_\u{212a}ILL",
        "CAP_KILL\u{301}", "CAP_K\u{131}LL",
    ])
    func whatFollowsANameIsRefused(name: String) {
        #expect(Capabilities.named(name) == nil)
    }

    @Test func everyNameComesBackAsItWas() {
        for (name, number) in Self.known where Capabilities.known.rawValue & (1 << number) != 0 {
            #expect(Capabilities.names(of: CapabilitySet(rawValue: 1 << number)) == [name])
        }
        #expect(Capabilities.names(of: []) == [])
        #expect(Capabilities.names(of: CapabilitySet(rawValue: 1 << 5 | 1)) == ["CAP_CHOWN", "CAP_KILL"])
    }

    /// The kernel's set has no gaps, so all names below the highest are known too.
    @Test func theKernelKnowsTheOldOnes() {
        #expect(Capabilities.known.isSuperset(of: CapabilitySet(rawValue: 1 << 38 - 1)))
        #expect(Capabilities.known.rawValue & (Capabilities.known.rawValue &+ 1) == 0)
    }

    @Test func thisProcessHoldsNoMoreThanThereIs() throws {
        let held = try Capabilities.current()
        #expect(Capabilities.known.isSuperset(of: held.permitted))
        #expect(held.permitted.isSuperset(of: held.effective))
    }

    @Test func namedSetsHoldTheirCapability() {
        #expect(CapabilitySet.systemAdministration == Capabilities.named("CAP_SYS_ADMIN"))
        #expect(CapabilitySet.resources == Capabilities.named("CAP_SYS_RESOURCE"))
    }
}
