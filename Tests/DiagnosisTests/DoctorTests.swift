import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Diagnosis

@Suite struct DoctorTests {
    /// A host that lacks nothing.
    private static func findings(_ change: (inout HostFacts) -> Void = { _ in }) -> [HostFinding] {
        var facts = HostFacts()
        change(&facts)
        return HostChecks(facts: facts).findings()
    }

    /// An ordinary user of a host that lacks nothing.
    private static func user(_ facts: inout HostFacts) {
        (facts.isRoot, facts.userName) = (false, "ann")
        facts.cgroup.parent = "/user.slice/user-1000.slice/user@1000.service/app.slice"
        facts.cgroup.delegated = ["cpu", "cpuset", "io", "memory", "pids"]
    }

    @Test func aHostThatLacksNothingIsFit() {
        for findings in [Self.findings(), Self.findings(Self.user)] {
            #expect(findings.filter { $0.verdict != .ok } == [])
            #expect(Set(findings.map(\.id)).count == findings.count)
            #expect(Set(findings.map(\.group)) == Set(HostFinding.Group.allCases))
        }
        var facts = HostFacts()
        #expect(Doctor(facts).isFit)
        facts.cgroup.mode = .none
        #expect(!Doctor(facts).isFit)
    }

    struct Gap: Sendable, CustomTestStringConvertible {
        let id: String
        let verdict: HostFinding.Verdict
        var essential = false
        /// Words of the line that fixes it; nil where there is none.
        let remedy: String?
        /// What distinguishes the case.
        var note = ""
        let change: @Sendable (inout HostFacts) -> Void

        var testDescription: String { note.isEmpty ? id : "\(id), \(note)" }
    }

    @Test(arguments: kernelGaps + cgroupGaps + userGaps + securityGaps + toolGaps)
    func aGapIsShownWithItsRemedy(gap: Gap) throws {
        let findings = Self.findings(gap.change)
        let finding = try #require(findings.first { $0.id == gap.id })
        #expect(finding.verdict == gap.verdict && finding.isEssential == gap.essential, "\(finding)")
        #expect(finding.cost != nil, "\(finding)")
        if let remedy = gap.remedy {
            #expect(finding.remedy?.contains(remedy) == true, "\(finding)")
            #expect(finding.remedy?.contains("\n") != true)
        } else {
            #expect(finding.remedy == nil, "\(finding)")
        }
    }

    static let kernelGaps: [Gap] = [
        Gap(id: "kernel.version", verdict: .missing, essential: true, remedy: "5.12") {
            $0.release = "5.10.0-28-amd64"
        },
        Gap(id: "kernel.call.clone3", verdict: .missing, essential: true, remedy: "Linux 5.3") {
            $0.kernel.calls[.clone3] = .no
        },
        Gap(
            id: "kernel.call.clone3", verdict: .missing, essential: true, remedy: "outside of the sandbox",
            note: "a filter forbids it"
        ) { $0.kernel.calls[.clone3] = .refused(.notPermitted) },
        Gap(id: "kernel.call.mount_setattr", verdict: .missing, essential: true, remedy: "Linux 5.12") {
            $0.kernel.calls[.mountSetattr] = .no
        },
        Gap(id: "kernel.call.openat2", verdict: .missing, remedy: "Linux 5.6") { $0.kernel.calls[.openat2] = .no },
        Gap(id: "kernel.clone-into-cgroup", verdict: .missing, essential: true, remedy: "Linux 5.7") {
            $0.kernel.cloneIntoCgroup = .no
        },
        Gap(id: "kernel.idmapped-mounts", verdict: .missing, remedy: "Linux 5.12") { $0.kernel.idMappedMounts = .no },
        Gap(id: "kernel.pidfd-exit", verdict: .missing, remedy: "dnf upgrade kernel") {
            $0.kernel.endsByPidfd = .no
            $0.distribution = .fedora
        },
        Gap(id: "kernel.device-programs", verdict: .missing, remedy: "CONFIG_CGROUP_BPF") {
            $0.kernel.devicePrograms = .no
        },
        Gap(id: "kernel.device-programs", verdict: .warn, remedy: nil, note: "an ordinary user") {
            user(&$0)
            $0.kernel.devicePrograms = .refused(.notPermitted)
        },
        Gap(id: "kernel.namespace.time", verdict: .missing, remedy: "Linux 5.6") {
            $0.kernel.missingNamespaces = ["time"]
        },
        Gap(id: "kernel.namespace.pid", verdict: .missing, essential: true, remedy: "CONFIG_PID_NS") {
            $0.kernel.missingNamespaces = ["time", "pid"]
        },
        Gap(id: "kernel.overlay", verdict: .warn, remedy: "modprobe overlay") { $0.kernel.hasOverlay = false },
    ]

