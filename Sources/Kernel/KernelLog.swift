internal import CLinux
internal import CSeccomp
internal import KernelTypes

/// What the kernel says of processes that a seccomp filter has ended: kmsg(4), and records of type 1326
/// (AUDIT_SECCOMP).
package enum KernelLog {
    /// The name of the system call for which a filter ended a process; nil where the log does not say, or may not be
    /// read.
    /// - Parameter pid: the process's number as the host counts.
    package static func systemCallThatKilled(_ pid: Int32) -> String? {
        var found: String?
        forEachRecord { found = systemCall(in: $0, of: pid) ?? found }
        return found
    }

    private static func forEachRecord(_ body: (String) -> Void) {
        // Needs CAP_SYSLOG where dmesg is restricted; without it the sentence is shorter.
        guard let log = try? Files.open("/dev/kmsg", [.readOnly, .nonBlocking]) else { return }
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(log.raw, &buffer, buffer.count)
            if count > 0 {
                body(String(decoding: buffer[..<count], as: UTF8.self))
            } else if count == 0 || ![EINTR, EPIPE].contains(Errno.current.rawValue) {
                // EPIPE: the record was overwritten meanwhile; the next read goes on behind it.
                return
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

extension KernelLog {
    /// One process that was killed because memory ran out.
    package struct MemoryKill: Hashable, Sendable {
        /// The cgroup whose limit was reached; nil where it was the machine's memory.
        package let limited: String?
        /// That limit in bytes, where the log has it.
        package let limit: UInt64?
    }

    /// The processes of a cgroup, or one below it, that were killed for memory (mm/oom_kill.c, `dump_oom_summary`).
    /// - Parameter beginning: milliseconds of CLOCK_MONOTONIC: what happened earlier was another container's.
    package static func memoryKills(below cgroup: String, since beginning: Int64) -> [MemoryKill] {
        // The log has the processor's own clock, which began a little earlier or later (more than a second in an
        // emulated machine), and which time servers do not set right: up to a second in three hours apart.
        let slack = 2_000 + beginning / 10_000
        var search = MemoryKillSearch(cgroup: cgroup, beginning: beginning - slack)
        forEachRecord { search.read($0) }
        return search.found
    }
}

/// Goes through the log record by record; the limit stands before the line that reports the end.
struct MemoryKillSearch {
    let cgroup: String
    let beginning: Int64
    private(set) var found: [KernelLog.MemoryKill] = []
    private var limit: UInt64?

    init(cgroup: String, beginning: Int64) {
        self.cgroup = cgroup
        self.beginning = beginning
    }

    /// `6,123,4567890,-;memory: usage 19532kB, limit 19532kB, failcnt 40`, then
    /// `6,130,4567899,-;oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/a,task_memcg=/a/b,task=sh,pid=7,uid=0`.
    mutating func read(_ record: String) {
        let parts = record.parts(by: ";", most: 2)
        guard parts.count == 2 else { return }
        let head = parts[0].parts(by: ",")
        guard head.count > 2, let time = Int64(head[2]), time / 1000 >= beginning else { return }
        let text = parts[1].parts(by: "\n").first ?? ""
        if let usage = text.rest(after: "memory: usage ") {
            // 19532kB, limit 19532kB, failcnt 40
            let words = usage.parts(by: " ")
            guard words.count > 2, words[1] == "limit", let end = words[2].utf8.firstIndex(of: UInt8(ascii: "k")) else {
                return
            }
            limit = UInt64(words[2][..<end]).map { $0 * 1024 }
            return
        }
        guard let words = text.rest(after: "oom-kill:")?.parts(by: ",") else { return }
        defer { limit = nil }
        let task = words.lazy.compactMap { $0.rest(after: "task_memcg=") }.first
        guard let task, task == cgroup || task.begins(with: "\(cgroup)/") else { return }
        let limited = words.lazy.compactMap { $0.rest(after: "oom_memcg=") }.first
        found.append(KernelLog.MemoryKill(limited: limited, limit: limited == nil ? nil : limit))
    }
}
