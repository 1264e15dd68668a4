public import Errors
internal import Kernel
internal import KernelTypes

/// Keeps the runtime's executable out of containers' reach (CVE-2019-5736).
///
/// A container's process can open the program that runs it by /proc/PID/exe. So before the runtime touches a container
/// it executes itself again from a read-only clone of its own file's mount, which no process can find or make writable,
/// or, where mounts cannot be cloned, from a sealed copy in memory.
public enum SealedExecutable {
    private static let path = "/proc/self/exe"
    /// What the second execution knows itself by. That a file looks read-only proves nothing: a host may remount what
    /// it has mounted read-only.
    private static let marker = "_RUNBOX_SEALED"

    /// Returns when this process runs from a sealed file; otherwise the program begins anew, with the same environment.
    ///
    /// To be called first of all, by every program that is about to make a process for a container.
    ///
    /// - Parameter arguments: what the program was called with, its own name first; the process is named after it.
    /// - Throws: ``RuntimeError/failed(reason:)`` when the executable can be sealed in no way.
    public static func ensure(arguments: [String]) throws(RuntimeError) {
        do throws(SystemError) {
            let own = try Files.open(path, .readOnly)
            let carried = Processes.environment(marker)
            let isOwnClone = try carried == mark(of: own)
            if isOwnClone || Files.isSealed(own) {
                // Nobody else's business; a hook may start runbox again.
                Processes.unsetEnvironment(marker)
                // A file without a name gives the process none.
                Processes.setName(arguments.first?.splitAtLastSlash?.name ?? arguments.first ?? "runbox")
                return
            }
            if let carried, carried.begins(with: "\(Processes.currentID):") {
                throw .refused("the sealed copy is not sealed")
            }
            let sealed = try seal(own)
            let others = Processes.environment().filter { !$0.begins(with: "\(marker)=") }
            let image = ExecImage(
                path: path, arguments: arguments,
                environment: others + ["\(marker)=\(try mark(of: sealed))", "SWIFT_BACKTRACE=enable=no"])
            throw SystemError("execveat", "", image.execute(sealed))
        } catch {
            throw RuntimeError(error, doing: "seal the runtime's executable")
        }
    }

    /// This process's number, which execve keeps, and the identity of the mount that the file is reached by: no other
    /// process, and no mount of the host's, has both. seal.c writes the same.
    private static func mark(of file: borrowing Descriptor) throws(SystemError) -> String {
        "\(Processes.currentID):\(try Files.mountIdentity(of: file))"
    }

    private static func seal(_ own: borrowing Descriptor) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            let clone = try Mounting.cloneTree(path, recursive: false)
            try Mounting.setAttributes(of: clone, set: [.readOnly])
            return clone
        } catch {
            // Not for ordinary users, nor on old kernels.
            let copy = try Files.memoryFile("runbox", sealable: true)
            try Files.copyContents(from: own, to: copy, subject: path)
            try Files.seal(copy)
            // A file that is open for writing cannot be executed.
            return try Files.open(copy.path, .readOnly)
        }
    }
}