    static let cgroupGaps: [Gap] = [
        Gap(id: "cgroup.mode", verdict: .warn, remedy: "cgroup_no_v1=all to GRUB_CMDLINE_LINUX", note: "hybrid") {
            $0.cgroup.mode = .hybrid
            $0.distribution = .debian
        },
        Gap(id: "cgroup.mode", verdict: .missing, essential: true, remedy: "grubby", note: "v1") {
            $0.cgroup.mode = .legacy
            $0.distribution = .fedora
        },
        Gap(id: "cgroup.mode", verdict: .missing, essential: true, remedy: "mount -t cgroup2", note: "none") {
            $0.cgroup.mode = .none
        },
        Gap(id: "cgroup.controller.memory", verdict: .missing, remedy: "cgroup_no_v1=memory", note: "v1 has it") {
            $0.cgroup.controllers = ["cpu", "hugetlb"]
            $0.cgroup.inVersion1 = ["memory"]
        },
        Gap(id: "cgroup.controller.memory", verdict: .missing, remedy: "cgroup_enable=memory", note: "switched off") {
            $0.cgroup.controllers = ["cpu"]
            $0.cgroup.switchedOff = ["memory"]
        },
        Gap(id: "cgroup.controller.memory", verdict: .missing, remedy: "CONFIG_MEMCG", note: "not in the kernel") {
            $0.cgroup.controllers = ["cpu"]
            $0.cgroup.inKernel = ["cpu"]
        },
        Gap(id: "cgroup.controller.io", verdict: .missing, remedy: "cgroup_no_v1=blkio") {
            $0.cgroup.controllers = []
            $0.cgroup.inVersion1 = ["io"]
        },
        Gap(id: "cgroup.controller.rdma", verdict: .warn, remedy: "CONFIG_CGROUP_RDMA") {
            $0.cgroup.controllers = ["cpu"]
        },
        Gap(id: "cgroup.write", verdict: .missing, essential: true, remedy: "remount,rw") {
            $0.cgroup.isParentWritable = false
        },
        Gap(id: "cgroup.delegation", verdict: .missing, remedy: "Delegate=cpu cpuset io memory pids", note: "none") {
            user(&$0)
            ($0.cgroup.delegated, $0.cgroup.isParentWritable) = (nil, false)
        },
        Gap(id: "cgroup.delegation", verdict: .warn, remedy: "systemctl daemon-reload", note: "in part") {
            user(&$0)
            $0.cgroup.delegated = ["memory", "pids"]
        },
        Gap(id: "cgroup.delegation", verdict: .warn, remedy: "systemd-run --user", note: "outside of it") {
            user(&$0)
            $0.cgroup.isParentWritable = false
        },
        Gap(id: "cgroup.kill", verdict: .warn, remedy: "5.14") { $0.cgroup.hasKill = false },
        Gap(id: "cgroup.kill", verdict: .warn, remedy: "5.14", note: "by the kernel's age") {
            ($0.cgroup.hasKill, $0.release) = (nil, "5.13.9")
        },
        Gap(id: "cgroup.freeze", verdict: .missing, remedy: "5.2") { $0.cgroup.hasFreeze = false },
        Gap(id: "cgroup.pressure", verdict: .warn, remedy: "psi=1") { $0.cgroup.hasPressure = false },
    ]

    static let userGaps: [Gap] = [
        Gap(id: "users.namespaces", verdict: .missing, remedy: "user.max_user_namespaces=", note: "root") {
            $0.users.trial = .refused(.noSpace)
            $0.users.maximum = 0
        },
        Gap(
            id: "users.namespaces", verdict: .missing, essential: true, remedy: "kernel.unprivileged_userns_clone=1",
            note: "Debian's switch"
        ) {
            user(&$0)
            $0.users.trial = .refused(.notPermitted)
            $0.users.unprivilegedClone = false
        },
        Gap(
            id: "users.namespaces", verdict: .missing, essential: true, remedy: "apparmor_parser -r",
            note: "Ubuntu's rule"
        ) {
            user(&$0)
            $0.users.trial = .powerless
            $0.users.appArmorRestricts = true
        },
        Gap(id: "users.namespaces", verdict: .missing, essential: true, remedy: "sandbox", note: "a filter") {
            user(&$0)
            $0.users.trial = .refused(.notPermitted)
        },
        Gap(id: "users.subuid", verdict: .missing, remedy: "usermod --add-subuids 100000-165535 ann") {
            user(&$0)
            $0.users.subordinateUsers = 0
        },
        Gap(id: "users.subgid", verdict: .warn, remedy: "usermod --add-subgids", note: "too few") {
            user(&$0)
            $0.users.subordinateGroups = 1000
        },
        Gap(id: "users.newuidmap", verdict: .missing, remedy: "apt-get install uidmap") {
            user(&$0)
            ($0.users.newuidmap, $0.distribution) = (nil, .ubuntu)
        },
        Gap(id: "users.newgidmap", verdict: .missing, remedy: "dnf install shadow-utils") {
            user(&$0)
            ($0.users.newgidmap, $0.distribution) = (nil, .fedora)
        },
        Gap(id: "users.newgidmap", verdict: .missing, remedy: "setcap cap_setgid=ep /opt/newgidmap", note: "no power") {
            user(&$0)
            $0.users.newgidmap = UserFacts.Helper(path: "/opt/newgidmap", isPrivileged: false)
        },
    ]

