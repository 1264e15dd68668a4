import CgroupPlanning
import OCISpec
import Planning
import TestSupport
import Testing

@testable import ContainerRuntime

let odd = "q\"\\/\u{1}\n\t \u{e9}\u{1f600}"

/// A container's record as a text has it, changed.
func record(_ change: (inout Record) -> Void = { _ in }) throws -> Record {
    let text = """
        {"version":1,"id":"box","ociVersion":"1.2.0","bundle":"/b","rootfs":"/b/rootfs","created":"2026-01-01T00:00:00Z",
        "owner":0,"pid":17,"startTime":4242,"ready":true,"process":true,"laterHooks":false,"sharesProcesses":false,
        "cgroup":{"manager":"cgroupfs","root":"/sys/fs/cgroup","path":"/x","made":["/x"]},"annotations":{"a":"1"}}
        """
    var record = try #require(Record(Array(text.utf8)))
    change(&record)
    return record
}

@Suite struct RecordTests {
    @Test func everyFieldIsRead() throws {
        let record = try record()
        #expect((record.id, record.ociVersion, record.bundle, record.rootfs) == ("box", "1.2.0", "/b", "/b/rootfs"))
        #expect((record.created, record.owner, record.pid, record.startTime) == ("2026-01-01T00:00:00Z", 0, 17, 4242))
        #expect(
            (record.isReady, record.hasProcess, record.hasLaterHooks, record.sharesProcesses) == (
                true, true, false, false
            ))
        #expect(record.cgroup == CgroupRecord(mode: .cgroupfs, root: "/sys/fs/cgroup", path: "/x", created: ["/x"]))
        #expect(record.annotations == [KeyValue(key: "a", value: "1")])
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (inout Record) -> Void
    }

    @Test(arguments: [
        Change(testDescription: "nothing") { _ in },
        Change(testDescription: "texts") {
            ($0.id, $0.ociVersion, $0.bundle, $0.rootfs, $0.created) = (odd, odd, odd, odd, "")
        },
        Change(testDescription: "greatest numbers") { ($0.owner, $0.pid, $0.startTime) = (.max, .max, .max) },
        Change(testDescription: "zeros") { ($0.owner, $0.pid, $0.startTime) = (0, 0, 0) },
        Change(testDescription: "flags") {
            ($0.isReady, $0.hasProcess, $0.hasLaterHooks, $0.sharesProcesses) = (false, false, true, true)
        },
        Change(testDescription: "no cgroup") { $0.cgroup = .disabled },
        Change(testDescription: "many cgroups") {
            $0.cgroup = CgroupRecord(
                mode: .cgroupfs, root: odd, path: "/a/b", created: ["/a", "/a/b", odd], inode: .max)
        },
        Change(testDescription: "a scope") {
            $0.cgroup = CgroupRecord(
                mode: .systemd, root: odd, path: "/a.slice/b.scope", created: [],
                scope: ScopeRecord(unit: "b.scope", subgroup: nil, inode: .max, began: .max))
        },
        Change(testDescription: "a scope with a cgroup below") {
            $0.cgroup = CgroupRecord(
                mode: .systemd, root: "/", path: "/b.scope", created: ["/b.scope"],
                scope: ScopeRecord(unit: odd, subgroup: odd, inode: 0))
        },
        Change(testDescription: "a group of resctrl") {
            $0.resctrl = ResctrlRecord(group: "/sys/fs/resctrl/box", isRemoved: true, monitor: odd)
        },
        Change(testDescription: "a named group of resctrl") {
            $0.resctrl = ResctrlRecord(group: odd, isRemoved: false, monitor: nil)
        },
        Change(testDescription: "a seccomp agent") { $0.seccompListener = SeccompListener(path: odd, metadata: odd) },
        Change(testDescription: "a seccomp agent without metadata") {
            $0.seccompListener = SeccompListener(path: "/agent", metadata: nil)
        },
        Change(testDescription: "a seccomp agent that nothing asks") {
            $0.seccompListener = SeccompListener(path: "/agent", metadata: nil, isAsked: false)
        },
        Change(testDescription: "mounts on the host") {
            $0.hostMounts = HostMounts(places: [
                HostMounts.Place(destination: odd, covered: 0, made: 7),
                HostMounts.Place(destination: "/a b", covered: .max),
            ])
        },
        Change(testDescription: "a checkpoint") { $0.checkpointed = "2026-01-01T00:00:00Z" },
        Change(testDescription: "a restore") { ($0.checkpointed, $0.restored) = (odd, odd) },
        Change(testDescription: "no annotations") { $0.annotations = [] },
        Change(testDescription: "odd annotations") {
            $0.annotations = [(odd, odd), ("", ""), ("z", ""), ("a.b/c", "1")].map { KeyValue(key: $0, value: $1) }
        },
    ])
    func aRecordComesBackAsItWas(change: Change) throws {
        let record = try record(change.make)
        #expect(Record(Array(record.json().utf8)) == record)
        #expect(!record.json().contains("\n"))
    }

    /// A file that was cut, be it by a full disk or by a crash, is no record; no byte of it may be taken for one.
    @Test func noCutFileIsARecord() throws {
        let bytes = Array(try record().json().utf8)
        for length in 0..<bytes.count where Record(Array(bytes[..<length])) != nil {
            Issue.record("\(length) of \(bytes.count) bytes were read")
        }
        #expect(Record(bytes) != nil)
    }

    @Test(arguments: [
        "id", "ociVersion", "bundle", "rootfs", "created", "owner", "pid", "startTime", "ready", "process",
        "laterHooks", "sharesProcesses", "cgroup", "manager", "root", "path", "made", "annotations",
    ])
    func everyFieldIsNeeded(name: String) throws {
        let text = try record().json()
        let parts = text.split(separator: "\"\(name)\":", omittingEmptySubsequences: false)
        #expect(parts.count == 2)
        #expect(Record(Array(parts.joined(separator: "\"another\":").utf8)) == nil)
    }

    @Test(arguments: [
        (#""pid":17"#, #""pid":"17""#), (#""pid":17"#, #""pid":-1"#), (#""pid":17"#, #""pid":1.5"#),
        (#""pid":17"#, #""pid":null"#), (#""ready":true"#, #""ready":1"#), (#""id":"box""#, #""id":null"#),
        (#""manager":"cgroupfs""#, #""manager":"systemd9""#), (#""manager":"cgroupfs""#, #""manager":"systemd""#),
        (#""annotations":{"a":"1"}"#, #""annotations":{"a":1}"#),
        (#""startTime":4242"#, #""startTime":18446744073709551616"#), (#"{"version""#, #"["version""#),
    ])
    func damagedFieldsAreNoRecord(old: String, new: String) throws {
        let text = try record().json()
        let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        #expect(parts.count == 2)
        #expect(Record(Array(parts.joined(separator: new).utf8)) == nil)
    }

    @Test func listsAreOfStrings() throws {
        let text = try record().json()
        let parts = text.split(separator: #""made":["\/x"]"#)
        let plain = parts.count == 2 ? parts : text.split(separator: #""made":["/x"]"#)
        #expect(plain.count == 2)
        let damaged = Record(Array(plain.joined(separator: #""made":[1]"#).utf8))
        #expect(damaged == nil)
    }

    @Test(arguments: ["", " ", "{}", "[]", "null", "0", "\"\"", "{\"id\":\"box\"}", "\u{0}"])
    func otherTextsAreNoRecord(text: String) {
        #expect(Record(Array(text.utf8)) == nil)
    }

    /// What `exec` needs to join the keyring; earlier records have the flag only, or nothing.
    @Test(
        arguments: [
            (#""keyring":"_ses.box.0123456789abcdef","#, "_ses.box.0123456789abcdef"), (#""keyring":false,"#, nil),
            (#""keyring":true,"#, "_ses.box"), ("", "_ses.box"),
        ] as [(String, String?)])
    func theKeyringsNameIsKept(member: String, name: String?) throws {
        let text = """
            {"id":"box","ociVersion":"1.2.0","bundle":"/b","rootfs":"/b/r","created":"now","owner":5,"pid":0,"startTime":0,
            "ready":true,"process":true,"laterHooks":false,"sharesProcesses":false,\(member)
            "cgroup":{"manager":"disabled","root":"","path":"","made":[]},"annotations":{}}
            """
        let record = try #require(Record(Array(text.utf8)))
        #expect(record.keyring == name)
        #expect(Record(Array(record.json().utf8)) == record)
    }
}

/// What a later `start` and `delete` need to know.
@Suite struct PlanRecordTests {
    private static func record(_ members: String, mode: LaunchMode, owner: UInt32) throws -> Record {
        let spec = try spec(#"{"ociVersion":"1.2.0","root":{"path":"rootfs"}\#(members)}"#)
        let (plan, findings) = plan {
            LaunchPlan(
                spec, id: "box", bundle: "/bundles/box", options: LaunchOptions(), mode: mode, host: host, findings: &$0
            )
        }
        #expect(findings.errorLines == [])
        return Record(plan, owner: owner)
    }

    @Test func aPlanBecomesARecord() throws {
        let record = try Self.record(
            #","process":{"cwd":"/","args":["sh"],"user":{"uid":3,"gid":4}},"hooks":{"poststop":[{"path":"/bin/true"}]},"#
                + #""annotations":{"a":"1","b":"2"},"#
                + #""linux":{"namespaces":[{"type":"mount"},{"type":"pid"}],"cgroupsPath":"/group/box"}"#,
            mode: .run, owner: 7)
        #expect((record.id, record.bundle, record.rootfs) == ("box", "/bundles/box", "/bundles/box/rootfs"))
        #expect((record.pid, record.startTime, record.isReady, record.owner) == (0, 0, false, 7))
        #expect(record.hasProcess)
        #expect(record.hasLaterHooks)
        #expect(!record.sharesProcesses)
        #expect(record.annotations == [KeyValue(key: "a", value: "1"), KeyValue(key: "b", value: "2")])
        // Whether the cgroup is the container's to remove is known only when it is made; those above it would be.
        #expect(
            record.cgroup
                == CgroupRecord(mode: .cgroupfs, root: "/sys/fs/cgroup", path: "/group/box", created: ["/group"]))
    }

    @Test func whatAPlanDoesNotHaveIsNotInItsRecord() throws {
        let record = try Self.record("", mode: .create, owner: 0)
        #expect(!record.hasProcess)
        #expect(!record.hasLaterHooks)
        #expect(record.sharesProcesses)
    }

    @Test(arguments: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
    func onlySomeHooksAreLater(kind: String) throws {
        let record = try Self.record(
            #","process":{"cwd":"/","user":{"uid":0,"gid":0},"args":["a"]},"hooks":{"\#(kind)":[{"path":"/x"}]}"#,
            mode: .run, owner: 0)
        #expect(record.hasLaterHooks == (kind == "poststart" || kind == "poststop"))
    }
}
