import CgroupPlanning
import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(_ mount: Mount, index: Int = 0) -> (plan: MountPlan?, findings: Findings) {
    plan { MountPlan(mount, index: index, bundle: "/bundle", findings: &$0) }
}

@Suite struct MountPlanTests {
    // MARK: Kind

    struct KindCase: Sendable, CustomTestStringConvertible {
        var type: String?
        var source: String?
        var options: [String] = []
        let kind: MountPlan.Kind
        var testDescription: String { "\(type ?? "-") \(source ?? "-") \(options)" }
    }

    @Test(arguments: [
        KindCase(type: "tmpfs", source: "tmpfs", kind: .fileSystem(type: "tmpfs", source: "tmpfs")),
        KindCase(type: "proc", kind: .fileSystem(type: "proc", source: nil)),
        KindCase(type: "cgroup", source: "cgroup", kind: .cgroup),
        KindCase(type: "cgroup2", source: "cgroup2", kind: .cgroup),
        KindCase(source: "/a", options: ["bind"], kind: .bind(source: "/a", recursive: false)),
        KindCase(source: "/a", options: ["rbind"], kind: .bind(source: "/a", recursive: true)),
        KindCase(source: "/a", options: ["rbind", "bind"], kind: .bind(source: "/a", recursive: true)),
        KindCase(source: "/a", options: ["bind", "ro", "rbind"], kind: .bind(source: "/a", recursive: true)),
        KindCase(type: "none", source: "/a", options: ["bind"], kind: .bind(source: "/a", recursive: false)),
        KindCase(type: "bind", source: "/a", options: ["bind"], kind: .bind(source: "/a", recursive: false)),
        KindCase(type: "bind", source: "/a", kind: .bind(source: "/a", recursive: true)),
        KindCase(type: "", source: "/a", options: ["bind"], kind: .bind(source: "/a", recursive: false)),
        // The options decide, not the type.
        KindCase(type: "tmpfs", source: "/a", options: ["bind"], kind: .bind(source: "/a", recursive: false)),
        KindCase(type: "cgroup", source: "/a", options: ["rbind"], kind: .bind(source: "/a", recursive: true)),
        KindCase(source: "data/x", options: ["bind"], kind: .bind(source: "/bundle/data/x", recursive: false)),
        KindCase(source: "../x", options: ["bind"], kind: .bind(source: "/bundle/../x", recursive: false)),
        KindCase(options: ["remount", "ro"], kind: .remount(bind: false)),
        KindCase(options: ["bind", "remount", "ro"], kind: .remount(bind: true)),
        KindCase(type: "tmpfs", options: ["remount"], kind: .remount(bind: false)),
    ])
    func aMountIsClassifiedByTypeAndOptions(mount: KindCase) throws {
        let (plan, findings) = read(
            Mount(destination: "/x", type: mount.type, source: mount.source, options: mount.options))
        #expect(findings.errorLines == [])
        #expect(plan?.kind == mount.kind)
    }

    @Test(arguments: [
        (Mount(destination: "/x", options: ["bind"]), "mounts[4].source: a bind mount needs a source"),
        (Mount(destination: "/x", source: "", options: ["rbind"]), "mounts[4].source: a bind mount needs a source"),
        (Mount(destination: "/x", type: "bind"), "mounts[4].source: a bind mount needs a source"),
        (
            Mount(destination: "/x", source: "/a"),
            "mounts[4].type: a mount that is not a bind mount needs a file system type"
        ),
        (
            Mount(destination: "/x", type: "", source: "/a", options: ["ro"]),
            "mounts[4].type: a mount that is not a bind mount needs a file system type"
        ),
        (
            Mount(destination: "/x", type: "none", source: "/a"),
            "mounts[4].type: a mount that is not a bind mount needs a file system type"
        ),
    ])
    func mountsThatCannotWorkAreRefused(mount: Mount, line: String) {
        let (plan, findings) = read(mount, index: 4)
        #expect(findings.errorLines == [line])
        #expect(plan == nil)
    }

