import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func map(_ container: UInt32, _ host: UInt32, _ size: UInt32) -> IDMapping {
    IDMapping(containerID: container, hostID: host, size: size)
}

/// The namespaces of a container with a user namespace of these mappings; without mappings there is none.
private func namespaces(_ mappings: [IDMapping] = [], joined: Bool = false) -> NamespacePlan {
    var list = [Namespace(type: .mount)]
    if joined { list.append(Namespace(type: .user, path: "/run/ns/user")) }
    if !joined, !mappings.isEmpty { list.append(Namespace(type: .user)) }
    let linux = Linux(namespaces: list, uidMappings: mappings, gidMappings: mappings)
    let spec = Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), linux: linux)
    return plan { NamespacePlan(spec, findings: &$0) }.plan
}

private func read(
    _ mount: Mount, _ namespaces: NamespacePlan, index: Int = 2
) -> (plan: IDMapPlan?, findings: Findings) {
    plan { findings in
        var plan = MountPlan(mount, index: index, bundle: "/b", findings: &findings)
        plan?.mapIDs(mount, namespaces: namespaces, findings: &findings)
        return plan?.idMap
    }
}

private func bind(_ options: String..., uids: [IDMapping]? = nil, gids: [IDMapping]? = nil) -> Mount {
    Mount(destination: "/x", source: "/s", options: ["rbind"] + options, uidMappings: uids, gidMappings: gids)
}

@Suite struct IDMapPlanTests {
    private static let container = [map(0, 100_000, 10), map(10, 200_000, 10)]

    struct Case: Sendable, CustomTestStringConvertible {
        let option: String
        let uids: [IDMapping]
        let gids: [IDMapping]
        var container: [IDMapping] = IDMapPlanTests.container
        var testDescription: String { option }
    }

    @Test(arguments: [
        Case(option: "idmap", uids: container, gids: container),
        Case(option: "idmap=uids=0-1-10;gids=5-6-7", uids: [map(0, 1, 10)], gids: [map(5, 6, 7)]),
        Case(option: "idmap=gids=5-6-7;uids=0-1-10", uids: [map(0, 1, 10)], gids: [map(5, 6, 7)]),
        Case(
            option: "idmap=uids=0-1-10#20-30-5;gids=0-0-1", uids: [map(0, 1, 10), map(20, 30, 5)], gids: [map(0, 0, 1)]),
        Case(option: "idmap=uids=@1000-3-2;gids=0-0-1", uids: [map(1000, 100_003, 2)], gids: [map(0, 0, 1)]),
        Case(
            option: "idmap=uids=@1000-3-2#2000-12-1;gids=0-0-1", uids: [map(1000, 100_003, 2), map(2000, 200_002, 1)],
            gids: [map(0, 0, 1)]),
        Case(
            option: "idmap=uids=1000-3-2#@2000-12-1;gids=0-0-1", uids: [map(1000, 3, 2), map(2000, 200_002, 1)],
            gids: [map(0, 0, 1)]),
        // Over the border of two ranges of the container: crun leaves that to the caller.
        Case(
            option: "idmap=uids=@0-8-4;gids=0-0-1", uids: [map(0, 100_008, 2), map(2, 200_000, 2)],
            gids: [map(0, 0, 1)]),
        Case(option: "idmap=uids=@1-0-1", uids: [map(1, 100_000, 1)], gids: container),
        Case(option: "idmap=gids=@1-0-1", uids: container, gids: [map(1, 100_000, 1)]),
        Case(
            option: "idmap=uids=@1-2-3;gids=@4-5-6", uids: [map(1, 2, 3)], gids: [map(4, 5, 6)], container: []),
        // The example of crun's manual.
        Case(
            option: "idmap=uids=@1-3-10;gids=@1-3-10", uids: [map(1, 4, 10)], gids: [map(1, 4, 10)],
            container: [map(0, 0, 1), map(1, 2, 1000)]),
    ])
    func everyIDMapWordIsRead(option: Case) {
        for (word, recursive) in [(option.option, false), ("r" + option.option, true)] {
            let (plan, findings) = read(bind(word), namespaces(option.container))
            #expect(findings.errorLines == [])
            #expect(plan?.source == .mappings(uids: option.uids, gids: option.gids))
            #expect(plan?.recursive == recursive)
        }
    }

    @Test func theLastIDMapWordCounts() {
        let (plan, _) = read(bind("idmap=uids=0-1-1;gids=0-1-1", "ridmap"), namespaces(Self.container))
        #expect(plan?.recursive == true && plan?.source == .mappings(uids: Self.container, gids: Self.container))
    }

