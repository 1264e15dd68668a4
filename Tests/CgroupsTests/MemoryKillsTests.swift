import TestSupport
import Testing

@testable import Cgroups

@Suite struct MemoryKillsTests {
    private typealias Events = MemoryKills.Events

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let own: MemoryKills.Events
        var above: [MemoryKills.Events] = []
        let limit: MemoryKills.Limit?
    }

    private static func events(
        reached: UInt64 = 0, kills: UInt64 = 0, own: UInt64 = 0, limit: UInt64? = nil
    ) -> MemoryKills.Events {
        Events(reached: reached, kills: kills, reachedOwn: own, limit: limit)
    }

    @Test(arguments: [
        Case(testDescription: "no process was killed", own: events(reached: 3, own: 3, limit: 10), limit: nil),
        Case(
            testDescription: "at its own limit", own: events(reached: 1, kills: 1, own: 1, limit: 10),
            above: [events(reached: 2, kills: 2, own: 1, limit: 20)], limit: .own(path: "/a/b/c", bytes: 10)),
        Case(
            testDescription: "at its own limit, since lifted", own: events(reached: 1, kills: 1, own: 1),
            limit: .own(path: "/a/b/c", bytes: nil)),
        Case(
            testDescription: "at a limit that the container set inside", own: events(reached: 1, kills: 1, limit: 10),
            above: [events(reached: 2, kills: 2, own: 1, limit: 20)], limit: .inside),
        Case(
            testDescription: "at the nearest limit above", own: events(kills: 1, limit: 10),
            above: [events(reached: 1, kills: 1), events(reached: 1, kills: 1, own: 1, limit: 30)],
            limit: .ancestor(path: "/a", bytes: 30)),
        Case(
            testDescription: "for the host", own: events(kills: 2, limit: 10),
            above: [events(kills: 2), events(kills: 2, limit: 30)], limit: .host),
    ])
    func aKillNamesWhoseLimitItWas(example: Case) {
        let ancestors = Array(zip(["/a/b", "/a"], example.above).map { (path: $0, events: $1) })
        let kills = MemoryKills(path: "/a/b/c", own: example.own, ancestors: ancestors)
        #expect(kills == MemoryKills(count: example.own.kills, limit: example.limit))
    }

    @Test(
        arguments: [
            ("low 0\nhigh 0\nmax 5\noom 2\noom_kill 1\noom_group_kill 0", "oom", 2),
            ("low 0\nhigh 0\nmax 5\noom 2\noom_kill 1\noom_group_kill 7", "oom_kill", 1),
            ("max 5", "oom", 0), ("", "oom", 0), ("oom x", "oom", 0),
        ] as [(String, String, UInt64)])
    func aCountOfKillsIsFound(text: String, name: String, count: UInt64) {
        #expect(FSManager.count(name, in: text) == count)
    }

    @Test(arguments: [
        (
            32_768 as UInt64?,
            "linux.resources.memory.limit is 32768 bytes, 229376 fewer than the smallest program needs to start; raise it"
        ),
        (262_144, "linux.resources.memory.limit is 262144 bytes; raise it"),
        (nil, "linux.resources.memory.limit is unknown; raise it"),
    ])
    func aKillNamesHowMuchIsMissing(bytes: UInt64?, words: String) {
        #expect(MemoryKills(count: 1, limit: .own(path: "/a", bytes: bytes)).reason == words)
    }
}
