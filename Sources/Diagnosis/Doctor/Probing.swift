internal import ContainerRuntime
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// Gathers the facts. Nothing here judges, and nothing changes the host.
extension HostFacts {
    static func gather() -> HostFacts {
        var facts = HostFacts()
        (facts.release, facts.machine) = KernelProbe.machine
        facts.isRoot = Credentials.effectiveUser == 0
        facts.userName = HostFiles.userName(Credentials.effectiveUser)
        let system = HostFiles.lines("/etc/os-release")
        facts.system = value("PRETTY_NAME", in: system) ?? "Linux"
        facts.distribution = distribution(
            [value("ID", in: system), value("ID_LIKE", in: system)].compactMap { $0 }.joined(separator: " "))
        facts.bootLoader = bootLoader(exists: Files.exists)
        facts.hasOwnKernel = Files.exists("/lib/modules/\(facts.release)")
        facts.kernel = KernelFacts.gather()
        facts.cgroup = CgroupFacts.gather(isRoot: facts.isRoot)
        facts.users = UserFacts.gather(name: facts.userName)
        facts.security = SecurityFacts.gather()
        facts.tools = ToolFacts.gather(isRoot: facts.isRoot)
        return facts
    }

    private static func value(_ key: String, in lines: [String]) -> String? {
        for line in lines {
            guard let text = line.rest(after: "\(key)=") else { continue }
            return String(decoding: text.utf8.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
        }
        return nil
    }

    /// - Parameter exists: whether a file is there.
    static func bootLoader(exists: (String) -> Bool) -> BootLoader {
        for file in ["/boot/firmware/cmdline.txt", "/boot/cmdline.txt"] where exists(file) {
            return .firmware(file: file)
        }
        if exists("/etc/default/grub") { return .grub }
        return exists("/etc/kernel/cmdline") ? .systemdBoot(file: "/etc/kernel/cmdline") : .none
    }

    static func distribution(_ ids: String) -> Distribution {
        let words = ids.parts(by: " ")
        if words.contains("ubuntu") { return .ubuntu }
        if words.contains("debian") { return .debian }
        return words.contains("fedora") || words.contains("rhel") || words.contains("centos") ? .fedora : .other
    }

    /// A program of the search path or of the usual folders.
    static func program(_ name: String) -> String? {
        let folders =
            (Processes.environment("PATH") ?? "").parts(by: ":")
            + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return folders.map { "\($0)/\(name)" }.first { Files.isExecutable($0) }
    }
}

extension KernelFacts {
    static func gather() -> KernelFacts {
        var facts = KernelFacts()
        for call in KernelProbe.Call.allCases { facts.calls[call] = KernelProbe.has(call) }
        facts.cloneIntoCgroup = KernelProbe.canCloneIntoCgroup
        facts.idMappedMounts = KernelProbe.canMapMounts
        // Users other than root are refused before the kernel looks; the flag came with the call itself.
        if case .refused = facts.idMappedMounts, facts.answer(.mountSetattr) == .yes { facts.idMappedMounts = .yes }
        facts.endsByPidfd = KernelProbe.reportsExit
        facts.devicePrograms = KernelProbe.loadsDevicePrograms
        let files = [
            ("cgroup", "cgroup"), ("ipc", "ipc"), ("mnt", "mount"), ("net", "network"), ("pid", "pid"),
            ("time", "time"), ("user", "user"), ("uts", "uts"),
        ]
        facts.missingNamespaces = files.filter { !Files.exists("/proc/self/ns/\($0.0)") }.map { $0.1 }
        facts.hasOverlay = HostFacts.fileSystems.contains("overlay")
        return facts
    }
}

extension HostFacts {
    /// The types that can be mounted: those that are loaded.
    static var fileSystems: [String] { HostFiles.lines("/proc/filesystems").compactMap { $0.parts(by: "\t").last } }
}

extension SecurityFacts {
    static func gather() -> SecurityFacts {
        var facts = SecurityFacts()
        let actions: [(String, SeccompVerdict)] = [
            ("SCMP_ACT_ALLOW", .allow), ("SCMP_ACT_ERRNO", .errno(0)), ("SCMP_ACT_KILL_PROCESS", .killProcess),
            ("SCMP_ACT_KILL_THREAD", .killThread), ("SCMP_ACT_TRAP", .trap), ("SCMP_ACT_TRACE", .trace(0)),
            ("SCMP_ACT_LOG", .log), ("SCMP_ACT_NOTIFY", .notify),
        ]
        facts.missingActions = actions.filter { !SeccompSupport.isAvailable($0.1) }.map { $0.0 }
        let flags = [
            ("SECCOMP_FILTER_FLAG_LOG", SeccompSupport.isKnown(flag: SeccompSupport.log)),
            ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", SeccompSupport.isKnown(flag: SeccompSupport.allowSpeculation)),
            ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SeccompSupport.knowsWaitKillable),
        ]
        facts.missingFlags = flags.filter { !$0.1 }.map { $0.0 }
        facts.notifications = KernelProbe.hasSeccompNotifications
        facts.libseccomp = SeccompLibrary.version
        facts.appArmor = HostFiles.lines("/sys/module/apparmor/parameters/enabled").first == "Y"
        facts.isAppArmorInKernel = Files.exists("/sys/module/apparmor")
        facts.selinuxEnforces = HostFiles.number("/sys/fs/selinux/enforce").map { $0 == 1 }
        facts.cloneMounts = KernelProbe.clonesMounts
        facts.sealMemory = KernelProbe.sealsMemory
        facts.memoryFilesNoExec = HostFiles.number("/proc/sys/vm/memfd_noexec")
        return facts
    }
}

