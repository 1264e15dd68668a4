internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Setting the clocks of a new time namespace; time_namespaces(7).
extension TimeOffsetPlan {
    /// The file that takes the offsets of this process's children. It is opened while the host's procfs is at hand and
    /// the host's privileges are: the kernel judges a write by the credentials of the process that opened the file.
    static func openFile() throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open("/proc/self/timens_offsets", .writeOnly)
        } catch {
            guard error.code == .noEntry else { throw error }
            throw .refused("linux.timeOffsets: this kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS)")
        }
    }

    /// Sets the clock of the time namespace that this process has made for its children. The kernel lets that be done
    /// only while no process is in it.
    func write(to file: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.rewind(file)
            try Files.write("\(clock) \(seconds) \(nanoseconds)\n", to: file)
        } catch {
            let asked = "\(field) \(seconds) s \(nanoseconds) ns"
            if error.code == .range {
                let now = Clock.seconds(since: clock == "boottime" ? .boot : .start)
                throw .refused(
                    "\(asked): the clock would not be between 0 and \(Self.mostSeconds / 2) s; the host's is at \(now) s"
                )
            }
            if error.code == .notPermitted { throw .refused("\(asked): setting clocks needs CAP_SYS_TIME") }
            throw SystemError("write", "timens_offsets \(asked)", error.code)
        }
    }
}
