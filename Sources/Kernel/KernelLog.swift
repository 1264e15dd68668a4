internal import CLinux
internal import CSeccomp

/// What the kernel says of processes that a seccomp filter has ended: kmsg(4), and records of type 1326 (AUDIT_SECCOMP).
package enum KernelLog {
    /// The name of the system call for which a filter ended a process; nil where the log does not tell, or may not be read.
    /// - Parameter pid: the process's number as the host counts.
    package static func systemCallThatKilled(_ pid: Int32) -> String? {
        // Needs CAP_SYSLOG where dmesg is restricted; without it the sentence is shorter.
        guard let log = try? Files.open("/dev/kmsg", [.readOnly, .nonBlocking]) else { return nil }
        var found: String?
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(log.raw, &buffer, buffer.count)
            if count > 0 {
                let record = String(decoding: buffer[..<count], as: UTF8.self)
                found = systemCall(in: record, of: pid) ?? found
            } else if count == 0 || ![EINTR, EPIPE].contains(Errno.current.rawValue) {
                // EPIPE: the record was overwritten meanwhile; the next read goes on behind it.
                return found
            }
        }
    }

    /// `… type=1326 audit(…): … pid=7 comm="sh" … sig=31 arch=c000003e syscall=165 …`
    static func systemCall(in record: String, of pid: Int32) -> String? {
        let words = record.parts(by: " ")
        guard words.contains("type=1326"), words.contains("pid=\(pid)"), words.contains("sig=31"),
            let number = words.lazy.compactMap({ $0.rest(after: "syscall=").flatMap { Int32($0) } }).first,
            let arch = words.lazy.compactMap({ $0.rest(after: "arch=").flatMap { UInt32($0, radix: 16) } }).first
        else { return nil }
        guard let name = seccomp_syscall_resolve_num_arch(arch, number) else { return "number \(number)" }
        defer { free(name) }
        return String(cString: name)
    }
}
