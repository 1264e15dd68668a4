internal import Kernel
internal import KernelTypes

/// The session keyring of a container's processes, one for each container; session-keyring(7).
///
/// A name is all that joins processes to one keyring, and a user who makes a keyring of that name before may keep it
/// accessible. So a part of the name cannot be guessed.
enum SessionKeyring {
    /// A name for a container's keyring that no other has.
    static func newName(for id: String) throws(SystemError) -> String {
        let digits = String(try RandomNumber.next(), radix: 16)
        return "\(oldName(of: id)).\(String(repeating: "0", count: 16 - digits.utf8.count))\(digits)"
    }

    /// What keyrings were called before their names were kept in the record.
    static func oldName(of id: String) -> String { "_ses.\(id)" }

    /// Joins the container's under an SELinux label.
    /// - Parameter proc: where labels are written; nothing without a label.
    static func join(_ name: String, label: String?, proc: borrowing DescriptorTable) throws(SystemError) {
        guard let label else { return try join(name) }
        try proc.with(0) { proc throws(SystemError) in
            try Labels.labelNewKeys(label, proc: proc)
            try join(name)
            try Labels.labelNewKeys(nil, proc: proc)
        }
    }

    /// Joins the container's, and makes it where this is the first process. One that is another user's is left for one
    /// without a name.
    static func join(_ name: String) throws(SystemError) {
        do throws(SystemError) {
            if try !isOwn(name) { _ = try Keyring.joinSession(nil) }
            try Keyring.protectSession()
        } catch {
            switch error.code {
            // A kernel without keyrings has none to hide.
            case .noSystemCall: return
            case .quotaExceeded:
                throw .refused(
                    "the quota of keys is used up; raise the sysctls kernel.keys.maxkeys and maxbytes (of root: root_maxkeys, "
                        + "root_maxbytes), or do without by --no-new-keyring")
            case .notPermitted, .accessDenied:
                throw .refused(
                    "\(error); a seccomp or SELinux policy of the host forbids keyrings: allow keyctl, or do without by "
                        + "--no-new-keyring")
            default: throw error
            }
        }
    }

    /// - Returns: false where the keyring of that name may not even be looked at, or is another user's.
    private static func isOwn(_ name: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try Keyring.joinSession(name) == Credentials.effectiveUser
        } catch  where error.code == .accessDenied && error.call == "keyctl(DESCRIBE)" {
            return false
        }
    }
}
