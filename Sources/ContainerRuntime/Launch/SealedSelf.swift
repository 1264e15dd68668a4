internal import Kernel

/// Keeps the runtime's executable out of containers' reach (CVE-2019-5736).
///
/// A container's process can open the program that runs it by /proc/PID/exe. So before the runtime touches a container it
/// executes itself again from a read-only clone of its own file's mount, which nobody can find or make writable, or, where
/// mounts cannot be cloned, from a sealed copy in memory.
public enum SealedSelf {
    private static let path = "/proc/self/exe"
    /// Set for the second execution, so that a file that does not look sealed there either is an error and no endless loop.
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
            if try Files.fileSystem(of: own).isReadOnly || Files.isSealed(own) {
                // A file without a name gives the process none.
                Processes.setName(arguments.first?.splitAtLastSlash?.name ?? arguments.first ?? "runbox")
                return
            }
            if Processes.environment(marker) != nil { throw .refused("the sealed copy is not sealed") }
            let sealed = try seal(own)
            let image = ExecImage(
                path: path, arguments: arguments,
                environment: Processes.environment() + ["\(marker)=1", "SWIFT_BACKTRACE=enable=no"])
            throw SystemError("execveat", "", image.execute(sealed))
        } catch {
            throw RuntimeError(error, doing: "seal the runtime's executable")
        }
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
