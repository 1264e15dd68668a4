import Errors
import Testing

@testable import CgroupPlanning

@Suite("The container's place in the tree")
struct CgroupPathTests {
    @Test(
        "A cgroupsPath leads to one cgroup",
        arguments: [
            ("/a/b", "/own/scope", "/a/b"), ("/a/../b/./c//", "/own/scope", "/b/c"), ("/../../a", "/own", "/a"),
            ("a/b", "/user.slice/session.scope", "/user.slice/a/b"),
            ("../a", "/user.slice/session.scope", "/user.slice/a"),
            ("a", "/", "/a"), ("a", nil, "/a"), ("", "/x/y", "/x/id1"), (nil, "/x/y", "/x/id1"), (nil, "/", "/id1"),
            ("a:b:c", "/x", "/a:b:c"),
        ] as [(String?, String?, String)])
    func leads(cgroupsPath: String?, own: String?, expected: String) throws {
        #expect(try CgroupPath(cgroupsPath, id: "id1", own: own).description == expected)
    }

    @Test("A relative path begins at the service that the runtime is part of")
    func inService() throws {
        let own = "/system.slice/web.service"
        #expect(try CgroupPath(nil, id: "id1", own: own, isBelowOwn: true).description == own + "/id1")
        #expect(try CgroupPath("../a/b", id: "id1", own: own, isBelowOwn: true).description == own + "/a/b")
        #expect(try CgroupPath("/a", id: "id1", own: own, isBelowOwn: true).description == "/a")
    }

    @Test(
        "The root and names that cannot be are refused",
        arguments: ["/", "/..", "/a/..", ".", "..", "/a\nb", "/" + String(repeating: "x", count: 256)])
    func refused(cgroupsPath: String) {
        #expect(throws: CgroupPlanError.self) { try CgroupPath(cgroupsPath, id: "id1", own: "/x/y") }
    }

    @Test("The cgroups above are known, and the record leads back")
    func ancestors() throws {
        let path = try CgroupPath("/a/b/c", id: "id1", own: nil)
        #expect(path.ancestors == ["/a", "/a/b"])
        #expect(CgroupPath(stored: path.description) == path)
    }

}
