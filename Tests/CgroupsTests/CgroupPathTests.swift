import Kernel
import OCISpec
import Testing

@testable import Cgroups

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

    @Test("Only a service's own cgroup is a service's")
    func services() {
        #expect(OwnService.find("/system.slice/web.service", root: "/nowhere")?.name == "web.service")
        #expect(OwnService.find("/system.slice/web.service", root: "/nowhere")?.isDelegated == false)
        for path in ["/", "/user.slice/session-1.scope", "/a.service/inner", "/../x.service", nil] {
            #expect(OwnService.find(path, root: "/nowhere") == nil)
        }
    }

    @Test("The way to a cgroup below is found by the bytes of its names")
    func namesBelow() {
        let text = Array("1:cpu:/c/x\n0::/c/a/".utf8) + [0xff] + Array("/b\n".utf8)
        #expect(FSManager.names(inProcCgroup: text, below: "/c") == [ByteName("a"), ByteName([0xff]), ByteName("b")])
        #expect(FSManager.names(inProcCgroup: text, below: "/c/a").count == 2)
        for other in ["/", "/c/a/b", "/cc", "/d"] { #expect(FSManager.names(inProcCgroup: text, below: other) == []) }
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

    @Test("A record that names no cgroup is refused: removing it would mean the root")
    func emptyRecord() {
        #expect(throws: CgroupError.self) {
            _ = try CgroupManager.open(CgroupRecord(mode: .fs, root: "/sys/fs/cgroup", path: "/", created: []))
        }
    }
}

@Suite("The host's cgroup tree")
struct CgroupHostTests {
    @Test("The own cgroup is that of hierarchy 0")
    func own() {
        #expect(
            CgroupHost.ownPath(inProcCgroup: "9:name=systemd:/x\n1:cpu:/y\n0::/user.slice/a:b") == "/user.slice/a:b")
        #expect(CgroupHost.ownPath(inProcCgroup: "1:cpu:/y\n") == nil)
    }

    @Test("The tree's mount is found whatever optional fields it has")
    func mounts() {
        let version1 = "30 20 0:20 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu"
        let version2 = "41 31 0:38 / /mnt/my\\040tree rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw"
        #expect(CgroupHost.treeRoot(inMountInfo: version2) == ("/mnt/my tree", false))
        #expect(CgroupHost.treeRoot(inMountInfo: "\(version2)\n\(version1)\n") == ("/mnt/my tree", true))
        #expect(CgroupHost.treeRoot(inMountInfo: version1) == (nil, true))
        #expect(CgroupHost.treeRoot(inMountInfo: "broken\n41 31 - cgroup2") == (nil, false))
    }

    @Test("An absolute path does not need the own cgroup")
    func discovery() throws {
        #expect(try CgroupHost.discover(for: "/a").ownPath == nil)
        let host = try CgroupHost.discover(for: nil)
        if host.root != nil { #expect(host.ownPath?.hasPrefix("/") == true) }
    }

    @Test("Without a tree the error says what to do")
    func noTree() {
        #expect {
            _ = try CgroupManager.create(
                try CgroupPath("/a", id: "a", own: nil), host: CgroupHost(root: nil), plan: ResourcesPlan(nil))
        } throws: {
            "\($0)".contains("no cgroup v2 tree mounted; mount one")
        }
    }

    @Test("Without cgroups a limit is an error, and no limit is none")
    func disabled() throws {
        let manager = CgroupManager.disabled
        try manager.apply([])
        try manager.kill()
        try manager.remove()
        try manager.rollBack()
        manager.removeIfEmpty()
        #expect(throws: CgroupError.self) {
            try manager.apply(ResourcesPlan(Resources(pids: .init(limit: 1))).settings)
        }
        let denial = try #require(ResourcesPlan(Resources(devices: [DeviceRule(allow: false)])).devices)
        #expect(throws: CgroupError.self) { try manager.applyDeviceProgram(denial) }
        #expect(throws: CgroupError.self) { try manager.freeze() }
        #expect(try CgroupManager.open(manager.record).record == .disabled)
    }
}
