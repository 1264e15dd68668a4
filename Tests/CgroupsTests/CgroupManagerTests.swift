import CgroupPlanning
import Errors
import Kernel
import OCISpec
import TestSupport
import Testing

@testable import Cgroups

@Suite("The cgroup manager where there is no cgroup")
struct CgroupManagerTests {
    @Test("The way to a cgroup below is found by the bytes of its names")
    func namesBelow() {
        let text = Array("1:cpu:/c/x\n0::/c/a/".utf8) + [0xff] + Array("/b\n".utf8)
        #expect(FSManager.names(inProcCgroup: text, below: "/c") == [ByteName("a"), ByteName([0xff]), ByteName("b")])
        #expect(FSManager.names(inProcCgroup: text, below: "/c/a").count == 2)
        for other in ["/", "/c/a/b", "/cc", "/d"] { #expect(FSManager.names(inProcCgroup: text, below: other) == []) }
    }

    @Test("A record that names no cgroup is refused: removing it would mean the root")
    func emptyRecord() {
        #expect(throws: CgroupError.self) {
            _ = try CgroupManager.open(CgroupRecord(mode: .cgroupfs, root: "/sys/fs/cgroup", path: "/", created: []))
        }
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
