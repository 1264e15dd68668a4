import Errors
import Testing

@testable import CgroupPlanning

@Suite struct ScopeNames {
    @Test(arguments: [
        ("system.slice:lim:t1", "lim-t1.scope", "system.slice", "/system.slice/lim-t1.scope"),
        (
            "a-b-c.slice:docker:12ab", "docker-12ab.scope", "a-b-c.slice",
            "/a.slice/a-b.slice/a-b-c.slice/docker-12ab.scope"
        ),
        (":p:n", "p-n.scope", "system.slice", "/system.slice/p-n.scope"),
        ("user.slice::n", "n.scope", "user.slice", "/user.slice/n.scope"),
        ("-.slice:p:n", "p-n.scope", "-.slice", "/p-n.scope"),
        (nil, "runbox-box.scope", "system.slice", "/system.slice/runbox-box.scope"),
        ("", "runbox-box.scope", "system.slice", "/system.slice/runbox-box.scope"),
    ])
    func aCgroupsPathNamesSliceAndScope(path: String?, unit: String, slice: String, place: String) throws {
        let name = try ScopeName(path, id: "box", isUser: false)
        #expect(name.unit == unit && name.slice == slice && name.path == place)
    }

    @Test func theDefaultSliceOfAUserIsUserSlice() throws {
        #expect(try ScopeName(":p:n", id: "box", isUser: true).slice == "user.slice")
        #expect(try ScopeName(nil, id: "box", isUser: true).slice == "user.slice")
    }

    @Test(arguments: [
        "/sys", "name", "a:b", "a.slice:b:c:d", "a:b:c", ".slice:b:c", "a--b.slice:b:c", "-a.slice:b:c",
        "a-.slice:b:c", "a/b.slice:b:c", "system.slice:b:", "system.slice::", "system.slice:b:c/d",
        "system.slice:b:c d",
        "system.slice:b:pod.slice", "system.slice:b:ü", "a@b.slice:b:c",
    ])
    func pathsThatNameNoScopeAreRefused(path: String) {
        #expect(throws: CgroupPlanError.self) { _ = try ScopeName(path, id: "box", isUser: false) }
    }

    @Test func aNameBeyondTheLimitIsRefused() throws {
        let name = String(repeating: "x", count: 247)
        #expect(try ScopeName("::\(name)x", id: "i", isUser: false).unit.utf8.count == 254)
        #expect(throws: CgroupPlanError.self) { _ = try ScopeName("::\(name)xxx", id: "i", isUser: false) }
    }

    /// A container's ID may have a plus, a unit's name may not.
    @Test func anIDThatIsNoUnitNameIsRefused() {
        #expect(throws: CgroupPlanError.self) { _ = try ScopeName(nil, id: "a+b", isUser: false) }
    }
}