extension UserFacts {
    static func gather(name: String) -> UserFacts {
        var facts = UserFacts()
        facts.trial = KernelProbe.userNamespaces
        facts.maximum = HostFiles.number("/proc/sys/user/max_user_namespaces")
        facts.unprivilegedClone = HostFiles.number("/proc/sys/kernel/unprivileged_userns_clone").map { $0 == 1 }
        facts.appArmorRestricts = HostFiles.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").map {
            $0 == 1
        }
        let user = "\(Credentials.effectiveUser)"
        facts.subordinateUsers = count(HostFiles.lines("/etc/subuid"), of: name, number: user)
        facts.subordinateGroups = count(HostFiles.lines("/etc/subgid"), of: name, number: user)
        facts.newuidmap = helper("newuidmap")
        facts.newgidmap = helper("newgidmap")
        facts.stateRoot = Store.defaultRoot()
        // Made when the first container is, below the first folder that is there.
        var folder = facts.stateRoot
        while !Files.exists(folder), let above = folder.splitAtLastSlash?.folder, !above.isEmpty { folder = above }
        facts.canKeepState = Files.isWritable(folder)
        return facts
    }

    /// Lines `name:first:count` of subuid(5); the name may also be the user's number.
    static func count(_ lines: [String], of name: String, number: String) -> UInt64 {
        lines.reduce(0) { sum, line in
            let fields = line.parts(by: ":", keepingEmpty: true)
            guard fields.count == 3, fields[0] == name || fields[0] == number else { return sum }
            return sum &+ (UInt64(fields[2]) ?? 0)
        }
    }

    private static func helper(_ name: String) -> Helper? {
        guard let path = HostFacts.program(name), let status = try? Files.status(path) else { return nil }
        let isSetUser = status.permissions & 0o4000 != 0 && status.owner == 0
        return Helper(path: path, isPrivileged: isSetUser || Files.hasCapabilities(path))
    }
}

extension ToolFacts {
    static func gather(isRoot: Bool) -> ToolFacts {
        var facts = ToolFacts()
        let criu = CheckpointSupport.probe()
        facts.criu = criu?.program
        facts.criuVersion = criu?.version
        facts.criuProblem = criu?.problem
        facts.criuRemedy = criu?.remedy
        facts.tracksMemory = criu?.tracksMemory ?? false
        facts.loadsLazily = criu?.loadsLazily ?? false
        facts.runsSystemd = Files.exists("/run/systemd/system")
        // A folder that is not there has no library.
        facts.systemdVersion = systemdVersion(
            ["/usr/lib/systemd", "/lib/systemd", "/usr/lib64/systemd"].flatMap { (try? Files.list($0)) ?? [] })
        let runtime = Processes.environment("XDG_RUNTIME_DIR") ?? "/run/user/\(Credentials.effectiveUser)"
        let buses =
            isRoot
            ? ["/run/dbus/system_bus_socket", "/run/systemd/private"]
            : ["\(runtime)/bus", "\(runtime)/systemd/private"]
        facts.bus = buses.first { Files.exists($0) }
        facts.hasResctrl = HostFacts.fileSystems.contains("resctrl")
        facts.isResctrlMounted = Files.exists("/sys/fs/resctrl/schemata")
        return facts
    }

    /// From the name of the library that all of systemd shares: libsystemd-shared-252.so,
    /// libsystemd-shared-255.4-1.fc40.so.
    static func systemdVersion(_ names: [String]) -> String? {
        for name in names {
            guard let rest = name.rest(after: "libsystemd-shared-"), rest.ends(with: ".so") else { continue }
            let digits = rest.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            if !digits.isEmpty { return String(decoding: Array(digits), as: UTF8.self) }
        }
        return nil
    }
}