    static let securityGaps: [Gap] = [
        Gap(id: "security.seccomp", verdict: .missing, remedy: "CONFIG_SECCOMP_FILTER") {
            $0.security.missingActions = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"]
        },
        Gap(id: "security.seccomp", verdict: .warn, remedy: "5.19", note: "a flag") {
            $0.security.missingFlags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
        },
        Gap(id: "security.seccomp-notify", verdict: .missing, remedy: "5.0") { $0.security.notifications = .no },
        Gap(id: "security.apparmor", verdict: .warn, remedy: "apt-get install apparmor") {
            $0.security.appArmor = false
            $0.distribution = .debian
        },
        Gap(id: "security.apparmor", verdict: .warn, remedy: "CONFIG_SECURITY_APPARMOR", note: "not in the kernel") {
            ($0.security.appArmor, $0.security.isAppArmorInKernel) = (false, false)
        },
        Gap(id: "security.selinux", verdict: .warn, remedy: "setenforce 1") {
            ($0.security.appArmor, $0.security.selinuxEnforces) = (false, false)
        },
        Gap(id: "security.sealing", verdict: .missing, essential: true, remedy: "vm.memfd_noexec=1") {
            ($0.security.cloneMounts, $0.security.sealMemory) = (.refused(.notPermitted), .refused(.accessDenied))
            $0.security.memoryFilesNoExec = 2
        },
    ]

    static let toolGaps: [Gap] = [
        Gap(id: "tools.criu", verdict: .warn, remedy: "install criu") { $0.tools.criu = nil },
        Gap(id: "tools.criu", verdict: .warn, remedy: "install a newer CRIU", note: "too old for the kernel") {
            $0.tools.criuProblem = "vdso: Unexpected rt vDSO area bounds"
            $0.tools.criuRemedy = "install a newer CRIU"
        },
        Gap(id: "tools.criu", verdict: .warn, remedy: "criu check says more", note: "does not work") {
            $0.tools.criuProblem = "something else"
        },
        Gap(id: "tools.systemd", verdict: .warn, remedy: nil) { $0.tools.runsSystemd = false },
        Gap(id: "tools.systemd", verdict: .warn, remedy: "loginctl enable-linger ann", note: "no bus") {
            user(&$0)
            $0.tools.bus = nil
        },
        Gap(id: "tools.resctrl", verdict: .warn, remedy: nil, note: "none") { $0.tools.hasResctrl = false },
        Gap(id: "tools.resctrl", verdict: .warn, remedy: "mount -t resctrl") { $0.tools.isResctrlMounted = false },
    ]

    // MARK: The machine at hand

    @Test(
        arguments: [
            (.firmware(file: "/boot/firmware/cmdline.txt"), "to the line in /boot/firmware/cmdline.txt"),
            (.systemdBoot(file: "/etc/kernel/cmdline"), "/etc/kernel/cmdline, then run kernel-install"),
            (.none, "what starts this machine"),
        ] as [(HostFacts.BootLoader, String)])
    func wordsForTheKernelGoWhereTheyAreRead(bootLoader: HostFacts.BootLoader, remedy: String) throws {
        for distribution in [HostFacts.Distribution.debian, .ubuntu, .fedora, .other] {
            let findings = Self.findings {
                $0.distribution = distribution
                $0.bootLoader = bootLoader
                $0.cgroup.mode = .hybrid
                $0.cgroup.hasPressure = false
                $0.cgroup.controllers = ["cpu"]
                ($0.cgroup.inVersion1, $0.cgroup.switchedOff) = (["memory"], ["pids"])
            }
            for id in ["cgroup.mode", "cgroup.pressure", "cgroup.controller.memory", "cgroup.controller.pids"] {
                let found = findings.first { $0.id == id }?.remedy ?? ""
                #expect(found.contains(remedy), "\(found)")
            }
            #expect(!findings.contains { $0.remedy?.contains("GRUB") == true || $0.remedy?.contains("grubby") == true })
        }
    }

