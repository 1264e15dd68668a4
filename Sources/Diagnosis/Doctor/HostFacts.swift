internal import Kernel
internal import KernelTypes
internal import OCISpec

/// What was found out about a machine, as a value: the judgement on it is tested without the machine.
struct HostFacts: Sendable {
    /// Families of distributions whose commands differ.
    enum Distribution: Sendable {
        case debian, ubuntu, fedora, other
    }

    /// What gives the kernel its command line.
    enum BootLoader: Sendable, Equatable {
        case grub
        /// kernel-install(8) for systemd-boot: the file with the words.
        case systemdBoot(file: String)
        /// A board whose firmware reads them from a file.
        case firmware(file: String)
        /// None that this machine could change: a container, or a virtual machine whose host starts the kernel.
        case none
    }

    var release = "6.18.0"
    var machine = "x86_64"
    /// The distribution's own name.
    var system = "Linux"
    var distribution = Distribution.other
    var bootLoader = BootLoader.grub
    /// Whether the running kernel is one that this system has installed, with its modules.
    var hasOwnKernel = true
    var userName = "root"
    var isRoot = true
    var kernel = KernelFacts()
    var cgroup = CgroupFacts()
    var users = UserFacts()
    var security = SecurityFacts()
    var tools = ToolFacts()
}

/// The kernel. The defaults are those of a current kernel with everything built in.
struct KernelFacts: Sendable {
    var calls: [KernelProbe.Call: KernelProbe.Answer] = [:]
    var cloneIntoCgroup = KernelProbe.Answer.yes
    var idMappedMounts = KernelProbe.Answer.yes
    var endsByPidfd = KernelProbe.Answer.yes
    var devicePrograms = KernelProbe.Answer.yes
    /// Kinds of namespaces that /proc/self/ns does not list.
    var missingNamespaces: [String] = []
    var hasOverlay = true

    /// What a call's trial said; a call that was not tried counts as there.
    func answer(_ call: KernelProbe.Call) -> KernelProbe.Answer { calls[call] ?? .yes }
}

/// The cgroups of the host, and what this user may do with them.
struct CgroupFacts: Sendable {
    enum Mode: Sendable {
        case unified, hybrid
        /// cgroup v1 alone.
        case legacy
        case none
    }

    var mode = Mode.unified
    /// Controllers of the v2 tree.
    var controllers = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"]
    /// Controllers that a cgroup v1 hierarchy has taken.
    var inVersion1: [String] = []
    /// Controllers that the kernel has at all, from /proc/cgroups; those switched off at boot are not among them.
    var inKernel = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"]
    /// Controllers that were switched off at boot.
    var switchedOff: [String] = []
    /// The cgroup below which runbox would make a container's, and whether this user may write there.
    var parent = "/"
    var isParentWritable = true
    /// Of an ordinary user: the controllers that systemd has delegated to the user's manager; nil where there is none.
    var delegated: [String]?
    /// nil where no cgroup could be looked at.
    var hasKill: Bool? = true
    var hasFreeze: Bool? = true
    var hasPressure = true
}

/// User namespaces, and what ordinary users need for them.
struct UserFacts: Sendable {
    struct Helper: Sendable {
        let path: String
        /// Whether it is set-user-ID, or has its capability.
        let isPrivileged: Bool
    }

    var trial = KernelProbe.UserNamespaceTrial.works
    /// user.max_user_namespaces.
    var maximum: UInt64?
    /// kernel.unprivileged_userns_clone of Debian's older kernels.
    var unprivilegedClone: Bool?
    /// kernel.apparmor_restrict_unprivileged_userns of Ubuntu.
    var appArmorRestricts: Bool?
    /// How many ids the user has in /etc/subuid and /etc/subgid.
    var subordinateUsers: UInt64 = 65536
    var subordinateGroups: UInt64 = 65536
    var newuidmap: Helper? = Helper(path: "/usr/bin/newuidmap", isPrivileged: true)
    var newgidmap: Helper? = Helper(path: "/usr/bin/newgidmap", isPrivileged: true)
    /// The default `--root`, and whether this user may write there.
    var stateRoot = "/run/user/1000/runbox"
    var canKeepState = true
}

/// What confines containers, and what protects the runtime from them.
struct SecurityFacts: Sendable {
    var missingActions: [String] = []
    var missingFlags: [String] = []
    var notifications = KernelProbe.Answer.yes
    var libseccomp = ""
    var appArmor = true
    /// Whether the kernel has it at all.
    var isAppArmorInKernel = true
    /// nil where there is no SELinux.
    var selinuxEnforces: Bool?
    /// Whether the executable can be sealed by a clone of its mount, or by a copy in memory.
    var cloneMounts = KernelProbe.Answer.yes
    var sealMemory = KernelProbe.Answer.yes
    /// vm.memfd_noexec.
    var memoryFilesNoExec: UInt64?
}

/// Programs and services beside the runtime.
struct ToolFacts: Sendable {
    var criu: String? = "/usr/sbin/criu"
    var criuVersion: String? = "4.1.1"
    /// Why CRIU does not work here, and what helps.
    var criuProblem: String?
    var criuRemedy: String?
    /// Whether the kernel tells which memory is written.
    var tracksMemory = true
    /// Whether memory can be loaded when it is used.
    var loadsLazily = true
    var runsSystemd = true
    /// From the name of its library; nil where that was not found.
    var systemdVersion: String?
    /// The bus that this user's cgroups would be asked for at; nil where there is none.
    var bus: String? = "/run/dbus/system_bus_socket"
    var hasResctrl = true
    var isResctrlMounted = true
}
