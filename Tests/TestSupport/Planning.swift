internal import CgroupPlanning
package import Errors
internal import KernelTypes
package import OCISpec
package import Planning
package import Testing

/// Lines of findings, `field: reason`.
extension Findings {
    package var errorLines: [String] { errors.map { "\($0.field): \($0.reason)" } }
    package var warningLines: [String] { warnings.map { "\($0.field): \($0.reason)" } }
}

/// What a part of planning comes to, with what it found.
package func plan<Plan>(_ make: (inout Findings) -> Plan) -> (plan: Plan, findings: Findings) {
    var findings = Findings()
    let plan = make(&findings)
    return (plan, findings)
}

/// The namespaces of a configuration with nothing else in it.
package func namespaces(_ types: NamespaceType..., joined: [NamespaceType] = []) -> NamespacePlan {
    let mappings = types.contains(.user) ? [IDMapping(containerID: 0, hostID: 1000, size: 10)] : nil
    let all = types.map { Namespace(type: $0) } + joined.map { Namespace(type: $0, path: "/proc/1/ns/\($0.rawValue)") }
    let linux = Linux(namespaces: all, uidMappings: mappings, gidMappings: mappings)
    var findings = Findings()
    return NamespacePlan(Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), linux: linux), findings: &findings)
}

package func process(_ change: (inout OCISpec.Process) -> Void = { _ in }) -> OCISpec.Process {
    var process = OCISpec.Process(user: User(uid: 0, gid: 0), args: ["sh"], cwd: "/")
    change(&process)
    return process
}

/// A machine of ordinary shape, whatever this one is.
package let host = Host(
    effectiveUser: 0, effectiveGroup: 0, cgroups: CgroupHost(root: "/sys/fs/cgroup", ownPath: "/user.slice/shell"))

/// The configuration of a text, which must be without mistakes.
package func spec(_ text: String, _ place: Testing.SourceLocation = #_sourceLocation) throws -> Spec {
    let document = SpecDocument(bytes: Array(text.utf8), file: "config.json")
    #expect(document.findings.map(\.description) == [], sourceLocation: place)
    return try #require(document.spec, sourceLocation: place)
}

/// A process with a value in every field.
package let wholeProcess = OCISpec.Process(
    terminal: true, consoleSize: ConsoleSize(height: 1, width: 2), user: User(uid: 3, gid: 4), args: ["a"],
    env: ["B=c"], cwd: "/d", capabilities: Capabilities(bounding: ["CAP_CHOWN"]),
    rlimits: [RLimit(type: .core, soft: 1, hard: 2)], noNewPrivileges: true, apparmorProfile: "e", oomScoreAdj: 5,
    scheduler: Scheduler(policy: .batch), selinuxLabel: "f", ioPriority: IOPriority(class: .idle, priority: 6),
    execCPUAffinity: CPUAffinity(initial: "0", final: "1"))
