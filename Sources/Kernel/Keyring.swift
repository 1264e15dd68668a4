internal import CLinux

package enum Keyring {
    /// Gives this process a new session keyring, so that the payload cannot see the keys of whoever started the runtime. keyctl(2).
    ///
    /// Its owner (the payload's user) may search and link it, as in every other runtime.
    package static func joinSession(_ name: String) throws(SystemError) {
        let serial = try check("keyctl(JOIN_SESSION_KEYRING)", name) {
            name.withCString { system(Int(SYS_keyctl), Int(KEYCTL_JOIN_SESSION_KEYRING), word($0)) }
        }
        // KEY_USR_SEARCH for the owner beyond what the possessor has; keyrings(7).
        let permissions = 0x3f3f_0000 as Int | 0x0008_0000
        _ = try check("keyctl(SETPERM)", name) { system(Int(SYS_keyctl), Int(KEYCTL_SETPERM), serial, permissions) }
    }
}