    // MARK: Options

    /// A slip of the pen must not leave a mount writable; a word that is close to it is suggested.
    @Test(arguments: [
        ("r0", "; did you mean \"ro\"?"), ("nosiud", "; did you mean \"nosuid\"?"),
        ("read-only", ""), ("size=64k", ""), ("NOEXEC", "; did you mean \"noexec\"?"), ("y", ""),
        ("noexce", "; did you mean \"noexec\"?"),
    ])
    func dataOfBindMountsIsRefused(word: String, hint: String) {
        let (_, findings) = read(Mount(destination: "/x", source: "/a", options: ["ro", "bind", word]), index: 2)
        let reason = "bind mounts cannot have any filesystem-specific options, and \"\(word)\" is no other option"
        // Of two letters one may not differ: a third of them is none.
        let expected = word == "r0" ? "" : hint
        #expect(findings.errorLines == ["mounts[2].options[2]: \(reason)\(expected)"])
    }

    @Test(arguments: ["z", "Z"])
    func theEnginesWordsForLabelsAreWarnings(word: String) {
        let (plan, findings) = read(Mount(destination: "/x", source: "/a", options: ["bind", word, "ro"]), index: 2)
        #expect(findings.errors.isEmpty && plan?.isReadOnly == true)
        let line = "mounts[2].options[1]: \"\(word)\" labels nothing: that is the engine's affair"
        #expect(findings.warningLines == [line])
    }

    /// A file system may know any word, so one that looks like a slip is a warning there.
    @Test(arguments: [
        ("nosuidd", "nosuid"), ("roo", "ro"), ("noexecc", "noexec"), ("size=1", nil), ("nouuid", nil), ("acl", nil),
        ("newinstance", nil), ("something-else", nil),
    ])
    func unknownOptionsElsewhereAreWarnings(word: String, near: String?) {
        let (plan, findings) = read(Mount(destination: "/x", type: "xfs", source: "/dev/x", options: ["ro", word]))
        #expect(findings.errors.isEmpty && plan?.data == [word])
        let text = near.map {
            [
                "mounts[0].options[1]: \"\(word)\" is no mount option and is passed to the file system; did you mean \"\($0)\"?"
            ]
        }
        #expect(findings.warningLines == text ?? [])
    }

    @Test func eachUnknownOptionIsRefusedOnItsOwn() {
        let (_, findings) = read(
            Mount(destination: "/x", type: "bind", source: "/a", options: ["one", "", "ro", "two"]))
        #expect(findings.errors.map(\.field) == ["mounts[0].options[0]", "mounts[0].options[3]"])
    }

    @Test func dataOfABindRemountIsRefused() {
        let (_, findings) = read(Mount(destination: "/x", options: ["remount", "bind", "size=1"]))
        #expect(findings.errors.map(\.field) == ["mounts[0].options[2]"])
        #expect(read(Mount(destination: "/x", options: ["remount", "size=1"])).findings.errorLines == [])
    }

    @Test(arguments: [
        (Mount(destination: "/x", type: "tmpfs", options: ["tmpcopyup"]), []),
        (
            Mount(destination: "/x", type: "ramfs", options: ["tmpcopyup"]),
            ["mounts[0].options: tmpcopyup is for tmpfs only"]
        ),
        (
            Mount(destination: "/x", source: "/a", options: ["bind", "tmpcopyup"]),
            ["mounts[0].options: tmpcopyup is for tmpfs only"]
        ),
    ])
    func tmpcopyupIsForTmpfsOnly(mount: Mount, lines: [String]) {
        let (plan, findings) = read(mount)
        #expect(findings.errorLines == lines)
        #expect(plan?.copyUp == true)
    }