    @Test(
        arguments: [
            (["/etc/default/grub", "/etc/kernel/cmdline"], .grub),
            (["/etc/kernel/cmdline"], .systemdBoot(file: "/etc/kernel/cmdline")),
            (["/boot/cmdline.txt"], .firmware(file: "/boot/cmdline.txt")), ([], .none),
        ] as [([String], HostFacts.BootLoader)])
    func bootLoadersAreRecognised(files: [String], bootLoader: HostFacts.BootLoader) {
        #expect(HostFacts.bootLoader { files.contains($0) } == bootLoader)
    }

    @Test func aKernelFromElsewhereIsNotUpgradedFromHere() throws {
        func remedies(_ change: (inout HostFacts) -> Void) -> [String] {
            Self.findings {
                $0.kernel.calls[.clone3] = .no
                $0.kernel.hasOverlay = false
                $0.distribution = .debian
                change(&$0)
            }.compactMap(\.remedy)
        }
        #expect(remedies { _ in }.contains { $0.contains("linux-image-amd64") })
        #expect(remedies { $0.machine = "aarch64" }.contains { $0.contains("linux-image-arm64") })
        let others = remedies { $0.hasOwnKernel = false }
        #expect(!others.contains { $0.contains("apt-get") || $0.contains("modprobe") }, "\(others)")
    }

    @Test func onlySystemdReadsItsParameter() {
        let words = Self.findings {
            $0.cgroup.mode = .hybrid
            $0.tools.runsSystemd = false
        }.first { $0.id == "cgroup.mode" }?.remedy
        #expect(words?.contains("cgroup_no_v1=all") == true && words?.contains("systemd") == false, "\(words ?? "")")
    }

    @Test func theFirstLineIsWhatTheFindingsComeTo() {
        var facts = HostFacts()
        func first() -> String? { Doctor(facts).text().split(separator: "\n").first.map(String.init) }
        #expect(first() == "runbox doctor: fit to run containers: 0 missing, 0 warnings")
        facts.cgroup.hasFreeze = false
        facts.tools.criu = nil
        let partly = "fit to run containers: 1 missing, 1 warning; those that ask for what is missing fail"
        #expect(first() == "runbox doctor: \(partly)")
        facts.kernel.calls[.clone3] = .no
        let not = "not fit to run containers: 2 missing, 1 warning; 1 of what is missing all of them need"
        #expect(first() == "runbox doctor: \(not)")
    }

    // MARK: Reading

    @Test(
        arguments: [
            ("debian", .debian), ("ubuntu debian", .ubuntu), ("linuxmint ubuntu debian", .ubuntu), ("fedora", .fedora),
            ("rocky rhel centos fedora", .fedora), ("arch", .other), ("", .other),
        ] as [(String, HostFacts.Distribution)])
    func distributionsAreRecognised(ids: String, distribution: HostFacts.Distribution) {
        #expect(HostFacts.distribution(ids) == distribution)
    }

    @Test func subordinateIDsAreCounted() {
        let lines = ["ann:100000:65536", "bob:165536:65536", "1000:300000:10", "ann:1", "", "ann:x:y"]
        #expect(UserFacts.count(lines, of: "ann", number: "1000") == 65546)
        #expect(UserFacts.count(lines, of: "eve", number: "7") == 0)
    }

    @Test func controllersAreRead() {
        let (all, off) = CgroupFacts.kernelControllers([
            "#subsys_name\thierarchy\tnum_cgroups\tenabled", "cpu\t0\t10\t1", "memory\t0\t1\t0", "blkio\t3\t1\t1",
            "odd",
        ])
        #expect(all == ["cpu", "io"] && off == ["memory"])
        let lines = ["12:cpu,cpuacct:/x", "3:blkio:/", "1:name=systemd:/init", "0::/own:with:colons"]
        #expect(CgroupFacts.version1Controllers(lines) == ["cpu", "cpuacct", "io"])
    }

    @Test(
        arguments: [
            (["libsystemd-shared-252.so"], "252"), (["systemd", "libsystemd-shared-255.4-1.fc40.so"], "255"),
            (["libsystemd-shared-.so", "libsystemd-core-252.so"], nil), ([], nil),
        ] as [([String], String?)])
    func theVersionOfSystemdIsRead(names: [String], version: String?) {
        #expect(ToolFacts.systemdVersion(names) == version)
    }
}
