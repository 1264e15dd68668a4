import Glibc
import JSON
import OCISpec
import Testing

/// Reads a configuration; `file` is always `config.json`.
func decode(_ text: String) -> SpecDocument {
    SpecDocument(bytes: Array(text.utf8), file: "config.json")
}

/// A configuration with one more member at the top.
func withMember(_ member: String) -> String {
    #"{"ociVersion":"1.0.0","root":{"path":"rootfs"},\#(member)}"#
}

/// A configuration whose `process` has these members besides the required ones.
func withProcess(_ members: String) -> String {
    withMember(#""process":{"cwd":"/","user":{"uid":0,"gid":0},\#(members)}"#)
}

/// A configuration whose `linux` has these members.
func withLinux(_ members: String) -> String {
    withMember(#""linux":{\#(members)}"#)
}

/// A configuration whose `linux.resources` has these members.
func withResources(_ members: String) -> String {
    withLinux(#""resources":{\#(members)}"#)
}

/// The findings' paths and messages, without places.
func findings(_ text: String) -> [String] {
    decode(text).findings.map { "\($0.path): \($0.message)" }
}

/// The configuration, which must be without mistakes or oddities.
func clean(_ text: String, _ place: Testing.SourceLocation = #_sourceLocation) throws -> Spec {
    let document = decode(text)
    #expect(document.findings.map(\.description) == [], sourceLocation: place)
    return try #require(document.spec, sourceLocation: place)
}

/// A file of the specification's own examples.
func fixture(_ path: String) throws -> [UInt8] {
    let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)
    let file = try #require(fopen("\(folder)/Fixtures/\(path)", "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}
