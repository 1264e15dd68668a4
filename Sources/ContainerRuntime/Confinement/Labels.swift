internal import Kernel
internal import KernelTypes
internal import Planning

extension LabelPlan {
    /// Sets what the next execve changes to; does nothing without a label.
    /// - Parameter proc: the one procfs of ``HostProcfs``, where there is a label.
    func write(by proc: borrowing DescriptorTable) throws(SystemError) {
        if isEmpty { return }
        try proc.with(0) { proc throws(SystemError) in try Labels.prepareExec(self, proc: proc) }
    }
}

/// Writes labels of security modules into procfs.
///
/// All go below a private mount of the host's procfs, to the calling thread's own folder, without following any link
/// and without leaving that mount: what an image shows at /proc must never take a label for it and drop it
/// (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
enum Labels {
    /// Sets what the next execve of this thread changes to; proc_pid_attr(5).
    ///
    /// - Parameter proc: the verified procfs, opened before the root was changed; it shows every process by the number
    ///   of its own pid namespace.
    static func prepareExec(_ plan: LabelPlan, proc: borrowing Descriptor) throws(SystemError) {
        if let profile = plan.profile { try setProfile(profile, proc) }
        if let label = plan.label {
            do throws(SystemError) {
                try write(label, "exec", proc)
            } catch {
                throw refusal(of: label, error)
            }
        }
    }

    private static func setProfile(_ profile: String, _ proc: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            do throws(SystemError) {
                try write("exec \(profile)", "apparmor/exec", proc)
            } catch  where error.call == "open" && error.code == .noEntry {
                // Before Linux 5.8 the module had no folder of its own.
                try write("exec \(profile)", "exec", proc)
            }
        } catch {
            switch error.code {
            case .noEntry where error.call == "write":
                throw .refused(
                    "AppArmor profile \"\(profile)\" is not loaded; load it with apparmor_parser -r FILE, aa-status lists the loaded ones"
                )
            case .accessDenied, .notPermitted:
                throw .refused(
                    "the AppArmor profile that runbox itself runs under does not let it change to \"\(profile)\"")
            default: throw error.about("for AppArmor profile \(profile)")
            }
        }
    }

    /// Has keys that this thread makes labelled from now on: the session keyring is the container's, too.
    /// - Parameter label: nil ends it.
    static func labelNewKeys(_ label: String?, proc: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try write(label ?? "\n", "keycreate", proc)
        } catch  where error.call == "open" && error.code == .noEntry {
            // A kernel without labels of keys.
        } catch {
            throw refusal(of: label ?? "", error)
        }
    }

    /// Labels the root of a file system that takes no label as an option.
    static func label(_ directory: borrowing Descriptor, _ label: String) throws(SystemError) {
        do throws(SystemError) {
            try ExtendedAttributes.set("security.selinux", Array(label.utf8) + [0], of: directory)
        } catch  where error.code == .notSupported {
            // Not every file system keeps labels; then the policy says what it is.
        } catch {
            throw refusal(of: label, error)
        }
    }

    private static func refusal(of label: String, _ error: SystemError) -> SystemError {
        switch error.code {
        case .invalidArgument: .refused("the loaded SELinux policy does not know the label \"\(label)\"")
        case .accessDenied, .notPermitted:
            .refused("the SELinux policy does not let runbox set the label \"\(label)\"; see ausearch -m avc")
        default: error.about("for SELinux label \(label)")
        }
    }

    /// Writes an attribute of the calling thread, in one write as the kernel demands.
    private static func write(_ value: String, _ name: String, _ proc: borrowing Descriptor) throws(SystemError) {
        // The kernel's own path of this thread, in the numbers of this procfs; a link in an ordinary mount could be
        // any user's.
        let thread = try Files.readLink("thread-self", at: proc)
        let file = try Files.openBeneath("\(thread)/attr/\(name)", at: proc, .writeOnly)
        guard try Files.fileSystem(of: file).isProc else { throw .refused("\(name) is no file of procfs") }
        do throws(SystemError) {
            try Files.write(value, to: file)
        } catch {
            throw SystemError("write", name, error.code)
        }
    }
}
