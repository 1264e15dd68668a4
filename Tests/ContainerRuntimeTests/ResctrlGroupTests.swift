import Errors
import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime
@testable import Planning

/// A folder in resctrl's place: the kernel's part, files that come and go with a directory, is played here.
@Suite struct ResctrlGroupTests {
    private func plan(_ folder: Folder, _ rdt: IntelRdt) throws -> ResctrlPlan {
        var findings = Findings()
        return try #require(ResctrlPlan(rdt, id: "box", root: folder.path, findings: &findings))
    }

    /// What the kernel puts into a new group.
    private func populate(_ folder: Folder, _ name: String, schemata: String = "") throws {
        try folder.write("\(name)/tasks")
        try folder.write("\(name)/schemata", schemata)
        try Files.makeDirectory(folder.path("\(name)/mon_groups"), mode: 0o700)
    }

    private func depopulate(_ folder: Folder, _ name: String) throws {
        for file in ["tasks", "schemata"] where Files.exists(folder.path("\(name)/\(file)")) {
            try Files.remove(folder.path("\(name)/\(file)"))
        }
        if Files.exists(folder.path("\(name)/mon_groups")) {
            try Files.removeDirectory(folder.path("\(name)/mon_groups"))
        }
    }

    private func existing(_ folder: Folder, _ name: String, schemata: String = "") throws {
        try Files.makeDirectory(folder.path(name), mode: 0o700)
        try populate(folder, name, schemata: schemata)
    }

    @Test func theContainersOwnGroupIsMadeAndRemoved() throws {
        try withFolder { folder in
            let plan = try plan(
                folder, IntelRdt(l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=20", schemata: ["L2:0=1"]))
            let inspection = try ResctrlGroup.inspect(plan)
            #expect(
                inspection
                    == ResctrlGroup.Inspection(
                        record: ResctrlRecord(group: folder.path("box"), isRemoved: true), exists: false))
            #expect(try folder.names() == [], "looking changes nothing")
            try ResctrlGroup.make(inspection)
            try populate(folder, "box")
            try ResctrlGroup.configure(plan, inspection)
            // Each write starts at the beginning of an ordinary file, so the last one is what it holds.
            #expect(try folder.text("box/schemata").begins(with: "L2:0=1\n"))
            try ResctrlGroup.enter(4242, inspection.record)
            #expect(try folder.text("box/tasks") == "4242\n")
            try depopulate(folder, "box")
            try ResctrlGroup.remove(inspection.record)
            #expect(try folder.names() == [])
            try ResctrlGroup.remove(inspection.record)  // once more is no error
        }
    }

    @Test func anExistingGroupOfTheContainersNameStays() throws {
        try withFolder { folder in
            try existing(folder, "box", schemata: "L3:0=1\n")
            let plan = try plan(folder, IntelRdt(l3CacheSchema: "L3:0=f"))
            let inspection = try ResctrlGroup.inspect(plan)
            #expect(inspection.exists && !inspection.record.isRemoved)
            try ResctrlGroup.make(inspection)
            try ResctrlGroup.configure(plan, inspection)
            #expect(try folder.text("box/schemata") == "L3:0=f\n")
            try ResctrlGroup.remove(inspection.record)
            #expect(try folder.names() == ["box"])
        }
    }

    @Test func aNamedGroupWithTheSameSchemaIsJoined() throws {
        try withFolder { folder in
            try existing(folder, "gold", schemata: "    L3:0=00f;1=f\n    MB:0=20\n")
            let plan = try plan(folder, IntelRdt(closID: "gold", l3CacheSchema: "L3:0=F", memBwSchema: "MB:0=20"))
            let inspection = try ResctrlGroup.inspect(plan)
            try ResctrlGroup.make(inspection)
            try ResctrlGroup.configure(plan, inspection)
            #expect(
                try folder.text("gold/schemata") == "    L3:0=00f;1=f\n    MB:0=20\n", "it is compared, not written")
            try ResctrlGroup.enter(7, inspection.record)
            try ResctrlGroup.remove(inspection.record)
            try ResctrlGroup.rollBack(inspection)
            #expect(try folder.names() == ["gold"])
        }
    }

