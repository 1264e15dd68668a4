import CLinux
import Errors
import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import CgroupPlanning
@testable import Cgroups

@Suite("Cgroups on the kernel's own tree", .needsCgroups, .serialized)
struct FSManagerTests {
    @Test("A cgroup is made with its parents, found again from the record, and removed with them")
    func lifeCycle() throws {
        let place = try Place()
        // Its maker holds its lock, which keeps others from removing it.
        let manager = try CgroupManager.open(place.create("/a/b").record)
        let top = place.top
        #expect(manager.record.created == [top, "\(top)/a", "\(top)/a/b"])
        #expect(place.exists("/a/b"))
        let isThere = manager.withDirectory { directory in directory != nil }
        #expect(isThere)
        let again = try CgroupManager.open(manager.record)
        #expect(again.record == manager.record)
        #expect(try again.processes(recursive: true) == [])
        try again.remove()
        #expect(!place.exists())
        // What is gone is as good as removed.
        let gone = try CgroupManager.open(manager.record)
        let isGone = gone.withDirectory { directory in directory == nil }
        #expect(isGone)
        #expect(try gone.processes(recursive: true) == [])
        #expect(try gone.isPopulated() == false)
        #expect(try gone.isFrozen() == false)
        try gone.kill()
        try gone.remove()
        #expect(throws: CgroupError.self) { try gone.freeze() }
    }

    @Test("A parent that another container lives in stays")
    func sharedParent() throws {
        let place = try Place()
        let first = try place.create("/first")
        let second = try place.create("/second")
        #expect(second.record.created == ["\(place.top)/second"])
        try first.remove()
        #expect(place.exists("/second"))
        try second.remove()
        #expect(place.exists())
    }

    @Test("What was made for a container that did not come to be is taken back, with what runs in it")
    func rollBack() throws {
        let place = try Place()
        let neighbour = try place.create("/a/neighbour")
        let manager = try place.create("/a/b/c")
        let sleeper = try Sleeper()
        try manager.join(sleeper.pid)
        try manager.rollBack()
        #expect(!place.exists("/a/b"))
        #expect(place.exists("/a/neighbour"))
        let isGone = eventually { !sleeper.isAlive }
        #expect(isGone)
        // A second time there is nothing to take back.
        try manager.rollBack()
        try neighbour.rollBack()
        #expect(!place.exists())
    }

    @Test("A cgroup that was there before is not taken back: it stays with its processes and the cgroups in it")
    func rollBackOfAnothers() throws {
        let place = try Place()
        let first = try CgroupManager.open(try place.create().record)
        let second = try place.create()
        #expect(second.record.created == [])
        let sleeper = try Sleeper()
        try first.join(sleeper.pid)
        try Files.makeDirectory(place.root + place.top + "/c/inner", mode: 0o755)
        try second.rollBack()
        try CgroupManager.open(second.record).rollBack()
        #expect(place.exists("/c/inner"))
        #expect(try first.processes(recursive: true) == [sleeper.pid])
        #expect(sleeper.isAlive)
        // Also where there is nothing in it that would keep it.
        try first.kill()
        let emptied = try eventually { try !first.isPopulated() }
        #expect(emptied)
        try Files.removeDirectory(place.root + place.top + "/c/inner")
        try second.rollBack()
        #expect(place.exists("/c"))
    }

    @Test("After a maker's death an empty cgroup goes with the parents that were made, an occupied one stays")
    func removalIfEmpty() throws {
        let place = try Place()
        let manager = try CgroupManager.open(place.create("/a/b").record)
        // What the state says before the cgroup is made.
        let expected = CgroupRecord(
            mode: .cgroupfs, root: place.root, path: manager.record.path, created: [])
        let sleeper = try Sleeper()
        try manager.join(sleeper.pid)
        try FSManager(expected).removeIfEmpty(timeout: 50)
        try FSManager(manager.record).removeIfEmpty(timeout: 50)
        #expect(try manager.processes(recursive: true) == [sleeper.pid])
        #expect(sleeper.isAlive)
        try manager.kill()
        let emptied = try eventually { try !manager.isPopulated() }
        #expect(emptied)
        // One with another's cgroups in it is not empty either.
        try Files.makeDirectory(place.root + place.top + "/a/b/inner", mode: 0o755)
        try FSManager(manager.record).removeIfEmpty(timeout: 20)
        #expect(place.exists("/a/b/inner"))
        try Files.removeDirectory(place.root + place.top + "/a/b/inner")
        try CgroupManager.open(expected).removeIfEmpty()
        #expect(!place.exists("/a/b"))
        #expect(place.exists("/a"))
        // Gone already: what is left are the parents.
        try CgroupManager.open(manager.record).removeIfEmpty()
        #expect(!place.exists())
    }

