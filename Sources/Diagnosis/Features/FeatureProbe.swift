internal import CgroupPlanning
internal import Errors
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Plans one configuration that asks for everything that a runtime may or may not apply, and remembers what was refused
/// as not supported yet.
///
/// So `features` cannot say more or less than what `create` does with the field.
struct FeatureProbe {
    /// What is asked, and where in the configuration.
    enum Question: String, CaseIterable {
        case appArmor = "process.apparmorProfile"
        case selinuxLabel = "process.selinuxLabel"
        case mountLabel = "linux.mountLabel"
        case netDevices = "linux.netDevices"
        case seccompNotify = "linux.seccomp.syscalls[0].action"
        case seccompWaitKillable = "linux.seccomp.flags[0]"
    }

    static let configuration = """
        {"ociVersion": "1.3.0", "root": {"path": "rootfs"},
         "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/",
          "apparmorProfile": "profile", "selinuxLabel": "system_u:system_r:container_t:s0"},
         "linux": {
          "namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "pid"}, {"type": "user"}],
          "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
          "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
          "mountLabel": "system_u:object_r:container_file_t:s0", "netDevices": {"eth0": {}},
          "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent.sock",
           "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
           "syscalls": [{"names": ["read"], "action": "SCMP_ACT_NOTIFY"}]}}}
        """

    /// Fields that were refused as not supported yet.
    private let refused: [String]

    init() {
        let document = SpecDocument(bytes: Array(Self.configuration.utf8), file: "features")
        guard let spec = document.spec else {
            refused = Question.allCases.map { $0.rawValue }  // a configuration that cannot be read applies nothing
            return
        }
        var findings = Findings()
        let host = Host(effectiveUser: 0, effectiveGroup: 0, cgroups: CgroupHost(root: "/sys/fs/cgroup"))
        _ = LaunchPlan(
            spec, id: "features", bundle: "/", options: LaunchOptions(), mode: .create, host: host, findings: &findings)
        refused = findings.errors.filter { $0.isUnsupported }.map { $0.field }
    }

    /// Whether a field is applied; one that a field above or below it is refused for is not.
    func applies(_ question: Question) -> Bool {
        !refused.contains { Self.is($0, withinOrAbove: question.rawValue) }
    }

    private static func `is`(_ field: String, withinOrAbove asked: String) -> Bool {
        field == asked || isBelow(field, asked) || isBelow(asked, field)
    }

    private static func isBelow(_ field: String, _ other: String) -> Bool {
        guard let rest = field.rest(after: other) else { return false }
        return rest.begins(with: ".") || rest.begins(with: "[")
    }
}
