internal import CLinux

package enum Keyring {
    /// Gives this process a new session keyring, so that the payload cannot see the keys of whoever started the runtime. keyctl(2).
    ///
    /// Its owner (the payload's user) may search and link it, as in every other runtime.
    package static func joinSession(_ name: String) throws(SystemError) {
        let serial = try check("keyctl(JOIN_SESSION_KEYRING)", name) {
            lend(name) { system(Int(SYS_keyctl), Int(KEYCTL_JOIN_SESSION_KEYRING), $0) }
        }
        // All for the possessor; for others of the same user no more than to view, read and search it; keyrings(7).
        let permissions: Int = 0x3f1b_0000
        _ = try check("keyctl(SETPERM)", name) { system(Int(SYS_keyctl), Int(KEYCTL_SETPERM), serial, permissions) }
    }
}
