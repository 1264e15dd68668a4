import OCISpec
import Planning
import Testing

@testable import ContainerRuntime

@Suite struct SubordinateIDsTests {
    @Test("Default mappings are for a user namespace of the container's own without mappings")
    func defaultMappings() {
        let new = Linux(namespaces: [Namespace(type: .user)])
        func wanted(_ linux: Linux?, user: UInt32 = 1000) -> Bool {
            DefaultMappings.wanted(by: Spec(ociVersion: "1.3.0", linux: linux), user: user, group: user) != nil
        }
        #expect(wanted(new))
        #expect(wanted(new, user: 0))
        #expect(!wanted(nil))
        #expect(!wanted(Linux(namespaces: [Namespace(type: .user, path: "/proc/1/ns/user")])))
        #expect(
            !wanted(
                Linux(
                    namespaces: [Namespace(type: .user)], uidMappings: [IDMapping(containerID: 0, hostID: 1, size: 1)]))
        )
    }
}
