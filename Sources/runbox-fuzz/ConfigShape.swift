/// Configurations of a valid shape: every section may be there or not, and most values are ones that exist. What is
/// wrong with them shows only when they are planned.
enum ConfigShape {
    static let configuration = Shape.one([whole(linux: linux), whole(linux: linux), whole(linux: linuxWithUsers)])

    private static func whole(linux: [Shape.Member]) -> Shape {
        .object(top + [Shape.Member("linux", 95, .object(linux))])
    }

    private static let top: [Shape.Member] = [
        Shape.Member("ociVersion", 100, .words(["1.0.0", "1.0.2", "1.2.1", "1.3.0"])),
        Shape.Member("root", 97, .object(root)),
        Shape.Member("process", 95, .object(process)),
        Shape.Member("hostname", 40, .words(["host"])),
        Shape.Member("domainname", 20, .words(["example.org"])),
        Shape.Member("mounts", 80, .list(6, .object(mount))),
        Shape.Member("hooks", 20, .object(hooks)),
        Shape.Member("annotations", 20, .object(annotations)),
    ]

    private static let annotations: [Shape.Member] = [
        Shape.Member("a.b", 50, .words(["c"])),
        Shape.Member("run.oci.keep_original_groups", 30, .words(["1", "0"])),
        Shape.Member("run.oci.delegate-cgroup", 20, .words(["sub", "a/b", "../out"])),
    ]

    private static let root: [Shape.Member] = [
        Shape.Member("path", 100, .words(["rootfs", "rootfs", "rootfs", "/srv/root", "a/../b", "./r//s", "/"])),
        Shape.Member("readonly", 50, .boolean),
    ]

    private static let process: [Shape.Member] = [
        Shape.Member("terminal", 20, .boolean),
        Shape.Member("consoleSize", 20, .fixed("{\"height\":24,\"width\":80}")),
        Shape.Member("user", 100, .object(user)),
        Shape.Member("args", 97, .list(3, .words(["sh", "-c", "", "/bin/true", "é"]), least: 1)),
        Shape.Member("env", 70, .list(6, .words(["A=1", "A=2", "A=", "PATH=/bin", "HOME=/", "C==", "AB=3"]))),
        Shape.Member("cwd", 100, .words(["/", "/tmp", "/a/../b"])),
        Shape.Member("capabilities", 70, .object(capabilities)),
        Shape.Member("rlimits", 30, .object(rlimit).inList(3)),
        Shape.Member("apparmorProfile", 10, .words(["profile", "unconfined", "", "a//&b"])),
        Shape.Member("selinuxLabel", 10, .words(["u:r:t:s0", ""])),
        Shape.Member("noNewPrivileges", 60, .boolean),
        Shape.Member("oomScoreAdj", 30, .number(-1000...1000)),
        Shape.Member("scheduler", 15, .object(scheduler)),
        Shape.Member("ioPriority", 15, .object(ioPriority)),
        Shape.Member("execCPUAffinity", 10, .fixed("{\"initial\":\"0\",\"final\":\"0-1\"}")),
    ]

    private static let user: [Shape.Member] = [
        Shape.Member("uid", 100, .number(0...2000)), Shape.Member("gid", 100, .number(0...2000)),
        Shape.Member("umask", 30, .number(0...511)),
        Shape.Member("additionalGids", 30, .list(4, .number(0...2000))),
    ]

    private static let capabilities: [Shape.Member] = {
        let names = [
            "CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_BPF", "CAP_NOT_THERE", "cap_chown",
            "CAP_SETPCAP",
        ]
        return ["bounding", "effective", "inheritable", "permitted", "ambient"].map {
            Shape.Member($0, 70, .list(8, .words(names)))
        }
    }()

    private static let rlimit: [Shape.Member] = [
        Shape.Member(
            "type", 100, .words(["RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_RTTIME"])),
        Shape.Member("soft", 100, .number(0...1000)), Shape.Member("hard", 100, .number(900...2000)),
    ]

    private static let scheduler: [Shape.Member] = [
        Shape.Member(
            "policy", 100, .words(["SCHED_OTHER", "SCHED_FIFO", "SCHED_BATCH", "SCHED_IDLE", "SCHED_DEADLINE"])),
        Shape.Member("nice", 40, .number(-25...25)), Shape.Member("priority", 40, .number(0...120)),
        Shape.Member("flags", 20, .list(2, .words(["SCHED_FLAG_RESET_ON_FORK"]))),
        Shape.Member("runtime", 20, .number(0...1_000_000)),
    ]

