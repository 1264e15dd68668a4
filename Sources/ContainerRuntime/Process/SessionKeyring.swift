internal import Kernel

/// The session keyring of a container's processes, one for each container; session-keyring(7).
enum SessionKeyring {
    /// Joins the container's, and makes it where this is the first process.
    static func join(of id: String) throws(SystemError) {
        do throws(SystemError) {
            try Keyring.joinSession("_ses.\(id)")
        } catch  where error.code == .noSystemCall {
            // A kernel without keyrings has none to hide.
        }
    }
}
