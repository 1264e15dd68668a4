import JSON
import OCISpec
import Testing

/// What a person reads: places, paths and words, to the letter.
@Suite struct DiagnosticTests {
    @Test func everyMistakeIsFoundInOneGo() {
        let document = decode(
            """
            {
              "ociVersion": "1.0.2",
              "process": {
                "user": {"uid": "1000", "gid": -1},
                "args": [],
                "cwd": "work",
                "rlimits": [{"type": "RLIMIT_NOFIL", "soft": 1, "hard": 1.5}]
              },
              "root": {},
              "mounts": [{"destination": "/x", "options": ["ro", 5]}, "no"],
              "linux": {
                "namespaces": [{"type": "pid"}, {"type": "pid"}, {"type": "net"}],
                "readonlyPathz": [],
                "seccomp": {"defaultAction": "SCMP_ACT_ERNO"}
              },
              "root": {"path": "rootfs"}
            }
            """)
        #expect(document.spec == nil)
        #expect(
            document.findings.map(\.description) == [
                #"config.json:4:21: process.user.uid: expected a number, found the string "1000""#,
                "config.json:4:36: process.user.gid: expected a number from 0 to 4294967295, found -1",
                "config.json:5:13: process.args: must name the program to run, found an empty array",
                #"config.json:6:12: process.cwd: expected an absolute path, found the string "work""#,
                #"config.json:7:26: process.rlimits[0].type: "#
                    + #"unknown value "RLIMIT_NOFIL"; did you mean "RLIMIT_NOFILE"?"#,
                "config.json:7:61: process.rlimits[0].hard: expected a whole number, found 1.5",
                #"config.json:9:11: root: missing required field "path""#,
                "config.json:10:54: mounts[0].options[1]: expected a string, found the number 5",
                #"config.json:10:59: mounts[1]: expected an object, found the string "no""#,
                #"config.json:12:46: linux.namespaces[1].type: "pid" stands twice, first in linux.namespaces[0]"#,
                #"config.json:12:63: linux.namespaces[2].type: unknown value "net"; did you mean "network"?"#,
                #"config.json:13:5: linux.readonlyPathz: "#
                    + #"unknown key "readonlyPathz"; did you mean "readonlyPaths"? (ignored)"#,
                #"config.json:14:34: linux.seccomp.defaultAction: "#
                    + #"unknown value "SCMP_ACT_ERNO"; did you mean "SCMP_ACT_ERRNO"?"#,
                #"config.json:16:3: root: the key "root" stands twice, first at 9:3"#,
            ])
        #expect(document.findings.filter { $0.severity == .warning }.map(\.path) == ["linux.readonlyPathz"])
    }

    @Test func aSyntaxErrorIsTheOnlyFinding() {
        let document = decode("{\"ociVersion\": 1,\n \"process\": {\"args\": [\"sh\",]}}")
        #expect(
            document.findings.map(\.description) == [
                #"config.json:2:27: process.args: a comma stands before "]", where nothing follows it"#
            ])
        #expect(document.location(ofPath: "process") == nil)
        #expect(document.text(atPath: "process") == nil)
    }

    @Test(arguments: [
        ("[]", ": expected an object, found an array"),
        ("null", ": expected an object, found null"),
        ("\"x\"", ": expected an object, found the string \"x\""),
    ])
    func theTopMustBeAnObject(_ text: String, _ message: String) {
        #expect(findings(text) == [message])
    }

    @Test func theEmptyObjectLacksWhatIsRequired() {
        #expect(
            decode("{}").findings.map(\.description) == [
                "config.json:1:1: missing required field \"ociVersion\"",
                "config.json:1:1: missing required field \"root\"",
            ])
        #expect(findings(#"{"ociVersion":null,"root":null}"#).count == 2)
    }

    @Test(arguments: [
        (#""proces":{}"#, #"proces: unknown key "proces"; did you mean "process"? (ignored)"#),
        (#""somethingElse":[{}]"#, #"somethingElse: unknown key "somethingElse" (ignored)"#),
        (#""x.y\n":1"#, #"["x.y\n"]: unknown key "x.y\n" (ignored)"#),
    ])
    func unknownKeysAreWarnings(_ member: String, _ message: String) {
        let document = decode(withMember(member))
        #expect(document.spec != nil)
        #expect(document.findings.map { "\($0.path): \($0.message)" } == [message])
        #expect(document.findings.allSatisfy { $0.severity == .warning })
    }

    // MARK: Keys that differ in case alone

    @Test func aKeyInAnotherCaseIsReadAsGoReadsIt() throws {
        let text = withMember(
            #""hostName":"x","Linux":{"Resources":{"hugepageLimits":[{"pagesize":"2MB","limit":5,"LIMITS":1}]}}"#)
        let document = decode(text)
        #expect(
            document.findings.map(\.description) == [
                #"config.json:1:48: hostname: the key "hostName" is read as "hostname", from which it differs in case alone"#,
                #"config.json:1:63: linux: the key "Linux" is read as "linux", from which it differs in case alone"#,
                #"config.json:1:72: linux.resources: the key "Resources" is read as "resources", "#
                    + "from which it differs in case alone",
                #"config.json:1:104: linux.resources.hugepageLimits[0].pageSize: the key "pagesize" is read as "#
                    + #""pageSize", from which it differs in case alone"#,
                #"config.json:1:131: linux.resources.hugepageLimits[0].LIMITS: unknown key "LIMITS"; "#
                    + #"did you mean "limit"? (ignored)"#,
            ])
        let spec = try #require(document.spec)
        #expect(spec.hostname == "x")
        let limit = try #require(spec.linux?.resources?.hugepageLimits?.first)
        #expect(limit.pageSize == "2MB" && limit.limit == 5)
        #expect(document.location(ofPath: "linux.resources.hugepageLimits[0].pageSize")?.column == 115)
    }

    /// Rules that look at a key by itself find it, too.
    @Test func aRequiredKeyMayStandInAnotherCase() throws {
        let spec = try #require(
            decode(
                #"{"OciVersion":"1.0.0","ROOT":{"Path":"r"},"process":{"CWD":"/","Args":["a"],"user":{"UID":1,"GID":2}}}"#
            )
            .spec)
        #expect(spec.root?.path == "r" && spec.process?.cwd == "/" && spec.process?.args == ["a"])
        #expect(spec.process?.user == User(uid: 1, gid: 2))
    }

    /// Go's reader would take the later one, crun the known one.
    @Test(arguments: [
        (#""hostname":"x","hostName":"y""#, "hostName"), (#""hostName":"y","hostname":"x""#, "hostName"),
        (#""HOSTNAME":"y","hostName":"x""#, "hostName"), (#""hostname":null,"Hostname":"x""#, "Hostname"),
    ])
    func aKeyInTwoCasesIsRefused(_ members: String, _ name: String) {
        let document = decode(withMember(members))
        #expect(document.spec == nil)
        #expect(
            document.findings.filter { $0.severity == .error }.map(\.message) == [
                #"the key "\#(name)" differs from "hostname", which is there too, in case alone"#
            ])
    }

    /// Keys that the user chooses, and words that stand as keys, are not the specification's.
    @Test func chosenKeysKeepTheirCase() throws {
        let spec = try clean(withMember(#""annotations":{"a":"1","A":"2"}"#))
        #expect(spec.annotations == [KeyValue(key: "a", value: "1"), KeyValue(key: "A", value: "2")])
        #expect(
            findings(withLinux(#""timeOffsets":{"Monotonic":{"secs":1}}"#)) == [
                #"linux.timeOffsets.Monotonic: unknown key "Monotonic"; did you mean "monotonic"?"#
            ])
    }

    /// A section of another platform, and keys that lost their meaning, are known.
    @Test(arguments: [
        withMember(#""vm":{"hypervisor":1},"windows":0,"solaris":[],"zos":{},"freebsd":{"x":1}"#),
        withProcess(#""commandLine":"x""#),
        withMember(#""process":{"cwd":"/","user":{"uid":0,"gid":0,"username":"x"}}"#),
        withLinux(#""intelRdt":{"enableCMT":true,"enableMBM":"x"}"#),
    ])
    func otherPlatformsAreIgnored(_ text: String) throws {
        _ = try clean(text)
    }

    @Test func longValuesAreCut() {
        let long = String(repeating: "é", count: 200)
        let message = findings(withProcess("\"terminal\":\"\(long)\"")).first ?? ""
        let shown = String(repeating: "é", count: 19)
        #expect(message == "process.terminal: expected true or false, found the string \"\(shown)…\"")
    }

    /// DEL and U+009B (which begins a terminal's command) may stand in JSON as they are.
    @Test func noControlCharacterIsShown() {
        let message = findings(withProcess("\"terminal\":\"\u{7F}\u{9B}31mé\"")).first
        #expect(message == #"process.terminal: expected true or false, found the string "\u007f\u009b31mé""#)
        #expect(findings(withMember("\"\u{9B}\":1")).first == #"["\u009b"]: unknown key "\u009b" (ignored)"#)
    }

    @Test func noNumberOfWarningsHidesAnError() {
        let keys = (0..<1500).map { "\"k\($0)\":0" }.joined(separator: ",")
        let document = decode(withMember("\(keys),\"linux\":{\"namespaces\":[{\"type\":\"x\"}],\(keys)}"))
        #expect(document.spec == nil)
        #expect(document.findings.filter { $0.severity == .error }.map(\.path) == ["linux.namespaces[0].type"])
        #expect(document.findings.count == 1001)
    }

    /// Nor must it take long: the work for what is not listed is not done.
    @Test(.timeLimit(.minutes(1))) func nonsenseIsCutShort() {
        let keys = (0..<100_000).map { "\"namespacez\($0 % 50_000)\":0" }.joined(separator: ",")
        let findings = decode(withLinux(keys)).findings
        #expect(findings.filter { $0.severity == .error }.count == 1000)
        #expect(findings.filter { $0.severity == .warning }.count == 1000)
        let words = Array(repeating: "\"SCMP_ARCH_NONE\"", count: 100_000).joined(separator: ",")
        #expect(decode(withLinux("\"seccomp\":{\"architectures\":[\(words)]}")).findings.count == 1000)
        let options = Array(repeating: "1", count: 50_000).joined(separator: ",")
        #expect(decode(withProcess("\"env\":[\(options)]")).findings.count == 1000)
    }

    @Test func placesAndTextsAreFound() throws {
        let text = """
            {
              "ociVersion": "1.0.2", "root": {"path": "rootfs"},
              "mounts": [{"destination": "/x", "options": ["ro", "nosuid"]}],
              "annotations": {"a.b": "ü", "c": "d"},
              "linux": {"sysctl": {"net.ipv4.ip_forward": "1"}, "seccomp": { "defaultAction": "SCMP_ACT_ALLOW" }}
            }
            """
        let document = decode(text)
        #expect(document.location(ofPath: "mounts[0].options[1]")?.description == "3:54")
        #expect(document.location(ofPath: "annotations[\"a.b\"]")?.description == "4:26")
        #expect(document.location(ofPath: "annotations.c")?.description == "4:36")
        #expect(document.location(ofPath: "linux.sysctl[\"net.ipv4.ip_forward\"]")?.description == "5:47")
        #expect(document.location(ofPath: "linux.namespaces[2].path")?.description == "5:12")
        #expect(document.location(ofPath: "")?.description == "1:1")
        let seccomp = try #require(document.text(atPath: "linux.seccomp"))
        #expect(String(decoding: seccomp, as: UTF8.self) == #"{ "defaultAction": "SCMP_ACT_ALLOW" }"#)
        #expect(document.text(atPath: "linux.devices") == nil)
    }

    @Test(arguments: [
        (#"{"cwd":"/","user":{"uid":0,"gid":0},"args":["sh"]}"#, [String]()),
        (#"{"cwd":"x"}"#, [#"p.json:1:8: cwd: expected an absolute path, found the string "x""#]),
        (#"{"cwd":"/","ociVersion":"1.0.0"}"#, [#"p.json:1:12: ociVersion: unknown key "ociVersion" (ignored)"#]),
    ])
    func aProcessDocumentIsReadAlone(_ text: String, _ expected: [String]) {
        let document = ProcessDocument(bytes: Array(text.utf8), file: "p.json")
        #expect(document.findings.map(\.description) == expected)
        #expect((document.process == nil) == document.findings.contains { $0.severity == .error })
        #expect(document.location(ofPath: "cwd")?.column == 8)
    }

    @Test func aResourcesDocumentIsReadAlone() {
        let text = #"{"memory":{"limit":1},"pids":{"limit":-1}}"#
        let document = ResourcesDocument(bytes: Array(text.utf8), file: "-")
        #expect(document.resources == Resources(memory: .init(limit: 1), pids: .init(limit: -1)))
        #expect(document.findings.isEmpty)
        #expect(document.location(ofPath: "pids.limit")?.column == 39)
    }
}
