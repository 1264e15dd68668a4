import OCISpec
import Testing

@Suite struct ClauseTests {
    @Test(arguments: [
        ("process.args[0]", "x", "config.md, POSIX process"), ("process.argsX", "x", "config.md, Process"),
        ("mounts[1].source", "x", "config.md, Mounts"), ("mounts[1].options[0]", "x", "config.md, Linux mount options"),
        ("linux.resources.memory.limit", "x", "config-linux.md, Memory"), ("", "x", "config.md, Configuration"),
        ("linux.sysctl[\"a.b\"]", "x", "config-linux.md, Sysctl"),
        ("nonsense", "unknown key", "config.md, Extensibility"),
        ("windows", "x", "config.md, Configuration"),
    ])
    func everyFieldHasItsClause(path: String, message: String, clause: String) {
        #expect(Clause.of(path: path, message: message) == clause)
    }
}
