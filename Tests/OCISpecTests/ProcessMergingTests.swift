import TestSupport
import Testing

@testable import OCISpec

@Suite struct ProcessMergingTests {
    /// What a document of `exec --process` says for itself, or leaves at its default.
    private static let ofTheDocument = ["terminal", "consoleSize", "user", "args", "env", "cwd"]

    /// A field that is new in the specification is in one of the two: what the document leaves open is the container's.
    @Test func whatADocumentLeavesOpenIsTheContainers() {
        let template = Mirror(reflecting: wholeProcess)
        let completed = Process(user: User(uid: 0, gid: 0), cwd: "/").completed(by: wholeProcess)
        for field in Mirror(reflecting: completed).children {
            let name = field.label ?? ""
            let expected = template.descendant(name).map { "\($0)" } ?? "nil"
            #expect(expected != "nil", "\(name): give it a value in wholeProcess")
            if !Self.ofTheDocument.contains(name) { #expect("\(field.value)" == expected, "\(name)") }
        }
    }
}
