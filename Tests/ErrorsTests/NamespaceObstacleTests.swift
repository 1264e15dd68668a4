import Testing

@testable import Errors

@Suite struct NamespaceObstacleTests {
    @Test(
        "What forbids user namespaces is shown with its remedy",
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
}
