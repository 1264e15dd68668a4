import OCISpec
import Testing

@testable import ContainerRuntime

@Suite struct RootlessPlans {
    @Test(
        "What forbids user namespaces is told with its remedy",
        arguments: [
            (.clone, true, true, ["/proc/sys/user/max_user_namespaces": 0], "sysctl -w user.max_user_namespaces="),
            (.clone, true, false, ["/proc/sys/user/max_user_namespaces": 0], "sysctl -w user.max_user_namespaces="),
            (.clone, true, false, ["/proc/sys/user/max_user_namespaces": 5], nil),
            (.clone, false, false, ["/proc/sys/user/max_user_namespaces": 0], nil),
            (
                .clone, false, false, ["/proc/sys/kernel/unprivileged_userns_clone": 0],
                "sysctl -w kernel.unprivileged_userns_clone=1"
            ),
            (.clone, false, true, ["/proc/sys/kernel/unprivileged_userns_clone": 0], nil),
            (.clone, false, false, ["/proc/sys/kernel/unprivileged_userns_clone": 1], nil),
            (
                .clone, false, false, ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 1],
                "> /etc/apparmor.d/runbox"
            ),
            (
                .loopback, false, false, ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 1],
                "> /etc/apparmor.d/runbox"
            ),
            (.loopback, false, true, ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 1], nil),
            (.clone, false, false, ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 0], nil),
        ] as [(Step, Bool, Bool, [String: UInt64], String?)])
    func obstacles(step: Step, isFull: Bool, isRoot: Bool, files: [String: UInt64], words: String?) {
        let remedy = NamespaceObstacle.remedy(step: step, isFull: isFull, isRoot: isRoot) { files[$0] }
        if let words {
            #expect(remedy?.contains(words) == true, "\(remedy ?? "nothing")")
        } else {
            #expect(remedy == nil)
        }
    }

    @Test(
        "Ranges of /etc/subuid follow the user's own id",
        arguments: [
            ([], [(0, 1000, 1)]),
            (["ann:100000:65536"], [(0, 1000, 1), (1, 100_000, 65536)]),
            (
                ["bob:1:2", "1000:5:10", "ann:50:2", "ann:x:2", "ann:7:0", "ann:7"],
                [(0, 1000, 1), (1, 5, 10), (11, 50, 2)]
            ),
            (["ann:4294967290:65536", "ann:8:4294967295"], [(0, 1000, 1)]),
        ] as [([String], [(UInt32, UInt32, UInt32)])])
    func ranges(lines: [String], mappings: [(UInt32, UInt32, UInt32)]) {
        let expected = mappings.map { IDMapping(containerID: $0.0, hostID: $0.1, size: $0.2) }
        #expect(DefaultMappings.mappings(own: 1000, ranges: lines, names: ["ann", "1000"]) == expected)
    }

    @Test("They are for an ordinary user's own user namespace without mappings")
    func defaultMappings() {
        let new = Linux(namespaces: [Namespace(type: .user)])
        func wanted(_ linux: Linux?, user: UInt32 = 1000) -> Bool {
            DefaultMappings.wanted(by: Spec(ociVersion: "1.3.0", linux: linux), user: user, group: user) != nil
        }
        #expect(wanted(new))
        #expect(!wanted(new, user: 0))
        #expect(!wanted(nil))
        #expect(!wanted(Linux(namespaces: [Namespace(type: .user, path: "/proc/1/ns/user")])))
        #expect(
            !wanted(
                Linux(
                    namespaces: [Namespace(type: .user)], uidMappings: [IDMapping(containerID: 0, hostID: 1, size: 1)]))
        )
    }
}
