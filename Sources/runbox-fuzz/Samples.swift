internal import OCISpec

/// What mutations start from, and what they put in.
enum Samples {
    static let texts = [
        defaultSpecJSON(rootless: nil, cgroupNamespace: true),
        defaultSpecJSON(rootless: (1000, 1000), cgroupNamespace: false),
        linux, process, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"}}", "[]",
    ]

    /// Values and fragments that are each on the edge of something.
    static let pieces = [
        "null", "true", "false", "0", "-1", "1.0", "1e3", "1e400", "1e-400", "18446744073709551615", "0.5", "-0",
        "18446744073709551616", "-9223372036854775808", "\"\"", "\"x\"", "\"/\"", "[]", "{}", "[[]]", "{\"\":0}",
        "{\"a\":1,\"a\":2}", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"é\"", "\"\\n\\u001b\"", "\u{FEFF}",
        "\0", "\\", "\"", ",", ":", "[[[[[[[[", "{\"a\":", "\"SCMP_ACT_ERRNO\"", "\"pid\"", "\"\u{7F}\"",
        "\"a\":", "\"process\":", "[\"a\",\"b\",null,1]",
    ]

    private static let linux = """
        {"ociVersion":"1.2.0","root":{"path":"rootfs"},"annotations":{"a.b":"c","":"x"},"linux":{"namespaces":[
        {"type":"pid"},{"type":"network","path":"/run/n"}],"uidMappings":[{"containerID":0,"hostID":1,"size":1}],
        "timeOffsets":{"monotonic":{"secs":1,"nanosecs":2}},"devices":[{"type":"c","path":"/dev/x","major":1,"minor":2}],
        "netDevices":{"eth0":{"name":"n"}},"resources":{"devices":[{"allow":false,"access":"rwm"}],"memory":{"limit":1},
        "cpu":{"quota":5,"burst":5,"idle":1},"blockIO":{"weightDevice":[{"major":1,"minor":1,"weight":10}]},
        "hugepageLimits":[{"pageSize":"2MB","limit":1}],"rdma":{"m":{"hcaHandles":1}},"unified":{"io.max":"1"}},
        "intelRdt":{"memBwSchema":"MB:0=1"},"memoryPolicy":{"mode":"MPOL_BIND","nodes":"0"},
        "sysctl":{"net.ipv4.ip_forward":"1"},"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,
        "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]},
        "rootfsPropagation":"slave","personality":{"domain":"LINUX"}}}
        """

    private static let process = """
        {"terminal":true,"consoleSize":{"height":1,"width":2},"user":{"uid":0,"gid":0,"additionalGids":[1]},
        "args":["sh"],"env":["A=é\\u20ac"],"cwd":"/","capabilities":{"bounding":["CAP_KILL"]},
        "rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":2}],"oomScoreAdj":5,"scheduler":{"policy":"SCHED_RR"},
        "ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},"execCPUAffinity":{"initial":"0"},
        "memory":{"limit":5},"id":"x","status":"running","pid":5,"bundle":"/b","ociVersion":"1.0.0"}
        """
}