    @Test("An init that ends by itself is waited for")
    func removalAfterTheLastProcess() throws {
        let place = try Place()
        let manager = try place.create()
        let sleeper = try Sleeper(command: "/bin/sleep 0.3")
        try manager.join(sleeper.pid)
        manager.removeIfEmpty()
        #expect(!place.exists())
    }

    @Test("Processes are listed, those below too")
    func processes() throws {
        let place = try Place()
        let manager = try place.create()
        let sleeper = try Sleeper()
        let nested = try Sleeper()
        let populatedBefore = try manager.isPopulated()
        try manager.join(sleeper.pid)
        try Files.makeDirectory(place.root + place.top + "/c/inner", mode: 0o755)
        try Files.write("\(nested.pid)", into: place.root + place.top + "/c/inner/cgroup.procs")
        #expect(!populatedBefore)
        #expect(try manager.isPopulated() == true)
        #expect(try manager.processes(recursive: false) == [sleeper.pid])
        #expect(try Set(manager.processes(recursive: true)) == [sleeper.pid, nested.pid])
        // Stragglers are killed, nested cgroups removed.
        try manager.remove()
        #expect(!place.exists())
        let bothGone = eventually { !sleeper.isAlive && !nested.isAlive }
        #expect(bothGone)
    }

    @Test("A cgroup is frozen, thawed, and killed while frozen")
    func freezing() throws {
        let place = try Place()
        let manager = try place.create()
        let sleeper = try Sleeper(command: "while :; do :; done")
        try manager.join(sleeper.pid)
        try manager.freeze()
        #expect(try manager.isFrozen() == true)
        let state = sleeper.state
        #expect(state == "S" || state == "D")
        try manager.thaw()
        #expect(try manager.isFrozen() == false)
        try manager.freeze()
        try manager.kill()
        let emptied = try eventually { try !manager.isPopulated() }
        #expect(emptied)
    }

    @Test("A frozen parent is an error in time, and nothing stays frozen by a failure")
    func frozenParent() throws {
        let place = try Place()
        let parent = try place.create("/p")
        let child = try FSManager(place.create("/p/c").record)
        let sleeper = try Sleeper()
        try child.join(sleeper.pid)
        try parent.freeze()
        let error = #expect(throws: CgroupError.self) { try child.thaw(timeout: 20) }
        #expect(error?.code == .timedOut && error?.remedy == "a cgroup above it may be frozen")
        try parent.thaw()
        #expect(try child.isFrozen() == false)
        // No time at all is too short for a busy process; it must run on afterwards.
        _ = try? child.freeze(timeout: 0)
        try child.thaw()
        #expect(try Files.readText("\(place.root)\(place.top)/p/c/cgroup.freeze") == "0")
    }

    @Test("Killing works where the kernel has no cgroup.kill")
    func killOneByOne() throws {
        let place = try Place()
        let manager = try FSManager(place.create().record)
        let sleeper = try Sleeper()
        let nested = try Sleeper()
        try manager.join(sleeper.pid)
        try Files.makeDirectory(place.root + place.top + "/c/inner", mode: 0o755)
        try Files.write("\(nested.pid)", into: place.root + place.top + "/c/inner/cgroup.procs")
        try FSManager.killOneByOne(
            Files.open(place.root + place.top + "/c", [.readOnly, .directory]))
        let emptied = try eventually { try !manager.isPopulated() }
        #expect(emptied)
        #expect(try Files.readText("\(place.root)\(place.top)/c/cgroup.freeze") == "0")
    }

