import JSON
import OCISpec
import Testing

@Suite struct OutputTests {
    @Test(arguments: [(nil, true), (nil, false), (1000, true), (1000, false)] as [(UInt32?, Bool)])
    func theDefaultIsItselfWithoutMistakes(_ uid: UInt32?, _ cgroupNamespace: Bool) throws {
        let text = defaultSpecJSON(rootless: uid.map { ($0, $0 + 1) }, cgroupNamespace: cgroupNamespace)
        let spec = try clean(text)
        #expect(text.hasPrefix("{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true,"))
        #expect(text.hasSuffix("\n\t}\n}\n"))
        #expect(spec.hostname == "runbox")
        #expect(spec.root == Root(path: "rootfs", readonly: true))
        #expect(spec.mounts?.count == 7)
        let types = spec.linux?.namespaces?.map(\.type) ?? []
        #expect(types.contains(.cgroup) == cgroupNamespace)
        #expect(types.contains(.user) == (uid != nil))
        #expect(types.contains(.network) == (uid == nil))
        #expect((spec.linux?.resources == nil) == (uid != nil))
        #expect(spec.linux?.uidMappings == uid.map { [IDMapping(containerID: 0, hostID: $0, size: 1)] })
        #expect(spec.linux?.gidMappings == uid.map { [IDMapping(containerID: 0, hostID: $0 + 1, size: 1)] })
        #expect(spec.mounts?[2].options?.contains("gid=5") == (uid == nil))
        #expect(spec.mounts?[5].source == (uid == nil ? "sysfs" : "/sys"))
    }

    @Test func wishesAreWrittenWithoutMistakes() throws {
        var wishes = SpecWishes()
        wishes.arguments = ["a", "b"]
        wishes.environment = ["A=1", "PATH=/x", "A=2", "B"]
        wishes.user = User(uid: 1, gid: 2, additionalGids: [3])
        wishes.mounts = [Mount(destination: "/t", type: "tmpfs", source: "tmpfs", options: ["size=1m"])]
        wishes.readOnly = false
        wishes.memory = 1 << 20
        wishes.cpuQuota = 50_000
        wishes.tasks = 9
        wishes.seccomp = Array("{\n\t\"defaultAction\": \"SCMP_ACT_ALLOW\"\n}".utf8)
        wishes.network = .host
        for rootless in [nil, (1000, 1000)] as [(UInt32, UInt32)?] {
            let spec = try clean(defaultSpecJSON(rootless: rootless, cgroupNamespace: true, wishes: wishes))
            #expect(spec.process?.args == ["a", "b"])
            #expect(spec.process?.env == ["PATH=/x", "TERM=xterm", "A=2", "B"])
            #expect(spec.process?.user == wishes.user)
            #expect(spec.root?.readonly == false && spec.mounts?.last == wishes.mounts[0])
            #expect(spec.linux?.resources?.memory?.limit == 1 << 20 && spec.linux?.resources?.pids?.limit == 9)
            #expect(spec.linux?.resources?.cpu?.quota == 50_000 && spec.linux?.resources?.cpu?.period == 100_000)
            #expect((spec.linux?.resources?.devices == nil) == (rootless != nil))
            #expect(spec.linux?.seccomp?.defaultAction == .allow)
            // Another user than root is a subordinate ID of an ordinary user, which the runtime maps.
            #expect(spec.linux?.uidMappings == nil && spec.linux?.gidMappings == nil)
            #expect(spec.linux?.namespaces?.contains { $0.type == .network } == false)
        }
    }

    @Test func aStateIsOneLine() throws {
        let state = State(
            ociVersion: "1.3.0", id: "a", status: .created, pid: 7, bundle: "/b\n",
            annotations: [KeyValue(key: "k", value: "\"v\"")])
        let text = state.json()
        let expected =
            #"{"ociVersion":"1.3.0","id":"a","status":"created","pid":7,"bundle":"/b\n","#
            + #""annotations":{"k":"\"v\""}}"#
        #expect(String(decoding: text, as: UTF8.self) == expected)
        #expect(StateDocument(bytes: text, file: "-").state == state)
    }

    @Test func aStoppedContainerHasNoProcess() {
        let state = State(ociVersion: "1.3.0", id: "a", status: .stopped, pid: 0, bundle: "/b")
        let expected = #"{"ociVersion":"1.3.0","id":"a","status":"stopped","pid":0,"bundle":"/b"}"#
        #expect(String(decoding: state.json(), as: UTF8.self) == expected)
        let text = Array(#"{"ociVersion":"1.3.0","id":"a","status":"running","bundle":"/b"}"#.utf8)
        let document = StateDocument(bytes: text, file: "-")
        #expect(document.findings.map(\.message) == ["missing required field \"pid\""])
    }

    @Test func anAgentGetsTheProcessState() {
        let state = State(ociVersion: "1.3.0", id: "a", status: .creating, pid: 7, bundle: "/b")
        let message = ContainerProcessState(
            ociVersion: "1.3.0", fds: ["seccompFd"], pid: 7, metadata: "m", state: state)
        let expected =
            #"{"ociVersion":"1.3.0","fds":["seccompFd"],"pid":7,"metadata":"m","state":"#
            + String(decoding: state.json(), as: UTF8.self) + "}"
        #expect(String(decoding: message.json(), as: UTF8.self) == expected)
    }
}
