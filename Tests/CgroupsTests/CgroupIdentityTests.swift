import CgroupPlanning
import Kernel
import Testing

@testable import Cgroups

@Suite("Whose cgroup it is", .needsCgroups, .serialized)
struct CgroupIdentityTests {
    @Test("What has the path later is another's: it is neither asked, nor killed, nor removed")
    func anotherOfThePath() throws {
        let place = try Place()
        let record = try place.create().record
        #expect(record.inode != 0)
        try CgroupManager.open(record).remove()
        let other = try CgroupManager.open(try place.create().record)
        let sleeper = try Sleeper()
        try other.join(sleeper.pid)
        let old = try CgroupManager.open(record)
        #expect(try old.processes(recursive: true) == [])
        try old.kill()
        try old.remove()
        old.removeIfEmpty()
        #expect(try other.processes(recursive: true) == [sleeper.pid])
        #expect(sleeper.isAlive)
    }

    @Test("One that another container is being made in is not taken away")
    func locked() throws {
        let place = try Place()
        let record = try place.create().record
        let maker = try place.create()
        try CgroupManager.open(record).remove()
        try FSManager(record).removeIfEmpty(timeout: 10)
        #expect(place.exists("/c"))
        try maker.rollBack()
    }

    @Test("Cgroups of any name and depth are found and removed")
    func anyTree() throws {
        let place = try Place()
        let manager = try CgroupManager.open(try place.create().record)
        let top = try Files.open(place.root + place.top + "/c", [.readOnly, .directory])
        var sleepers: [Sleeper] = []
        func occupy(_ cgroup: borrowing Descriptor) throws {
            let sleeper = try Sleeper()
            try Files.write("\(sleeper.pid)", into: "cgroup.procs", at: cgroup)
            sleepers.append(sleeper)
        }
        for name in [[0xff], [0xc3, 0x28], Array(" ".utf8), Array("...".utf8)] as [[UInt8]] {
            try Files.makeDirectory(ByteName(name), at: top, mode: 0o755)
            try occupy(Files.open(ByteName(name), at: top, [.readOnly, .directory]))
        }
        var walk = try DirectoryWalk(top)
        for depth in 0..<400 {
            let name = ByteName([0xfe] + [UInt8](repeating: UInt8(ascii: "d"), count: 200))
            try Files.makeDirectory(name, at: walk.directory, mode: 0o755)
            try walk.descend(into: name)
            if depth % 100 == 99 { try occupy(walk.directory) }
        }
        #expect(try manager.processes(recursive: true).sorted() == sleepers.map(\.pid).sorted())
        try manager.remove()
        #expect(!place.exists())
        let ended = eventually { sleepers.allSatisfy { !$0.isAlive } }
        #expect(ended)
    }
}