    @Test("While one container is being made in a cgroup, no other one can be; the first keeps what it made")
    func twoAtOnce() throws {
        let place = try Place()
        let first = try place.create()
        #expect {
            _ = try place.create()
        } throws: {
            "\($0)".contains("another container is being made in")
        }
        #expect(place.exists("/c"))
        let isMade = first.record.created.contains { $0.ends(with: "/c") }
        #expect(isMade)
        try first.rollBack()
    }

    @Test("A cgroup below it takes the process and belongs to the payload's user; the limits' own stays the host's")
    func delegatedBelow() throws {
        let place = try Place()
        let manager = try place.create()
        let sleeper = try Sleeper()
        try manager.enterDelegated("own/inner", sleeper.pid, owner: 4711)
        let leaf = place.root + place.top + "/c/own/inner"
        #expect(try Files.readText("\(leaf)/cgroup.procs") == "\(sleeper.pid)")
        #expect(try Files.status(leaf).owner == 4711)
        #expect(try Files.status("\(leaf)/cgroup.subtree_control").owner == 4711)
        #expect(try Files.status(place.root + place.top + "/c").owner == 0)
        try manager.remove()
        #expect(!place.exists("/c"))
    }

    @Test("An occupied or frozen cgroup is no place for a container, and stays as it was")
    func unfit() throws {
        let place = try Place()
        let manager = try CgroupManager.open(try place.create().record)
        let sleeper = try Sleeper()
        try manager.join(sleeper.pid)
        #expect {
            _ = try place.create()
        } throws: {
            "\($0)".contains("container's cgroup is not empty: 1 process(es) found")
        }
        #expect(try manager.processes(recursive: true) == [sleeper.pid])
        try manager.kill()
        let emptied = try eventually { try !manager.isPopulated() }
        #expect(emptied)
        try manager.freeze()
        #expect {
            _ = try place.create()
        } throws: {
            "\($0)".contains("container's cgroup unexpectedly frozen")
        }
        try manager.thaw()
        // Empty and thawed it is taken, but is not one that was made for the second container.
        #expect(try place.create().record.created == [])
    }

    @Test(
        "What the v2 tree lacks is named with field, controller and remedy, and nothing is left",
        .needsMemoryInVersion1)
    func missingController() throws {
        let place = try Place()
        let resources = Resources(memory: .init(limit: 1 << 30), pids: .init(limit: 5))
        let error = #expect(throws: CgroupError.self) { _ = try place.create("/a/b", resources) }
        #expect(error?.field == "linux.resources.pids.limit" && error?.controller == .pids)
        #expect(
            error?.description
                == "linux.resources.pids.limit: controller pids is not available in the cgroup v2 tree at \(place.root); the controller is in cgroup v1 here; boot with systemd.unified_cgroup_hierarchy=1, or with cgroup_no_v1=all"
        )
        #expect(!place.exists())
    }

    @Test("Limits are written, with the controller switched on all the way down", .needsHugeTLB)
    func limits() throws {
        let place = try Place()
        let resources = Resources(
            hugepageLimits: [.init(pageSize: "2MB", limit: 4 << 20)],
            unified: [.init(key: "hugetlb.2MB.max", value: "2097152"), .init(key: "cgroup.max.depth", value: "3")])
        let plan = ResourcesPlan(resources)
        let manager = try place.create("/a/b", resources)
        try manager.apply(plan.settings)
        let folder = place.root + place.top + "/a/b"
        #expect(try Files.readText("\(folder)/hugetlb.2MB.max") == "2097152")
        #expect(try Files.readText("\(folder)/hugetlb.2MB.rsvd.max") == "4194304")
        #expect(try Files.readText("\(folder)/cgroup.max.depth") == "3")
    }

    @Test("A refused value is named with its field and the kernel's reason", .needsHugeTLB)
    func refusals() throws {
        let place = try Place()
        let manager = try place.create("/c", Resources(hugepageLimits: [.init(pageSize: "2MB", limit: 1)]))
        let wrong: [(Resources, String)] = [
            (
                Resources(hugepageLimits: [.init(pageSize: "3MB", limit: 1)]),
                "linux.resources.hugepageLimits[0]: the kernel has no hugetlb.3MB.max in cgroup \(place.top)/c; use one of the page sizes in /sys/kernel/mm/hugepages"
            ),
            (
                Resources(unified: [.init(key: "cgroup.max.depth", value: "x")]),
                "linux.resources.unified[\"cgroup.max.depth\"]: cgroup.max.depth does not take \"x\": invalid argument"
            ),
        ]
        for (resources, message) in wrong {
            let error = #expect(throws: CgroupError.self) { try manager.apply(ResourcesPlan(resources).settings) }
            #expect(error?.description == message)
        }
    }

    @Test("Optional files, alternatives and the usage are respected")
    func variants() throws {
        let place = try Place()
        let manager = try place.create()
        // An optional file that is not there is no failure; an alternative is taken.
        try manager.apply([
            Setting(file: "cgroup.none", value: "1", controller: .core, field: "x", optional: true),
            Setting(
                file: "cgroup.none", value: "1", controller: .core, field: "x",
                alternative: .init(file: "cgroup.max.depth", value: "2")),
        ])
        #expect(try Files.readText("\(place.root)\(place.top)/c/cgroup.max.depth") == "2")
        #expect {
            try manager.apply([
                Setting(file: "cgroup.max.depth", value: "0", controller: .core, field: "x", usageFile: "cgroup.freeze")
            ])
        } throws: {
            "\($0)".contains("checkBeforeUpdate")
        }
    }

    @Test("A parent with processes of its own cannot give controllers", .needsHugeTLB)
    func internalProcesses() throws {
        let place = try Place()
        let parent = try place.create("/p", Resources(hugepageLimits: [.init(pageSize: "2MB", limit: 1)]))
        let sleeper = try Sleeper()
        try parent.join(sleeper.pid)
        let error = #expect(throws: CgroupError.self) {
            _ = try place.create("/p/c", Resources(hugepageLimits: [.init(pageSize: "2MB", limit: 1)]))
        }
        #expect(error?.code == .busy && error?.reason.contains("/p holds processes itself") == true)
        #expect(!place.exists("/p/c"))
        // Without a limit there is no such rule; but then neither may join the parent of controllers.
        let child = try place.create("/p/c")
        try child.remove()
    }

    @Test("Below a threaded cgroup there is no place for containers")
    func threaded() throws {
        let place = try Place()
        _ = try place.create("/p")
        let inner = try place.create("/p/t")
        try Files.write("threaded", into: place.root + place.top + "/p/t/cgroup.type")
        let below = try place.create("/p/t/c")
        let sleeper = try Sleeper()
        let error = #expect(throws: CgroupError.self) { try below.join(sleeper.pid) }
        #expect(error?.reason.contains("domain invalid") == true)
        try below.remove()
        try inner.remove()
    }

    @Test("The directory and the kernel's list are handed over to another user, nothing else")
    func delegation() throws {
        let place = try Place()
        let manager = try place.create()
        try manager.delegate(owner: 12345)
        let folder = place.root + place.top + "/c"
        #expect(try Files.status(folder).owner == 12345 && Files.status(folder).group == 0)
        for file in ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"] {
            #expect(try Files.status("\(folder)/\(file)").owner == 12345)
        }
        for file in ["cgroup.freeze", "cgroup.kill", "cgroup.max.depth"] {
            #expect(try Files.status("\(folder)/\(file)").owner == 0)
        }
    }

    @Test("The kernel takes the device programs and obeys them", arguments: DeviceLists.all)
    func devices(list: [DeviceRule]) throws {
        let place = try Place()
        let manager = try place.create()
        let rules = try #require(ResourcesPlan(Resources(devices: list)).devices)
        try manager.applyDeviceProgram(rules)
        // The shell moves itself in and tries a device that is there on every host: /dev/kmsg, 1:11.
        let cgroup = place.root + place.top + "/c/cgroup.procs"
        for (redirection, access) in [("<", DeviceRules.Access.read), (">", .write), ("<>", [.read, .write])] {
            let worked = system("echo $$ > \(cgroup); true 2>/dev/null \(redirection)/dev/kmsg") == 0
            #expect(worked == rules.allow(access, kind: .character, major: 1, minor: 11))
        }
        #expect(system("echo $$ > \(cgroup); true 2>/dev/null <>/dev/null") == 0)
    }
}
