import CgroupPlanning
import TestSupport
import Testing

@testable import Cgroups

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

    @Test("Only a service's own cgroup is a service's")
    func services() {
        #expect(OwnService.find("/system.slice/web.service", root: "/nowhere")?.name == "web.service")
        #expect(OwnService.find("/system.slice/web.service", root: "/nowhere")?.isDelegated == false)
        for path in ["/", "/user.slice/session-1.scope", "/a.service/inner", "/../x.service", nil] {
            #expect(OwnService.find(path, root: "/nowhere") == nil)
        }
    }
}