    @Test func aNamedGroupWithAnotherSchemaIsRefused() throws {
        try withFolder { folder in
            try existing(folder, "gold", schemata: "    L3:0=1\n    MB:0=20\n")
            let plan = try plan(folder, IntelRdt(closID: "gold", schemata: ["MB:0=20", "L3:0=f"]))
            let inspection = try ResctrlGroup.inspect(plan)
            #expect(
                failure { try ResctrlGroup.configure(plan, inspection) }
                    == "linux.intelRdt.schemata[1]: the group \(folder.path("gold")) has another schema than \"L3:0=f\": L3:0=1, MB:0=20"
            )
        }
    }

    @Test func aNamedGroupThatIsMissingIsMadeAndStays() throws {
        try withFolder { folder in
            let plan = try plan(folder, IntelRdt(closID: "gold", memBwSchema: "MB:0=20"))
            let inspection = try ResctrlGroup.inspect(plan)
            #expect(!inspection.exists && !inspection.record.isRemoved)
            try ResctrlGroup.make(inspection)
            try populate(folder, "gold")
            try ResctrlGroup.configure(plan, inspection)
            try ResctrlGroup.remove(inspection.record)
            #expect(try folder.names() == ["gold"], "it is not the container's to remove")
            try depopulate(folder, "gold")
            try folder.write("gold/tasks", "1\n")
            try ResctrlGroup.rollBack(inspection)
            #expect(try folder.names() == ["gold"], "a process has come into it")
        }
    }

    @Test func aNamedGroupWithoutASchemaMustBeThere() throws {
        try withFolder { folder in
            let plan = try plan(folder, IntelRdt(closID: "gold"))
            #expect(
                failure { _ = try ResctrlGroup.inspect(plan) }
                    == "linux.intelRdt.closID: there is no group \(folder.path("gold")), and without a schema to write none is made"
            )
        }
    }

    @Test func theRootGroupIsJoinedAndMonitored() throws {
        try withFolder { folder in
            try populate(folder, ".", schemata: "L3:0=f\n")
            let plan = try plan(folder, IntelRdt(closID: "/", enableMonitoring: true))
            let inspection = try ResctrlGroup.inspect(plan)
            try ResctrlGroup.make(inspection)
            try folder.write("mon_groups/box/tasks")
            try ResctrlGroup.enter(7, inspection.record)
            #expect(try folder.text("tasks") == "7\n" && folder.text("mon_groups/box/tasks") == "7\n")
            try Files.remove(folder.path("mon_groups/box/tasks"))
            try ResctrlGroup.remove(inspection.record)
            #expect(try folder.names("mon_groups") == [])
            #expect(Files.exists(folder.path("schemata")))
        }
    }

    @Test func monitoringThatFailsTakesTheGroupBack() throws {
        try withFolder { folder in
            let plan = try plan(folder, IntelRdt(memBwSchema: "MB:0=20", enableMonitoring: true))
            let inspection = try ResctrlGroup.inspect(plan)
            let line = failure { try ResctrlGroup.make(inspection) }
            #expect(
                line
                    == "\(folder.path("box/mon_groups/box")): this host's resctrl has no monitoring; remove linux.intelRdt.enableMonitoring"
            )
            #expect(try folder.names() == [], "what was made before is taken back")
        }
    }

    @Test func aRefusedSchemaShowsTheKernelsReason() throws {
        try withFolder { folder in
            // A directory in the file's place refuses writing as the kernel's file would.
            try Files.makeDirectory(folder.path("info"), mode: 0o700)
            try folder.write("info/last_cmd_status", "mask f0000 has bits that the hardware lacks\n")
            let plan = try plan(folder, IntelRdt(l3CacheSchema: "L3:0=f0000"))
            let inspection = try ResctrlGroup.inspect(plan)
            try ResctrlGroup.make(inspection)
            try Files.makeDirectory(folder.path("box/schemata"), mode: 0o700)
            #expect(
                failure { try ResctrlGroup.configure(plan, inspection) }
                    == "linux.intelRdt.l3CacheSchema: \(folder.path("box"))/schemata does not take \"L3:0=f0000\": is a directory (mask f0000 has bits that the hardware lacks)"
            )
        }
    }

    @Test func anUpdateWritesOnlyWhatIsGiven() throws {
        try withFolder { folder in
            try existing(folder, "box")
            let record = ResctrlRecord(group: folder.path("box"), isRemoved: true)
            try ResctrlGroup.update(l3CacheSchema: "L3:0=f", memBwSchema: nil, of: record)
            #expect(try folder.text("box/schemata") == "L3:0=f\n")
            try ResctrlGroup.update(l3CacheSchema: "", memBwSchema: "MB:0=2", of: record)
            #expect(try folder.text("box/schemata") == "MB:0=2\n")
            #expect(
                failure { try ResctrlGroup.update(l3CacheSchema: nil, memBwSchema: "L3:0=f", of: record) }
                    == "mem-bw-schema must start with \"MB:\", is \"L3:0=f\"")
            #expect(
                failure { try ResctrlGroup.update(l3CacheSchema: "L3:0=f\nMB:0=1", memBwSchema: nil, of: record) }
                    == "l3-cache-schema must be one line, is \"L3:0=f\nMB:0=1\"")
            #expect(
                failure { try ResctrlGroup.update(l3CacheSchema: "L3:0=f", memBwSchema: nil, of: nil) }
                    == "the container was made without linux.intelRdt, so it has no group of resctrl to change")
        }
    }
}
