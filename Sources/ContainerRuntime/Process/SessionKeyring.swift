internal import Kernel

/// The session keyring of a container's processes, one for each container; session-keyring(7).
enum SessionKeyring {
    /// Joins the container's under an SELinux label.
    /// - Parameter proc: where labels are written; nothing without a label.
    static func join(of id: String, label: String?, proc: borrowing DescriptorTable) throws(SystemError) {
        guard let label else { return try join(of: id) }
        try proc.with(0) { proc throws(SystemError) in
            try Labels.labelNewKeys(label, proc: proc)
            try join(of: id)
            try Labels.labelNewKeys(nil, proc: proc)
        }
    }

    /// Joins the container's, and makes it where this is the first process.
    static func join(of id: String) throws(SystemError) {
        do throws(SystemError) {
            try Keyring.joinSession("_ses.\(id)")
        } catch  where error.code == .noSystemCall {
            // A kernel without keyrings has none to hide.
        }
    }
}
