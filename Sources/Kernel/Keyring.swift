internal import CLinux
package import KernelTypes

package enum Keyring {
    /// Gives this process a session keyring, so that the payload cannot see the keys of the process that started the
    /// runtime. keyctl(2), KEYCTL_JOIN_SESSION_KEYRING.
    ///
    /// Its owner may view, read and search it, as in every other runtime.
    /// - Parameter name: joins the keyring with this name, and makes it where there is none; nil makes one that no
    ///   other process can join.
    /// - Returns: the owner, as this user namespace counts. It may be any user: the kernel takes the first of this name
    ///   that may be searched.
    package static func joinSession(_ name: String?) throws(SystemError) -> UInt32 {
        _ = try check("keyctl(JOIN_SESSION_KEYRING)", name ?? "") {
            lend(name) { system(Int(SYS_keyctl), Int(KEYCTL_JOIN_SESSION_KEYRING), $0) }
        }
        return try owner(of: Int(KEY_SPEC_SESSION_KEYRING))
    }

    /// Limits what others than the possessor may do with the session keyring, which must be this user's own. keyctl(2),
    /// KEYCTL_SETPERM.
    package static func protectSession() throws(SystemError) {
        // All for the possessor; for others of the same user no more than to view, read and search it; keyrings(7).
        let permissions = 0x3f1b_0000
        _ = try check("keyctl(SETPERM)") {
            system(Int(SYS_keyctl), Int(KEYCTL_SETPERM), Int(KEY_SPEC_SESSION_KEYRING), permissions)
        }
    }

    /// What KEYCTL_DESCRIBE says first: the type, the user, then more, with semicolons between them.
    private static func owner(of serial: Int) throws(SystemError) -> UInt32 {
        let room = 8192
        var text = [UInt8](repeating: 0, count: room)
        let length = try check("keyctl(DESCRIBE)") {
            lend(writable: &text) { system(Int(SYS_keyctl), Int(KEYCTL_DESCRIBE), serial, $0, room) }
        }
        let fields = String(decoding: text.prefix(min(length, room)), as: UTF8.self).parts(by: ";")
        guard fields.count > 1, let owner = UInt32(fields[1]) else {
            throw SystemError("keyctl(DESCRIBE)", "", .invalidArgument)
        }
        return owner
    }
}

package enum RandomNumber {
    /// It cannot be guessed. getrandom(2)
    package static func next() throws(SystemError) -> UInt64 {
        var number: UInt64 = 0
        let size = MemoryLayout<UInt64>.size
        _ = try check("getrandom") { lend(writable: &number) { system(Int(SYS_getrandom), $0, size, 0) } }
        return number
    }
}