    @Test func aJoinedNamespaceHasItsOwnMappings() {
        #expect(read(bind("idmap"), namespaces(joined: true)).plan?.source == .joined(0))
        let line = "\"@\" counts from the container's mappings: name them in linux.uidMappings and linux.gidMappings"
        #expect(
            read(bind("idmap=uids=@0-1-1;gids=@0-1-1"), namespaces(joined: true)).findings.errorLines == [
                "mounts[2].options[1]: \(line)"
            ])
        let known = read(bind("idmap=uids=@0-1-1;gids=@0-1-1"), namespaces(Self.container, joined: true)).plan
        #expect(known?.source == .mappings(uids: [map(0, 100_001, 1)], gids: [map(0, 100_001, 1)]))
    }

    @Test func mappingsOfTheMountNeedNoWord() {
        let uids = [map(0, 1000, 1)]
        let gids = [map(0, 2000, 1)]
        for (options, recursive) in [([], false), (["idmap"], false), (["ridmap"], true)] as [([String], Bool)] {
            var mount = bind(uids: uids, gids: gids)
            mount.options? += options
            let (plan, findings) = read(mount, namespaces(Self.container))
            #expect(findings.errorLines == [])
            #expect(plan?.source == .mappings(uids: uids, gids: gids) && plan?.recursive == recursive)
        }
    }

    @Test func withoutWordAndMappingsNothingIsMapped() {
        #expect(read(bind("ro"), namespaces(Self.container)).plan == nil)
        #expect(read(bind(uids: [], gids: []), namespaces()).plan == nil)
    }

    @Test(arguments: [
        (
            bind("idmap"),
            "mounts[2].options[1]: needs uidMappings and gidMappings of the mount, or a user namespace of the container whose mappings it takes"
        ),
        (
            bind("idmap", uids: [], gids: []),
            "mounts[2].options[1]: needs uidMappings and gidMappings of the mount, or a user namespace of the container whose mappings it takes"
        ),
        (bind(uids: [map(0, 1, 1)], gids: []), "mounts[2].gidMappings: must have entries, as uidMappings has"),
        (bind(uids: [], gids: [map(0, 1, 1)]), "mounts[2].uidMappings: must have entries, as gidMappings has"),
        (
            bind("idmap=uids=0-1-1;gids=0-1-1", uids: [map(0, 1, 1)], gids: [map(0, 1, 1)]),
            "mounts[2].options[1]: names a mapping beside that of mounts[2].uidMappings; remove one of the two"
        ),
        (bind("idmap="), "mounts[2].options[1]: expected \"uids=…\" and \"gids=…\", found nothing"),
        (bind("idmap=0-1-1"), "mounts[2].options[1]: expected \"uids=…\" and \"gids=…\", found \"0-1-1\""),
        (
            bind("idmap=uids=0-1-1"),
            "mounts[2].options[1]: says nothing of gids, and the container has no mappings to take them from; add gids=…"
        ),
        (
            bind("idmap=uids=0-1;gids=0-1-1"),
            "mounts[2].options[1]: expected FIRST-BECOMES-COUNT such as 0-1000-10, found \"0-1\""
        ),
        (
            bind("idmap=uids=0-1-0;gids=0-1-1"),
            "mounts[2].options[1]: expected FIRST-BECOMES-COUNT such as 0-1000-10, found \"0-1-0\""
        ),
        (
            bind("idmap=uids=+0-1-1;gids=0-1-1"),
            "mounts[2].options[1]: expected FIRST-BECOMES-COUNT such as 0-1000-10, found \"+0-1-1\""
        ),
        (
            bind("idmap=uids=;gids=0-1-1"),
            "mounts[2].options[1]: expected FIRST-BECOMES-COUNT such as 0-1000-10, found nothing"
        ),
        (
            bind("idmap=uids=0-4294967290-10;gids=0-1-1"), "mounts[2].options[1][0]: names ids beyond 4294967294"
        ),
        (
            bind("idmap=uids=0-1-5#4-10-1;gids=0-1-1"),
            "mounts[2].options[1][1]: overlaps with mounts[2].options[1][0]"
        ),
        (
            Mount(destination: "/x", type: "proc", uidMappings: [map(0, 1, 1)], gidMappings: [map(0, 1, 1)]),
            "mounts[2].uidMappings: the file system proc takes no idmapped mounts"
        ),
        (
            Mount(destination: "/x", options: ["remount", "idmap=uids=0-1-1;gids=0-1-1"]),
            "mounts[2].options[1]: ids are mapped when a mount is made, not by a remount"
        ),
        (
            Mount(destination: "/x", type: "cgroup", uidMappings: [map(0, 1, 1)], gidMappings: [map(0, 1, 1)]),
            "mounts[2].uidMappings: the cgroup file system takes no idmapped mounts"
        ),
    ])
    func mistakesNameTheirField(mount: Mount, line: String) {
        #expect(read(mount, namespaces()).findings.errorLines == [line])
    }

    @Test func idsThatAreNotMappedAreErrors() {
        #expect(
            read(bind("idmap=uids=@0-19-2;gids=0-1-1"), namespaces(Self.container)).findings.errorLines == [
                "mounts[2].options[1]: the container's id 20 is not mapped in its user namespace"
            ])
    }
}