    private static let ioPriority: [Shape.Member] = [
        Shape.Member("class", 100, .words(["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"])),
        Shape.Member("priority", 100, .number(0...7)),
    ]

    private static let mount: [Shape.Member] = [
        Shape.Member(
            "destination", 100, .words(["/proc", "/dev", "/data", "/a/../../b", "/sys/fs/cgroup", "/x//y/.", "/é"])),
        Shape.Member("type", 90, .words(["bind", "tmpfs", "tmpfs", "proc", "sysfs", "cgroup", "mqueue"])),
        Shape.Member("source", 90, .words(["/srv/data", "tmpfs", "relative/source", "proc"])),
        Shape.Member("options", 85, .list(6, .words(mountOptions))),
        Shape.Member("uidMappings", 3, .list(2, .object(mapping), least: 1)),
        Shape.Member("gidMappings", 3, .list(2, .object(mapping), least: 1)),
    ]

    private static let mountOptions = [
        "ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "bind", "rbind", "remount", "rro", "rrw",
        "rnosuid", "rsuid", "noatime", "strictatime", "relatime", "nosymfollow", "symfollow", "private", "rshared",
        "rslave", "mode=755", "size=1m", "sync", "defaults", "", "idmap",
    ]

    private static let hooks: [Shape.Member] = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ].map { Shape.Member($0, 40, .list(2, .fixed("{\"path\":\"/bin/true\",\"args\":[\"true\"],\"timeout\":5}"))) }

    private static let linux: [Shape.Member] =
        [
            Shape.Member("namespaces", 98, .some(percent: 85, namespaces)),
            Shape.Member("uidMappings", 5, .list(2, .object(mapping), least: 1)),
        ] + inEither

    /// With a user namespace of its own, and most of the time mappings for it.
    private static let linuxWithUsers: [Shape.Member] =
        [
            Shape.Member("namespaces", 100, .some(percent: 95, namespaces + [.fixed("{\"type\":\"user\"}")])),
            Shape.Member("uidMappings", 95, .list(2, .object(mapping), least: 1)),
            Shape.Member("gidMappings", 95, .list(2, .object(mapping), least: 1)),
        ] + inEither

    private static let inEither: [Shape.Member] = [
        Shape.Member("timeOffsets", 10, .fixed("{\"monotonic\":{\"secs\":5},\"boottime\":{\"nanosecs\":7}}")),
        Shape.Member("devices", 30, .list(3, .object(device))),
        Shape.Member("cgroupsPath", 50, .words(["/a/b", "c", "../../up", "a:b:c", "/", "", "/../../x"])),
        Shape.Member("resources", 60, .object(resources)),
        Shape.Member("intelRdt", 10, .fixed("{\"closID\":\"c\",\"l3CacheSchema\":\"L3:0=f\"}")),
        Shape.Member("memoryPolicy", 10, .fixed("{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\"}")),
        Shape.Member("sysctl", 20, .object(sysctl)),
        Shape.Member("seccomp", 50, .object(seccomp)),
        Shape.Member("rootfsPropagation", 30, .words(["shared", "slave", "private", "rprivate", "unbindable"])),
        Shape.Member("maskedPaths", 50, .list(4, .words(hiddenPaths))),
        Shape.Member("readonlyPaths", 50, .list(4, .words(hiddenPaths))),
        Shape.Member("netDevices", 10, .fixed("{\"eth0\":{\"name\":\"inside\"},\"eth1\":{}}")),
        Shape.Member("mountLabel", 5, .words(["label"])),
        Shape.Member("personality", 10, .fixed("{\"domain\":\"LINUX32\"}")),
    ]

    private static let hiddenPaths = ["/proc/kcore", "/proc/../sys", "/sys/firmware", "/a//b/.", "/"]

    /// Each kind at most once: twice is a mistake that the decoder finds.
    private static let namespaces: [Shape] =
        ["pid", "network", "mount", "ipc", "uts", "cgroup", "time"].map { kind in
            .object([
                Shape.Member("type", 100, .words([kind])), Shape.Member("path", 15, .words(["/proc/1/ns/\(kind)"])),
            ])
        }

    private static let mapping: [Shape.Member] = [
        Shape.Member("containerID", 100, .number(0...1)), Shape.Member("hostID", 100, .number(0...99_999)),
        Shape.Member("size", 100, .number(1...90_000)),
    ]

    private static let device: [Shape.Member] = [
        Shape.Member("type", 100, .words(["c", "b", "u", "p"])),
        Shape.Member("path", 100, .words(["/dev/fuse", "/dev/null", "/x/../dev/y"])),
        Shape.Member("major", 100, .number(0...300)), Shape.Member("minor", 100, .number(0...300)),
        Shape.Member("fileMode", 50, .number(0...511)), Shape.Member("uid", 30, .number(0...9)),
        Shape.Member("gid", 30, .number(0...9)),
    ]

    private static let resources: [Shape.Member] = [
        Shape.Member("devices", 50, .list(3, .object(deviceRule))),
        Shape.Member(
            "memory", 50,
            .object(["limit", "reservation", "kernel"].map { Shape.Member($0, 50, .number(-1...1 << 40)) })),
        Shape.Member("cpu", 50, .object(cpu)),
        Shape.Member("pids", 40, .object([Shape.Member("limit", 100, .number(-1...5000))])),
        Shape.Member("blockIO", 30, .object([Shape.Member("weight", 100, .number(10...1000))])),
        Shape.Member("hugepageLimits", 20, .list(1, .fixed("{\"pageSize\":\"2MB\",\"limit\":9}"))),
        Shape.Member("rdma", 10, .fixed("{\"m\":{\"hcaHandles\":1}}")),
        Shape.Member("unified", 20, .fixed("{\"io.max\":\"8:0 rbps=1\",\"pids.max\":\"7\"}")),
    ]

    private static let cpu: [Shape.Member] = [
        Shape.Member("shares", 50, .number(2...262_144)), Shape.Member("quota", 50, .number(-1...1_000_000)),
        Shape.Member("period", 50, .number(1000...1_000_000)), Shape.Member("burst", 20, .number(0...500)),
        Shape.Member("idle", 20, .number(0...1)), Shape.Member("cpus", 40, .words(["0-1"])),
        Shape.Member("mems", 20, .words(["0"])),
    ]

    private static let deviceRule: [Shape.Member] = [
        Shape.Member("allow", 100, .boolean), Shape.Member("type", 70, .words(["a", "c", "b"])),
        Shape.Member("major", 50, .number(0...300)), Shape.Member("minor", 50, .number(0...300)),
        Shape.Member("access", 80, .words(["rwm", "r", "rw", "m"])),
    ]

    private static let sysctl: [Shape.Member] = [
        "net.ipv4.ip_forward", "kernel.shm_rmid_forced", "fs.mqueue.msg_max", "net/core/somaxconn", "kernel.panic",
    ].map { Shape.Member($0, 20, .words(["0", "1"])) }

    private static let seccomp: [Shape.Member] = [
        Shape.Member("defaultAction", 100, .words(actions)), Shape.Member("defaultErrnoRet", 5, .number(0...100)),
        Shape.Member("architectures", 50, .list(2, .words(["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]))),
        Shape.Member("flags", 30, .list(2, .words(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]))),
        Shape.Member("listenerPath", 60, .words(["/run/agent"])),
        Shape.Member("syscalls", 90, .list(6, .object(rule))),
    ]

    private static let rule: [Shape.Member] = [
        Shape.Member("names", 100, .list(3, .words(["read", "write", "openat", "bpf", "nosuchcall"]), least: 1)),
        Shape.Member("action", 100, .words(actions)), Shape.Member("errnoRet", 5, .number(1...100)),
        Shape.Member("args", 30, .list(2, .object(argument))),
    ]

    private static let argument: [Shape.Member] = [
        Shape.Member("index", 100, .number(0...5)), Shape.Member("value", 100, .number(0...9)),
        Shape.Member("op", 100, .words(["SCMP_CMP_EQ", "SCMP_CMP_GT"])),
    ]

    private static let actions = [
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_LOG",
        "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY",
    ]
}

extension Shape {
    fileprivate func inList(_ most: Int) -> Shape { .list(most, self) }
}
