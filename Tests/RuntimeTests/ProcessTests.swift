import Testing

extension AllTests {
    /// process.user
    @Suite struct Users {
        @Test func rootByDefault() throws {
            let seen = try Sandbox.current.look("ids")
            #expect(seen["uid"] == "0" && seen["euid"] == "0" && seen["suid"] == "0")
            #expect(seen["gid"] == "0" && seen["egid"] == "0" && seen["sgid"] == "0")
        }
    }
}
