import Testing

@testable import OCISpec

@Suite struct ProcessMergingTests {
    /// What a document of `exec --process` says for itself, or leaves at its default.
    private static let ofTheDocument = ["terminal", "consoleSize", "user", "args", "env", "cwd"]

    private static let whole = Process(
        terminal: true, consoleSize: ConsoleSize(height: 1, width: 2), user: User(uid: 3, gid: 4), args: ["a"],
        env: ["B=c"], cwd: "/d", capabilities: Capabilities(bounding: ["CAP_CHOWN"]),
        rlimits: [RLimit(type: .core, soft: 1, hard: 2)], noNewPrivileges: true, apparmorProfile: "e", oomScoreAdj: 5,
        scheduler: Scheduler(policy: .batch), selinuxLabel: "f", ioPriority: IOPriority(class: .idle, priority: 6),
        execCPUAffinity: CPUAffinity(initial: "0", final: "1"))

    /// A field that is new in the specification is in one of the two: what the document leaves open is the container's.
    @Test func whatADocumentLeavesOpenIsTheContainers() {
        let template = Mirror(reflecting: Self.whole)
        let completed = Process(user: User(uid: 0, gid: 0), cwd: "/").completed(by: Self.whole)
        for field in Mirror(reflecting: completed).children {
            let name = field.label ?? ""
            let expected = template.descendant(name).map { "\($0)" } ?? "nil"
            #expect(expected != "nil", "\(name): give it a value here")
            if !Self.ofTheDocument.contains(name) { #expect("\(field.value)" == expected, "\(name)") }
        }
    }
}