    @Test func bindTmpfsProcAndSysfsAreDistinguished() throws {
        let bind = try #require(read(Mount(destination: "/x", source: "/a", options: ["bind", "ro"])).plan)
        #expect(bind.isBind && bind.isReadOnly && !bind.isTmpfs && !bind.isProc && !bind.isSysfs)
        let tmpfs = try #require(read(Mount(destination: "/x", type: "tmpfs")).plan)
        #expect(tmpfs.isTmpfs && !tmpfs.isBind && !tmpfs.isReadOnly)
        #expect(try #require(read(Mount(destination: "/x", type: "proc")).plan).isProc)
        #expect(try #require(read(Mount(destination: "/x", type: "sysfs")).plan).isSysfs)
        // A bind mount whose dummy type says proc is none of procfs.
        let dummy = try #require(read(Mount(destination: "/x", type: "proc", source: "/a", options: ["bind"])).plan)
        #expect(!dummy.isProc)
    }

    struct DeviceCase: Sendable, CustomTestStringConvertible {
        let destination: String
        var type: String?
        var source: String?
        var options: [String] = []
        let brings: Bool
        var testDescription: String { "\(type ?? "-") at \(destination) \(options)" }
    }

    /// Only a /dev that is there already keeps the runtime from making one.
    @Test(arguments: [
        DeviceCase(destination: "/dev", source: "/dev", options: ["bind"], brings: true),
        DeviceCase(destination: "/dev", source: "/dev", options: ["rbind", "ro"], brings: true),
        DeviceCase(destination: "/dev", type: "bind", source: "/dev", brings: true),
        DeviceCase(destination: "/dev", type: "tmpfs", source: "/x", options: ["bind"], brings: true),
        DeviceCase(destination: "dev/", source: "/dev", options: ["bind"], brings: true),
        DeviceCase(destination: "/x/../dev/.", source: "/dev", options: ["bind"], brings: true),
        DeviceCase(destination: "/dev", type: "devtmpfs", source: "devtmpfs", brings: true),
        DeviceCase(destination: "//dev", type: "devtmpfs", brings: true),
        DeviceCase(destination: "/dev", type: "tmpfs", source: "tmpfs", brings: false),
        DeviceCase(destination: "/dev", type: "ramfs", brings: false),
        DeviceCase(destination: "/dev", options: ["bind", "remount", "ro"], brings: false),
        DeviceCase(destination: "/dev", type: "devtmpfs", options: ["remount"], brings: false),
        DeviceCase(destination: "/x", type: "devtmpfs", brings: false),
        DeviceCase(destination: "/dev/pts", source: "/dev/pts", options: ["bind"], brings: false),
        DeviceCase(destination: "/x/dev", source: "/dev", options: ["rbind"], brings: false),
        DeviceCase(destination: "/dev\u{301}", source: "/dev", options: ["bind"], brings: false),
        DeviceCase(destination: "/", source: "/", options: ["rbind"], brings: false),
    ])
    func onlySomeMountsBringDevices(mount: DeviceCase) throws {
        let (plan, findings) = read(
            Mount(destination: mount.destination, type: mount.type, source: mount.source, options: mount.options))
        #expect(findings.errorLines == [])
        #expect(plan?.bringsDevices == mount.brings)
    }

    // MARK: Destination

    @Test(arguments: [
        ("/", "/"), ("/a", "/a"), ("a", "/a"), ("a/b", "/a/b"), ("./a", "/a"), ("/a/", "/a"), ("//a///b//", "/a/b"),
        ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/../a", "/a"), ("../../a", "/a"), ("/a/b/../..", "/"), ("..", "/"),
        (".", "/"), ("/a/..b", "/a/..b"), ("/a/...", "/a/..."), ("/.a", "/.a"), ("/a b", "/a b"), ("", "/"),
        ("/dev/../proc/self", "/proc/self"),
    ])
    func destinationsAreCleaned(written: String, clean: String) {
        #expect(written.cleanedPath == clean)
        #expect(read(Mount(destination: written, type: "tmpfs")).plan?.destination == clean)
    }

    @Test func aMountKeepsItsPlaceInTheList() {
        #expect(read(Mount(destination: "/x", type: "tmpfs"), index: 7).plan?.index == 7)
    }
}
