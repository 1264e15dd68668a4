import OCISpec
import Testing

/// Each field of a configuration with a wrong value.
@Suite struct MistakeTests {
    static let top: [(text: String, expected: [String])] = [
        (withMember(#""hostname":1"#), ["hostname: expected a string, found the number 1"]),
        (withMember(#""domainname":true"#), ["domainname: expected a string, found true"]),
        (withMember(#""hostname":"a\u0000b""#), [#"hostname: a string must not contain NUL (\u0000)"#]),
        (withMember(#""annotations":{"":"x"}"#), [#"annotations[""]: a key must not be empty"#]),
        (withMember(#""annotations":{"a.b":1}"#), [#"annotations["a.b"]: expected a string, found the number 1"#]),
        (
            withMember(#""annotations":{"a\u0000":"x"}"#),
            [#"annotations["a\u0000"]: a string must not contain NUL (\u0000)"#]
        ),
        (withMember(#""annotations":["a"]"#), ["annotations: expected an object, found an array"]),
        (withMember(#""mounts":{}"#), ["mounts: expected an array, found an object"]),
        (withMember(#""mounts":[{}]"#), [#"mounts[0]: missing required field "destination""#]),
        (withMember(#""mounts":[{"destination":""}]"#), ["mounts[0].destination: must not be empty"]),
        (
            withMember(#""mounts":[{"destination":"/","uidMappings":[]},{"destination":"/","gidMappings":[]}]"#),
            [
                #"mounts[0].uidMappings: must stand together with "gidMappings""#,
                #"mounts[1].gidMappings: must stand together with "uidMappings""#,
            ]
        ),
        (
            withMember(#""hooks":{"poststop":[{"path":"x","timeout":0},{"timeout":-5}]}"#),
            [
                #"hooks.poststop[0].path: expected an absolute path, found the string "x""#,
                "hooks.poststop[0].timeout: a timeout must be greater than zero, found 0",
                #"hooks.poststop[1]: missing required field "path""#,
                "hooks.poststop[1].timeout: a timeout must be greater than zero, found -5",
            ]
        ),
        (
            #"{"ociVersion":"1.0.0","root":{"path":"","readonly":"yes"}}"#,
            ["root.path: must not be empty", #"root.readonly: expected true or false, found the string "yes""#]
        ),
    ]

    static let versions: [(version: String, expected: [String])] = [
        ("1.0.0", []), ("1.3.0", []), ("1.3.7", []), ("1.2.0-rc.1+dev", []), ("1.0.2-dev", []), ("1.1.0+dev", []),
        ("1.4.0", ["version 1.4.0 is newer than 1.3.0, which this runtime implements; newer fields are ignored"]),
        ("2.0.0", ["version 2.0.0 is not supported; this runtime implements 1.3.0"]),
        ("0.9.0", ["version 0.9.0 is not supported; this runtime implements 1.3.0"]),
    ]

    static let notVersions = [
        "", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0-a..b",
        "1.0.0 ", "1.0.0-é", "1.-1.0", "a.b.c", "..",
    ]

    static let process: [(text: String, expected: [String])] = [
        (withMember(#""process":{}"#), [#"process: missing required field "cwd""#]),
        (withMember(#""process":{"cwd":""}"#), [#"process.cwd: expected an absolute path, found the string """#]),
        (
            withMember(#""process":{"cwd":"/","user":{}}"#),
            [#"process.user: missing required field "uid""#, #"process.user: "gid" is missing; 0 is taken"#]
        ),
        (
            withMember(#""process":{"cwd":"/","user":{"uid":4294967296,"gid":0,"umask":-1,"additionalGids":["5"]}}"#),
            [
                "process.user.uid: expected a number from 0 to 4294967295, found 4294967296",
                "process.user.umask: expected a number from 0 to 4294967295, found -1",
                #"process.user.additionalGids[0]: expected a number, found the string "5""#,
            ]
        ),
        (withProcess(#""args":[]"#), ["process.args: must name the program to run, found an empty array"]),
        (withProcess(#""args":"sh""#), [#"process.args: expected an array, found the string "sh""#]),
        (withProcess(#""args":["a\u0000"]"#), [#"process.args[0]: a string must not contain NUL (\u0000)"#]),
        (withProcess(#""env":[null]"#), ["process.env[0]: expected a string, found null"]),
        (withProcess(#""terminal":1"#), ["process.terminal: expected true or false, found the number 1"]),
        (withProcess(#""consoleSize":{"height":1}"#), [#"process.consoleSize: missing required field "width""#]),
        (withProcess(#""capabilities":[]"#), ["process.capabilities: expected an object, found an array"]),
        (
            withProcess(#""oomScoreAdj":1001"#),
            ["process.oomScoreAdj: expected a number from -1000 to 1000, found 1001"]
        ),
        (
            withProcess(#""rlimits":[{"type":"RLIMIT_AS","soft":0,"hard":0},{"type":"RLIMIT_AS","soft":-1}]"#),
            [
                #"process.rlimits[1]: missing required field "hard""#,
                #"process.rlimits[1].type: "RLIMIT_AS" stands twice, first in process.rlimits[0]"#,
                "process.rlimits[1].soft: expected a number from 0 to 18446744073709551615, found -1",
            ]
        ),
        (
            withProcess(#""scheduler":{"nice":20,"flags":["x"]}"#),
            [
                #"process.scheduler: missing required field "policy""#,
                "process.scheduler.nice: expected a number from -20 to 19, found 20",
                #"process.scheduler.flags[0]: unknown value "x"; expected one of "SCHED_FLAG_RESET_ON_FORK", "#
                    + #""SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "#
                    + #""SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX""#,
            ]
        ),
        (
            withProcess(#""ioPriority":{"class":"IOPRIO_CLASS_BEE","priority":8}"#),
            [
                #"process.ioPriority.class: unknown value "IOPRIO_CLASS_BEE"; "#
                    + #"expected one of "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE""#,
                "process.ioPriority.priority: expected a number from 0 to 7, found 8",
            ]
        ),
        (
            withProcess(#""execCPUAffinity":{"initial":"all"}"#),
            [#"process.execCPUAffinity.initial: expected a list of CPUs such as "0-3,7""#]
        ),
    ]

    static let linux: [(text: String, expected: [String])] = [
        (withLinux(#""namespaces":[{}]"#), [#"linux.namespaces[0]: missing required field "type""#]),
        (
            withLinux(#""namespaces":[{"type":"pid","path":"proc/1/ns/pid"}]"#),
            [#"linux.namespaces[0].path: expected an absolute path, found the string "proc/1/ns/pid""#]
        ),
        (
            withLinux(#""uidMappings":[{"containerID":0,"hostID":0,"size":0},{"size":1}]"#),
            [
                "linux.uidMappings[0].size: a mapping must have at least one ID, found size 0",
                #"linux.uidMappings[1]: missing required field "containerID""#,
                #"linux.uidMappings[1]: missing required field "hostID""#,
            ]
        ),
        (
            withLinux(#""timeOffsets":{"monotonik":{"secs":1},"boottime":{"nanosecs":-1}}"#),
            [
                #"linux.timeOffsets.monotonik: unknown key "monotonik"; did you mean "monotonic"?"#,
                "linux.timeOffsets.boottime.nanosecs: expected a number from 0 to 4294967295, found -1",
            ]
        ),
        (
            withLinux(#""devices":[{"type":"c","path":"dev/x"},{"type":"x","path":"/x"}]"#),
            [
                #"linux.devices[0]: missing required field "major""#,
                #"linux.devices[0]: missing required field "minor""#,
                #"linux.devices[0].path: expected an absolute path, found the string "dev/x""#,
                #"linux.devices[1].type: unknown value "x"; expected one of "c", "b", "u", "p""#,
            ]
        ),
        (withLinux(#""sysctl":{"net.x":1}"#), [#"linux.sysctl["net.x"]: expected a string, found the number 1"#]),
        (
            withLinux(#""rootfsPropagation":"privat""#),
            [#"linux.rootfsPropagation: unknown value "privat"; did you mean "private"?"#]
        ),
        (
            withLinux(#""maskedPaths":["x"],"readonlyPaths":["y"]"#),
            [
                #"linux.maskedPaths[0]: expected an absolute path, found the string "x""#,
                #"linux.readonlyPaths[0]: expected an absolute path, found the string "y""#,
            ]
        ),
        (
            withLinux(#""personality":{"domain":"LINUX64","flags":["x"]}"#),
            [
                #"linux.personality.domain: unknown value "LINUX64"; expected one of "LINUX", "LINUX32""#,
                "linux.personality.flags: the specification defines no flags yet; leave it out",
            ]
        ),
        (
            withLinux(#""memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"}"#),
            ["linux.memoryPolicy.nodes: invalid memory policy: the mode MPOL_LOCAL takes no nodes"]
        ),
        (
            withLinux(#""memoryPolicy":{"mode":"MPOL_BIND"}"#),
            [#"linux.memoryPolicy: invalid memory policy: the mode MPOL_BIND needs "nodes", such as "0-3,7""#]
        ),
        (
            withLinux(#""intelRdt":{"l3CacheSchema":"x","memBwSchema":"L3:","schemata":["a\nb"]}"#),
            [
                #"linux.intelRdt.l3CacheSchema: should start with "L3:""#,
                #"linux.intelRdt.memBwSchema: must start with "MB:""#,
                "linux.intelRdt.schemata: must not contain a line break",
            ]
        ),
    ]

    static let resources: [(text: String, expected: [String])] = [
        (
            withResources(#""devices":[{"access":"rwx"},{"allow":true,"type":"p"}]"#),
            [
                #"linux.resources.devices[0]: missing required field "allow""#,
                #"linux.resources.devices[0].access: "#
                    + #"expected a composition of "r", "w" and "m", found the string "rwx""#,
                #"linux.resources.devices[1].type: unknown value "p"; expected one of "a", "c", "b""#,
            ]
        ),
        (
            withResources(#""memory":{"limit":-2,"swappiness":101,"swap":9223372036854775808}"#),
            [
                "linux.resources.memory.limit: expected a number from -1 to 9223372036854775807, found -2",
                "linux.resources.memory.swappiness: expected a number from 0 to 100, found 101",
                "linux.resources.memory.swap: expected a number from -1 to 9223372036854775807, "
                    + "found 9223372036854775808",
            ]
        ),
        (
            withResources(#""cpu":{"idle":2,"quota":5,"burst":6}"#),
            [
                "linux.resources.cpu.idle: expected a number from 0 to 1, found 2",
                #"linux.resources.cpu.burst: must be no larger than "quota" (5), found 6"#,
            ]
        ),
        (
            withResources(#""blockIO":{"weight":65536,"weightDevice":[{"major":1,"minor":1}]}"#),
            [
                "linux.resources.blockIO.weight: expected a number from 0 to 65535, found 65536",
                #"linux.resources.blockIO.weightDevice[0]: needs at least one of "weight" and "leafWeight""#,
            ]
        ),
        (
            withResources(#""blockIO":{"throttleReadBpsDevice":[{"major":1}]}"#),
            [
                #"linux.resources.blockIO.throttleReadBpsDevice[0]: missing required field "minor""#,
                #"linux.resources.blockIO.throttleReadBpsDevice[0]: missing required field "rate""#,
            ]
        ),
        (
            withResources(#""rdma":{"m":{}}"#),
            [#"linux.resources.rdma.m: needs at least one of "hcaHandles" and "hcaObjects""#]
        ),
        (
            withResources(#""pids":{"limit":"5"}"#),
            [#"linux.resources.pids.limit: expected a number, found the string "5""#]
        ),
        (withResources(#""unified":{"":"x"}"#), [#"linux.resources.unified[""]: a key must not be empty"#]),
    ]

    static let seccomp: [(text: String, expected: [String])] = [
        (withLinux(#""seccomp":{}"#), [#"linux.seccomp: missing required field "defaultAction""#]),
        (
            withSeccomp(#""defaultErrnoRet":1,"listenerMetadata":"x""#),
            [
                "linux.seccomp.defaultErrnoRet: the action SCMP_ACT_ALLOW does not return an errno",
                #"linux.seccomp.listenerMetadata: must not be set without "listenerPath""#,
            ]
        ),
        (
            withSeccomp(#""architectures":["SCMP_ARCH_AMD64"],"flags":["TSYNC"]"#),
            [
                #"linux.seccomp.architectures[0]: unknown value "SCMP_ARCH_AMD64""#,
                #"linux.seccomp.flags[0]: unknown value "TSYNC"; did you mean "SECCOMP_FILTER_FLAG_TSYNC"?"#,
            ]
        ),
        (
            withSeccomp(
                #""syscalls":[{"names":[],"action":"SCMP_ACT_ERRNO","errnoRet":4096},{"action":"scmp_act_log"}]"#),
            [
                "linux.seccomp.syscalls[0].names: names no system call; the rule has no effect",
                "linux.seccomp.syscalls[0].errnoRet: expected a number from 0 to 4095, found 4096",
                #"linux.seccomp.syscalls[1]: missing required field "names""#,
                #"linux.seccomp.syscalls[1].action: unknown value "scmp_act_log"; did you mean "SCMP_ACT_LOG"?"#,
            ]
        ),
        (
            withSeccomp(#""syscalls":[{"names":[""],"action":"SCMP_ACT_LOG","args":[{"index":6,"op":"=="}]}]"#),
            [
                "linux.seccomp.syscalls[0].names: the name of a system call must not be empty",
                #"linux.seccomp.syscalls[0].args[0]: missing required field "value""#,
                "linux.seccomp.syscalls[0].args[0].index: expected a number from 0 to 5, found 6",
                #"linux.seccomp.syscalls[0].args[0].op: unknown value "=="; expected one of "SCMP_CMP_NE", "#
                    + #""SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "#
                    + #""SCMP_CMP_MASKED_EQ""#,
            ]
        ),
    ]

    private static func withSeccomp(_ members: String) -> String {
        withLinux(#""seccomp":{"defaultAction":"SCMP_ACT_ALLOW",\#(members)}"#)
    }

    @Test(arguments: top + process + linux + resources + seccomp)
    func everyMistakeIsFoundWithItsField(_ text: String, _ expected: [String]) {
        #expect(findings(text) == expected)
    }

    @Test(arguments: versions)
    func supportedVersionsAreAcceptedAndOthersRefused(_ version: String, _ expected: [String]) {
        let text = #"{"ociVersion":"\#(version)","root":{"path":"r"}}"#
        #expect(decode(text).findings.map(\.message) == expected)
    }

    @Test(arguments: notVersions)
    func malformedVersionsAreRefused(_ version: String) {
        let text = #"{"ociVersion":"\#(version)","root":{"path":"r"}}"#
        #expect(findings(text) == [#"ociVersion: expected a version in SemVer 2.0.0 format such as "1.3.0""#])
    }

    @Test func aVersionOfTheWrongTypeIsOneMistake() {
        #expect(
            findings(#"{"ociVersion":1,"root":{"path":"r"}}"#) == ["ociVersion: expected a string, found the number 1"])
    }

    // MARK: What runc and crun accept

    /// Each is a warning and has the meaning that both give it.
    @Test(arguments: [
        (withMember(#""process":{"cwd":"/","user":{"uid":7}}"#), #"process.user: "gid" is missing; 0 is taken"#),
        (
            withMember(#""process":{"cwd":"/","user":{"uid":7,"gid":null}}"#),
            #"process.user.gid: "gid" is missing; 0 is taken"#
        ),
        (
            withProcess(#""ioPriority":{"class":"IOPRIO_CLASS_BE"}"#),
            #"process.ioPriority: "priority" is missing; 0 is taken"#
        ),
        (
            withLinux(#""namespaces":[{"type":"pid","path":""}]"#),
            "linux.namespaces[0].path: is empty, as if it were absent: a new namespace is made"
        ),
        (
            withSeccomp(#""syscalls":[{"names":[],"action":"SCMP_ACT_ERRNO"}]"#),
            "linux.seccomp.syscalls[0].names: names no system call; the rule has no effect"
        ),
    ])
    func stretchedIsAWarning(_ text: String, _ message: String) throws {
        let document = decode(text)
        #expect(findings(text) == [message] && document.findings.allSatisfy { $0.severity == .warning })
        let spec = try #require(document.spec)
        #expect(spec.process?.user.gid ?? 0 == 0 && spec.process?.ioPriority?.priority ?? 0 == 0)
        #expect(spec.linux?.namespaces?.first?.path == nil)
    }
}
