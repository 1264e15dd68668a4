internal import Kernel
internal import KernelTypes
internal import Planning

/// Keeps what the kernel knows of the init's end, where no process of the runtime waits for it: a bind mount of its
/// pidfd in the state folder.
///
/// A pidfd from before its death shows the exit code of a process for as long as it is held (Linux 6.15), and
/// since Linux 6.14 a mount can hold one. So no process has to stay for that. Ordinary users cannot mount, older
/// kernels refuse: then there is none.
enum PidfdPin {
    static let fileName = "pidfd"

    /// Whether there is one for a container. A caller that asks for a pid file reaps the init and knows its end:
    /// engines are spared the mount.
    static func isWanted(_ plan: LaunchPlan) -> Bool {
        plan.options.pidFile == nil && (plan.mode == .create || plan.options.detach)
    }

    /// Pins the init. What cannot be pinned is done without: the container is right all the same.
    static func make(_ folder: String, _ pidfd: borrowing Descriptor) {
        guard let tree = try? Mounting.cloneTree(of: pidfd, recursive: false) else { return }
        let path = "\(folder)/\(fileName)"
        guard let place = try? Files.open(path, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600) else {
            return
        }
        try? Mounting.attach(tree, on: place, subject: path)
    }

    /// How the init of a folder ended; nil where it lives, is a zombie, or was not pinned.
    static func end(_ folder: String) -> ExitReason? {
        // Without the mount this is an empty file, which knows nothing.
        guard let pidfd = try? Files.open("\(folder)/\(fileName)", [.readOnly, .noFollow]) else { return nil }
        return Processes.exitInformation(of: pidfd)
    }

    /// Takes the mount and its place away.
    static func remove(from folder: String) throws(SystemError) {
        let path = "\(folder)/\(fileName)"
        do throws(SystemError) {
            do throws(SystemError) {
                try Files.remove(path)
            } catch  where error.code == .busy {
                try Mounting.detach(path)
                try Files.remove(path)
            }
        } catch {
            if error.code != .noEntry { throw error }
        }
    }
}
