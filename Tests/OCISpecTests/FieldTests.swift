import OCISpec
import Testing

/// Each field of a configuration with a right value.
@Suite struct FieldTests {
    @Test func nullCountsAsAbsent() throws {
        let spec = try clean(
            #"{"ociVersion":"1.0.0","root":{"path":"r","readonly":null},"process":null,"mounts":null,"linux":null}"#)
        #expect(spec == Spec(ociVersion: "1.0.0", root: Root(path: "r")))
    }

    @Test func emptyIsNotAbsent() throws {
        let spec = try clean(withMember(#""mounts":[],"annotations":{},"hostname":"","linux":{"namespaces":[]}"#))
        #expect(spec.mounts == [])
        #expect(spec.annotations == [])
        #expect(spec.hostname == "")
        #expect(spec.linux == Linux(namespaces: []))
    }

    @Test func topLevelFieldsAreRead() throws {
        let spec = try clean(
            withMember(
                #""hostname":"h","domainname":"d","annotations":{"z":"1","a":"2"},"hooks":{"prestart":[],"#
                    + #""createRuntime":[{"path":"/a","args":["a"],"env":["K=V"],"timeout":3}],"createContainer":[],"#
                    + #""startContainer":[],"poststart":[],"poststop":[]}"#))
        #expect(spec.hostname == "h")
        #expect(spec.domainname == "d")
        #expect(spec.annotations == [KeyValue(key: "z", value: "1"), KeyValue(key: "a", value: "2")])
        let hook = Hook(path: "/a", args: ["a"], env: ["K=V"], timeout: 3)
        let hooks = Hooks(
            prestart: [], createRuntime: [hook], createContainer: [], startContainer: [], poststart: [], poststop: [])
        #expect(spec.hooks == hooks)
    }

    @Test func fieldsOfAMountAreRead() throws {
        let spec = try clean(
            withMember(
                #""mounts":[{"destination":"/d","type":"t","source":"s","options":["o"],"#
                    + #""uidMappings":[{"containerID":1,"hostID":2,"size":3}],"gidMappings":[]}]"#))
        let mount = Mount(
            destination: "/d", type: "t", source: "s", options: ["o"],
            uidMappings: [IDMapping(containerID: 1, hostID: 2, size: 3)], gidMappings: [])
        #expect(spec.mounts == [mount])
    }

    @Test func fieldsOfAProcessAreRead() throws {
        let spec = try clean(
            withMember(
                #""process":{"terminal":true,"consoleSize":{"height":25,"width":80},"user":{"uid":1,"gid":2,"umask":18,"#
                    + #""additionalGids":[3]},"args":["sh"],"env":["A=B"],"cwd":"/","capabilities":{"bounding":["B"],"#
                    + #""effective":["E"],"inheritable":["I"],"permitted":["P"],"ambient":["A"]},"rlimits":["#
                    + #"{"type":"RLIMIT_AS","soft":1,"hard":18446744073709551615}],"noNewPrivileges":true,"#
                    + #""apparmorProfile":"a","oomScoreAdj":-1000,"scheduler":{"policy":"SCHED_DEADLINE","nice":-20,"#
                    + #""priority":5,"flags":["SCHED_FLAG_RECLAIM"],"runtime":1,"deadline":2,"period":3},"#
                    + #""selinuxLabel":"s","ioPriority":{"class":"IOPRIO_CLASS_RT","priority":7},"#
                    + #""execCPUAffinity":{"initial":"0-3, 7","final":""}}"#))
        let expected = Process(
            terminal: true, consoleSize: ConsoleSize(height: 25, width: 80),
            user: User(uid: 1, gid: 2, umask: 18, additionalGids: [3]), args: ["sh"], env: ["A=B"], cwd: "/",
            capabilities: Capabilities(
                bounding: ["B"], effective: ["E"], inheritable: ["I"], permitted: ["P"], ambient: ["A"]),
            rlimits: [RLimit(type: .addressSpace, soft: 1, hard: .max)], noNewPrivileges: true, apparmorProfile: "a",
            oomScoreAdj: -1000,
            scheduler: Scheduler(
                policy: .deadline, nice: -20, priority: 5, flags: [.reclaim], runtime: 1, deadline: 2, period: 3),
            selinuxLabel: "s", ioPriority: IOPriority(class: .realtime, priority: 7),
            execCPUAffinity: CPUAffinity(initial: "0-3, 7", final: ""))
        #expect(spec.process == expected)
    }

    @Test func fieldsOfLinuxAreRead() throws {
        let spec = try clean(
            withLinux(
                #""namespaces":[{"type":"time","path":"/n"},{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1,"#
                    + #""size":1}],"gidMappings":[],"timeOffsets":{"monotonic":{"secs":-1},"boottime":{"nanosecs":5}},"#
                    + #""devices":[{"type":"p","path":"/f"},{"type":"u","path":"/d","major":1,"minor":2,"#
                    + #""fileMode":8630,"uid":3,"gid":4}],"netDevices":{"eth0":{"name":"n"},"eth1":{}},"#
                    + #""cgroupsPath":"/c","resources":{},"intelRdt":{"closID":"c","l3CacheSchema":"L3:0=f","#
                    + #""memBwSchema":"MB:0=1","schemata":["L2:0=f"],"enableMonitoring":false},"#
                    + #""memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]},"#
                    + #""sysctl":{"net.x":"1"},"rootfsPropagation":"rprivate","maskedPaths":["/m"],"#
                    + #""readonlyPaths":["/r"],"mountLabel":"l","personality":{"domain":"LINUX32","flags":[]}"#))
        let expected = Linux(
            namespaces: [Namespace(type: .time, path: "/n"), Namespace(type: .user)],
            uidMappings: [IDMapping(containerID: 0, hostID: 1, size: 1)], gidMappings: [],
            timeOffsets: TimeOffsets(monotonic: ClockOffset(secs: -1), boottime: ClockOffset(nanosecs: 5)),
            devices: [
                Device(type: .p, path: "/f"),
                Device(type: .u, path: "/d", major: 1, minor: 2, fileMode: 8630, uid: 3, gid: 4),
            ],
            netDevices: [NetDevice(hostName: "eth0", name: "n"), NetDevice(hostName: "eth1")], cgroupsPath: "/c",
            resources: Resources(),
            intelRdt: IntelRdt(
                closID: "c", l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=1", schemata: ["L2:0=f"],
                enableMonitoring: false),
            memoryPolicy: MemoryPolicy(mode: .bind, nodes: "0", flags: [.staticNodes]),
            sysctl: [KeyValue(key: "net.x", value: "1")], rootfsPropagation: .rprivate, maskedPaths: ["/m"],
            readonlyPaths: ["/r"], mountLabel: "l", personality: Personality(domain: .linux32, flags: []))
        #expect(spec.linux == expected)
    }

    @Test func fieldsOfResourcesAreRead() throws {
        let throttle = #"[{"major":8,"minor":0,"rate":600}]"#
        let spec = try clean(
            withResources(
                #""devices":[{"allow":true,"type":"c","major":-1,"minor":2,"access":"rwm"},{"allow":false}],"#
                    + #""memory":{"limit":-1,"reservation":1,"swap":2,"kernel":3,"kernelTCP":4,"swappiness":100,"#
                    + #""disableOOMKiller":true,"useHierarchy":false,"checkBeforeUpdate":true},"#
                    + #""cpu":{"shares":1,"quota":5,"burst":5,"period":2,"realtimeRuntime":3,"realtimePeriod":4,"#
                    + #""cpus":"0","mems":"1","idle":1},"pids":{"limit":0},"#
                    + #""blockIO":{"weight":10,"leafWeight":11,"weightDevice":[{"major":8,"minor":0,"leafWeight":1}],"#
                    + #""throttleReadBpsDevice":\#(throttle),"throttleWriteBpsDevice":\#(throttle),"#
                    + #""throttleReadIOPSDevice":\#(throttle),"throttleWriteIOPSDevice":\#(throttle)},"#
                    + #""hugepageLimits":[{"pageSize":"2MB","limit":1e3}],"network":{"classID":1,"#
                    + #""priorities":[{"name":"eth0","priority":2}]},"rdma":{"m":{"hcaObjects":1}},"#
                    + #""unified":{"io.max":"1"}"#))
        let device = ThrottleDevice(major: 8, minor: 0, rate: 600)
        let expected = Resources(
            devices: [
                DeviceRule(allow: true, type: .c, major: -1, minor: 2, access: "rwm"), DeviceRule(allow: false),
            ],
            memory: MemoryResources(
                limit: -1, reservation: 1, swap: 2, kernel: 3, kernelTCP: 4, swappiness: 100, disableOOMKiller: true,
                useHierarchy: false, checkBeforeUpdate: true),
            cpu: CPUResources(
                shares: 1, quota: 5, burst: 5, period: 2, realtimeRuntime: 3, realtimePeriod: 4, cpus: "0", mems: "1",
                idle: 1),
            pids: PIDsResources(limit: 0),
            blockIO: BlockIOResources(
                weight: 10, leafWeight: 11, weightDevice: [WeightDevice(major: 8, minor: 0, leafWeight: 1)],
                throttleReadBpsDevice: [device], throttleWriteBpsDevice: [device], throttleReadIOPSDevice: [device],
                throttleWriteIOPSDevice: [device]),
            hugepageLimits: [HugepageLimit(pageSize: "2MB", limit: 1000)],
            network: NetworkResources(classID: 1, priorities: [InterfacePriority(name: "eth0", priority: 2)]),
            rdma: [RDMALimit(device: "m", hcaObjects: 1)], unified: [KeyValue(key: "io.max", value: "1")])
        #expect(spec.linux?.resources == expected)
    }

    @Test func fieldsOfSeccompAreRead() throws {
        let spec = try clean(
            withLinux(
                #""seccomp":{"defaultAction":"SCMP_ACT_TRACE","defaultErrnoRet":65535,"architectures":["SCMP_ARCH_X86"],"#
                    + #""flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/l","listenerMetadata":"m","syscalls":["#
                    + #"{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":4095,"args":[{"index":5,"value":1,"#
                    + #""valueTwo":18446744073709551615,"op":"SCMP_CMP_MASKED_EQ"}]}]}"#))
        let argument = SeccompArgument(index: 5, value: 1, valueTwo: .max, op: .maskedEqual)
        let expected = Seccomp(
            defaultAction: .trace, defaultErrnoRet: 65535, architectures: [.x86], flags: [.log], listenerPath: "/l",
            listenerMetadata: "m",
            syscalls: [SeccompRule(names: ["read"], action: .errno, errnoRet: 4095, args: [argument])])
        #expect(spec.linux?.seccomp == expected)
    }

    /// Every word of every closed set of the specification, in its own spelling.
    @Test func everyWordOfEveryClosedSetIsRead() throws {
        for word in Words.rlimits {
            let spec = try clean(withProcess(#""args":["x"],"rlimits":[{"type":"\#(word)","soft":1,"hard":1}]"#))
            #expect(spec.process?.rlimits?.map(\.type.rawValue) == [word])
        }
        for word in Words.namespaces {
            let spec = try clean(withLinux(#""namespaces":[{"type":"\#(word)"}]"#))
            #expect(spec.linux?.namespaces?.map(\.type.rawValue) == [word])
        }
        for word in Words.policies {
            let spec = try clean(withProcess(#""args":["x"],"scheduler":{"policy":"\#(word)"}"#))
            #expect(spec.process?.scheduler?.policy.rawValue == word)
        }
        let flags = Words.list(Words.schedulerFlags)
        let process = try clean(
            withProcess(#""args":["x"],"scheduler":{"policy":"SCHED_OTHER","flags":\#(flags)}"#)
        ).process
        #expect(process?.scheduler?.flags?.map(\.rawValue) == Words.schedulerFlags)
        for word in Words.propagations {
            #expect(
                try clean(withLinux(#""rootfsPropagation":"\#(word)""#)).linux?.rootfsPropagation?.rawValue == word)
        }
        for word in Words.memoryPolicies {
            let nodes = ["MPOL_DEFAULT", "MPOL_LOCAL"].contains(word) ? "" : #","nodes":"0""#
            let spec = try clean(withLinux(#""memoryPolicy":{"mode":"\#(word)"\#(nodes)}"#))
            #expect(spec.linux?.memoryPolicy?.mode.rawValue == word)
        }
        let memoryFlags = Words.list(Words.memoryFlags)
        let linux = try clean(
            withLinux(#""memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":\#(memoryFlags)}"#)
        ).linux
        #expect(linux?.memoryPolicy?.flags?.map(\.rawValue) == Words.memoryFlags)
    }

    @Test func everyWordOfSeccompIsRead() throws {
        for word in Words.actions {
            let spec = try clean(withLinux(#""seccomp":{"defaultAction":"\#(word)"}"#))
            #expect(spec.linux?.seccomp?.defaultAction.rawValue == word)
        }
        let operators = Words.operators.map { #"{"index":0,"value":1,"op":"\#($0)"}"# }.joined(separator: ",")
        let seccomp = try clean(
            withLinux(
                #""seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":\#(Words.list(Words.architectures)),"#
                    + #""flags":\#(Words.list(Words.seccompFlags)),"#
                    + #""syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[\#(operators)]}]}"#)
        ).linux?.seccomp
        #expect(seccomp?.architectures?.map(\.rawValue) == Words.architectures)
        #expect(seccomp?.flags?.map(\.rawValue) == Words.seccompFlags)
        #expect(seccomp?.syscalls?.first?.args?.map(\.op.rawValue) == Words.operators)
    }

    /// What the decoders know and these tests do not would be a word that nobody has compared with the specification.
    @Test func noClosedSetHasAWordMore() {
        #expect(Set(RLimitType.allCases.map(\.rawValue)) == Set(Words.rlimits))
        #expect(Set(NamespaceType.allCases.map(\.rawValue)) == Set(Words.namespaces))
        #expect(Set(SchedulerPolicy.allCases.map(\.rawValue)) == Set(Words.policies))
        #expect(Set(SchedulerFlag.allCases.map(\.rawValue)) == Set(Words.schedulerFlags))
        #expect(Set(SeccompAction.allCases.map(\.rawValue)) == Set(Words.actions))
        #expect(Set(SeccompArchitecture.allCases.map(\.rawValue)) == Set(Words.architectures))
        #expect(Set(SeccompFlag.allCases.map(\.rawValue)) == Set(Words.seccompFlags))
        #expect(Set(SeccompOperator.allCases.map(\.rawValue)) == Set(Words.operators))
        #expect(Set(MemoryPolicyMode.allCases.map(\.rawValue)) == Set(Words.memoryPolicies))
        #expect(Set(MemoryPolicyFlag.allCases.map(\.rawValue)) == Set(Words.memoryFlags))
        #expect(Set(RootfsPropagation.allCases.map(\.rawValue)) == Set(Words.propagations))
    }
}

/// The closed sets as the specification writes them.
private enum Words {
    static let rlimits = [
        "AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE", "NOFILE", "NPROC", "RSS",
        "RTPRIO", "RTTIME", "SIGPENDING", "STACK",
    ].map { "RLIMIT_" + $0 }
    static let namespaces = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]
    static let policies = ["OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE"].map { "SCHED_" + $0 }
    static let schedulerFlags = [
        "RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", "KEEP_POLICY", "KEEP_PARAMS", "UTIL_CLAMP_MIN", "UTIL_CLAMP_MAX",
    ].map { "SCHED_FLAG_" + $0 }
    static let actions = ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY"]
        .map { "SCMP_ACT_" + $0 }
    static let architectures = [
        "X86", "X86_64", "X32", "ARM", "AARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32",
        "PPC", "PPC64", "PPC64LE", "S390", "S390X", "PARISC", "PARISC64", "RISCV64", "LOONGARCH64", "M68K", "SH",
        "SHEB",
    ].map { "SCMP_ARCH_" + $0 }
    static let seccompFlags = ["TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"].map { "SECCOMP_FILTER_FLAG_" + $0 }
    static let operators = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map { "SCMP_CMP_" + $0 }
    static let memoryPolicies = [
        "DEFAULT", "BIND", "INTERLEAVE", "WEIGHTED_INTERLEAVE", "PREFERRED", "PREFERRED_MANY", "LOCAL",
    ].map { "MPOL_" + $0 }
    static let memoryFlags = ["NUMA_BALANCING", "RELATIVE_NODES", "STATIC_NODES"].map { "MPOL_F_" + $0 }
    static let propagations = [
        "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable",
    ]

    static func list(_ words: [String]) -> String { "[\(words.map { "\"\($0)\"" }.joined(separator: ","))]" }
}
