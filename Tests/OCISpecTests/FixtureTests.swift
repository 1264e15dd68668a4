import JSON
import OCISpec
import Testing

/// The examples that the specification itself tests its schema with.
@Suite struct FixtureTests {
    @Test(arguments: [
        "freebsd-minimal", "linux-netdevice", "linux-rdma", "minimal-for-start", "minimal", "zos-minimal",
        "freebsd-example",
    ])
    func theGoodExamplesDecode(_ name: String) throws {
        let document = SpecDocument(bytes: try fixture("config/good/\(name).json"), file: name)
        #expect(document.findings.map(\.description) == [])
        #expect(document.spec != nil)
    }

    /// Two examples still carry the version of a draft, which is refused; all else in them decodes.
    @Test(arguments: ["spec-example", "zos-example"])
    func draftsAreRefusedForTheirVersionOnly(_ name: String) throws {
        let text = String(decoding: try fixture("config/good/\(name).json"), as: UTF8.self)
        let errors = decode(text).findings.filter { $0.severity == .error }
        #expect(
            errors.map(\.description) == [
                "config.json:2:19: ociVersion: version 0.5.0-dev is not supported; this runtime implements 1.3.0"
            ])
        let parts = text.split(separator: "0.5.0-dev", maxSplits: 1, omittingEmptySubsequences: false)
        let current = decode(parts.joined(separator: "1.0.0"))
        #expect(current.spec != nil)
        // A key of an old draft; in no version since 1.0.
        let warnings = name == "spec-example" ? ["linux.resources.oomScoreAdj"] : []
        #expect(current.findings.map(\.path) == warnings)
    }

    @Test func theLongExampleIsReadInFull() throws {
        let text = String(decoding: try fixture("config/good/spec-example.json"), as: UTF8.self)
        let parts = text.split(separator: "0.5.0-dev", maxSplits: 1, omittingEmptySubsequences: false)
        let spec = try #require(decode(parts.joined(separator: "1.0.0")).spec)
        #expect(spec.process?.user == User(uid: 1, gid: 1, additionalGids: [5, 6]))
        #expect(spec.process?.rlimits?.map(\.type) == [.core, .openFiles])
        #expect(spec.mounts?.count == 7)
        #expect(spec.mounts?[0] == Mount(destination: "/proc", type: "proc", source: "proc"))
        #expect(spec.hooks?.poststart == [Hook(path: "/usr/bin/notify-start", timeout: 5)])
        #expect(spec.hooks?.prestart?.count == 2)
        #expect(spec.linux?.devices?[0].fileMode == 438)
        #expect(spec.linux?.resources?.hugepageLimits?[0].limit == 9_223_372_036_854_772_000)
        #expect(spec.linux?.resources?.blockIO?.weightDevice?[1] == WeightDevice(major: 8, minor: 16, weight: 500))
        #expect(spec.linux?.timeOffsets?.boottime == ClockOffset(secs: 604800, nanosecs: 0))
        #expect(spec.linux?.seccomp?.syscalls == [SeccompRule(names: ["getcwd", "chmod"], action: .errno)])
        #expect(spec.linux?.rootfsPropagation == .slave)
        #expect(spec.annotations?.map(\.key) == ["com.example.key1", "com.example.key2"])
    }

    @Test(arguments: [
        ("invalid-json", "1:2: expected a key in quotes, found \"]\""),
        (
            "linux-hugepage",
            "11:33: linux.resources.hugepageLimits[0].pageSize: "
                + "expected a size such as \"64KB\", \"2MB\" or \"1GB\", found the string \"64kB\""
        ),
        ("linux-netdevice", "9:25: linux.netDevices.eth0.name: expected a string, found the number 23"),
        (
            "linux-rdma",
            "10:35: linux.resources.rdma.mlx5_1.hcaHandles: expected a number, found the string \"not a uint32\""
        ),
    ])
    func theBadExamplesGiveAnError(_ name: String, _ message: String) throws {
        let document = SpecDocument(bytes: try fixture("config/bad/\(name).json"), file: "f")
        #expect(document.spec == nil)
        #expect(document.findings.map(\.description) == ["f:\(message)"])
    }

    /// What is bad about it is FreeBSD's; the section is not looked into.
    @Test func otherPlatformsAreNotJudged() throws {
        let document = SpecDocument(bytes: try fixture("config/bad/freebsd-vnet-disable.json"), file: "f")
        #expect(document.spec != nil)
    }

    @Test func goodStatesDecodeAndBadOnesDoNot() throws {
        let good = StateDocument(bytes: try fixture("state/good/spec-example.json"), file: "state.json")
        let expected = State(
            ociVersion: "0.2.0", id: "oci-container1", status: .running, pid: 4422, bundle: "/containers/redis",
            annotations: [KeyValue(key: "myKey", value: "myValue")])
        #expect(good.state == expected)
        let bad = StateDocument(bytes: try fixture("state/bad/invalid-json.json"), file: "state.json")
        #expect(bad.state == nil)
        #expect(bad.findings.count == 1)
    }

    @Test(arguments: ["good/minimal", "good/runc", "bad/missing-ociVersionMax"])
    func featuresAreReadable(_ name: String) throws {
        let document = try Document(try fixture("features/\(name).json"))
        #expect((document.member("ociVersionMax", of: document.root) != nil) == name.hasPrefix("good"))
    }
}
