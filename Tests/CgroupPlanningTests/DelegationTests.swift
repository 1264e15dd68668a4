import OCISpec
import TestSupport
import Testing

@testable import CgroupPlanning

@Suite("Whether the cgroup is handed over")
struct DelegationTests {
    private let mount = Mount(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"])
    private let namespace = Namespace(type: .cgroup)

    @Test("A new namespace and a writable mount at the usual place are needed")
    func wanted() {
        #expect(Delegation.isWanted(namespaces: [namespace], mounts: [mount]))
        #expect(!Delegation.isWanted(namespaces: [Namespace(type: .cgroup, path: "/x")], mounts: [mount]))
        #expect(!Delegation.isWanted(namespaces: [], mounts: [mount]))
        var other = mount
        other.options = ["nosuid", "ro"]
        #expect(!Delegation.isWanted(namespaces: [namespace], mounts: [other]))
        other = mount
        other.destination = "/cgroup"
        #expect(!Delegation.isWanted(namespaces: [namespace], mounts: [other]))
    }
}
