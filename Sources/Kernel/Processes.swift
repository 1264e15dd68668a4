internal import CLinux
package import KernelTypes

package enum Processes {
    package static var currentID: Int32 { getpid() }

    /// The number of this process's parent.
    package static var parentID: Int32 { getppid() }

    /// This process's children. proc_pid_task(5), `children` (CONFIG_PROC_CHILDREN).
    package static func children() -> [Int32] {
        let own = Processes.currentID
        guard let text = try? Files.readText("/proc/self/task/\(own)/children") else { return [] }
        return text.parts(by: " ").compactMap { Int32($0) }
    }

    /// Ends this process at once, without any clean-up of the C library or of Swift.
    package static func exit(_ code: Int32) -> Never { _exit(code) }

    package static func open(_ pid: Int32) throws(SystemError) -> Descriptor {
        Descriptor(raw: Int32(try check("pidfd_open", "\(pid)") { system(Int(SYS_pidfd_open), Int(pid), 0) }))
    }

    /// Sends a signal by pidfd.
    package static func send(_ signal: Signal, to pidfd: borrowing Descriptor) throws(SystemError) {
        let raw = pidfd.raw
        _ = try check("pidfd_send_signal") { system(Int(SYS_pidfd_send_signal), Int(raw), Int(signal.rawValue), 0, 0) }
    }

    package static func kill(_ pid: Int32, _ signal: Signal) throws(SystemError) {
        _ = try check("kill", "\(pid)") { CLinux.kill(pid, signal.rawValue) }
    }

    /// Waits for a child to end and reaps it.
    package static func wait(_ child: borrowing ChildProcess) throws(SystemError) -> ExitReason {
        let pid = child.pid
        var status: Int32 = 0
        // __WALL: children made with CLONE_PARENT give no SIGCHLD and would not be waited for otherwise.
        _ = try check("waitpid", "\(pid)") { waitpid(pid, &status, Int32(bitPattern: UInt32(__WALL))) }
        return ExitReason(waitStatus: status)
    }

    /// Waits for a child to end that is known by its pidfd only, and reaps it. waitid(2), P_PIDFD (Linux 5.4).
    package static func reap(_ pidfd: borrowing Descriptor) throws(SystemError) {
        let raw = pidfd.raw
        _ = try check("waitid") { waitid(idtype_t(3), id_t(raw), nil, WEXITED | Int32(bitPattern: UInt32(__WALL))) }
    }

    /// Reaps one child that has ended, if any; nil when none has (or there is none at all).
    package static func reapAny() -> (pid: Int32, reason: ExitReason)? {
        var status: Int32 = 0
        let pid = waitpid(-1, &status, WNOHANG | Int32(bitPattern: UInt32(__WALL)))
        return pid > 0 ? (pid, ExitReason(waitStatus: status)) : nil
    }

    /// The time a process began, in clock ticks since boot: together with the number it names one process for good.
    /// Field 22 of /proc/PID/stat, proc(5).
    /// - Returns: nil when there is no such process, or it is a zombie or dead.
    /// - Throws: what kept it from being read. That says nothing of the process, least of all that it has ended.
    package static func startTime(_ pid: Int32) throws(SystemError) -> UInt64? {
        guard pid > 0 else { return nil }
        guard let bytes = try statText(pid) else { return nil }
        return try startTime(ofStat: bytes, subject: "/proc/\(pid)/stat")
    }

    /// The same of the process whose folder in /proc is open: no other can get its place, whatever becomes of its
    /// number.
    package static func startTime(at process: borrowing Descriptor) throws(SystemError) -> UInt64? {
        do throws(SystemError) {
            return try startTime(ofStat: try Files.read("stat", at: process, limit: 4096), subject: "stat")
        } catch {
            // The folder of a process that is gone is empty.
            guard error.code == .noEntry || error.code == .noProcess else { throw error }
            return nil
        }
    }

    /// - Returns: nil when there is no such process.
    static func statText(_ pid: Int32) throws(SystemError) -> [UInt8]? {
        if let bytes = try visibleStatText(pid) { return bytes }
        // Mounted with hidepid, /proc has no entry for a process that this user may not trace: a pidfd
        // shows that there is one.
        let pidfd: Descriptor
        do throws(SystemError) {
            pidfd = try open(pid)
        } catch {
            // ESRCH; EINVAL, later ENOENT, for what is a thread of another process.
            guard [.noProcess, .invalidArgument, .noEntry].contains(error.code) else { throw error }
            return nil
        }
        // It may have got its number just now.
        if let bytes = try visibleStatText(pid) { return bytes }
        if try !Polling.wait([(pidfd.number, .readable)], timeout: 0)[0].isEmpty { return nil }
        throw SystemError.refused(
            "process \(pid) is there, but /proc does not show it (mount option hidepid?), so its owner is unknown; run runbox as a user who sees it"
        )
    }

    private static func visibleStatText(_ pid: Int32) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return try Files.read("/proc/\(pid)/stat", limit: 4096)
        } catch {
            // ESRCH where it ended between opening and reading.
            guard error.code == .noEntry || error.code == .noProcess else { throw error }
            return nil
        }
    }

    static func startTime(ofStat bytes: [UInt8], subject: String = "stat") throws(SystemError) -> UInt64? {
        let fields = fields(ofStat: bytes)
        guard fields.count > 19, let state = fields[0].first, let time = number(fields[19]) else {
            throw SystemError.refused("\(subject) has no start time in it")
        }
        if state == UInt8(ascii: "X") { return nil }
        // The first thread of a process may end before the others do.
        if state == UInt8(ascii: "Z"), number(fields[17]) ?? 0 <= 1 { return nil }
        return time
    }

    /// The fields of /proc/PID/stat from the third on, the state; empty when the text is something else.
    static func fields(ofStat bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        // The second field is the program's name in parentheses, which may itself hold anything.
        guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return [] }
        return bytes[(close + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    }

    /// Whether a process, or what is left of it, has become another program since it was made by fork or clone:
    /// PF_FORKNOEXEC in field 9 of /proc/PID/stat (proc(5), linux/sched.h). nil when there is no such process.
    package static func hasExecuted(_ pid: Int32) -> Bool? {
        guard let bytes = try? Files.read("/proc/\(pid)/stat", limit: 4096) else { return nil }  // reaped already
        return hasExecuted(ofStat: bytes)
    }

    static func hasExecuted(ofStat bytes: [UInt8]) -> Bool? {
        guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 6, let flags = UInt32(String(decoding: fields[6], as: UTF8.self)) else { return nil }
        return flags & 0x40 == 0
    }

    /// The process's number in this pid namespace, from the kernel's description of the pidfd; 0 when it is not visible
    /// here, -1 when it has ended.
    package static func pid(of pidfd: borrowing Descriptor) throws(SystemError) -> Int32 {
        let text = try Files.readText("/proc/self/fdinfo/\(pidfd.raw)")
        for line in text.parts(by: "\n") where line.begins(with: "Pid:") {
            if let value = Int32(line.dropFirst("Pid:".count).drop { $0 == "\t" }) { return value }
        }
        throw SystemError("read", "pid of pidfd", .noProcess)
    }

    /// Whether others of the same user may trace this process and look at its memory and descriptors (CVE-2016-9962).
    package static func setDumpable(_ dumpable: Bool) throws(SystemError) {
        _ = try check("prctl(PR_SET_DUMPABLE)") { clinux_prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0) }
    }

    /// Descendants that lose their parent become this process's children. prctl(2), PR_SET_CHILD_SUBREAPER.
    package static func becomeSubreaper() throws(SystemError) {
        _ = try check("prctl(PR_SET_CHILD_SUBREAPER)") { clinux_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }
    }

    package static func setNoNewPrivileges() throws(SystemError) {
        _ = try check("prctl(PR_SET_NO_NEW_PRIVS)") { clinux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
    }

    package static func newSession() throws(SystemError) { _ = try check("setsid") { setsid() } }

    /// How many threads this process has; more than one and neither setns nor clone without the C library would be
    /// sound.
    package static func threadCount() throws(SystemError) -> Int { try Files.list("/proc/self/task").count }

    /// The values of the environment that this process was given.
    package static func environment() -> [String] {
        var values: [String] = []
        guard var entry = clinux_environment() else { return values }
        while let text = entry.pointee {
            values.append(String(cString: text))
            entry += 1
        }
        return values
    }

    package static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// Blanks what this process was given as its environment: /proc/PID/environ shows it to every process that may
    /// trace the process, and it can hold the caller's secrets.
    package static func forgetEnvironment() {
        guard let first = clinux_environment() else { return }
        var entry = first
        while let text = entry.pointee {
            memset(text, 0, strlen(text))
            entry += 1
        }
        first.pointee = nil
    }

    /// Takes a variable out of this process's environment.
    package static func unsetEnvironment(_ name: String) { unsetenv(name) }
}

/// A program with its arguments and environment, laid out in memory for execve(2) before anything forbids allocation.
package struct ExecImage: ~Copyable {
    private let path: UnsafeMutablePointer<CChar>?
    private let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    package init(path: String, arguments: [String], environment: [String]) {
        self.path = strdup(path)
        self.arguments = Self.layOut(arguments)
        self.environment = Self.layOut(environment)
    }

    private static func layOut(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { (array + index).initialize(to: strdup(text)) }
        (array + texts.count).initialize(to: nil)
        return array
    }

    /// Becomes the program; returns only when that failed. Nothing is allocated here.
    package func execute() -> Errno {
        guard let path else { return .noMemory }
        _ = execve(path, arguments, environment)
        return .current
    }

    /// Becomes the program that a descriptor is open on. execveat(2), AT_EMPTY_PATH.
    package func execute(_ program: borrowing Descriptor) -> Errno {
        let raw = program.raw
        _ = lend("") { empty in
            lend(arguments, environment) { system(Int(SYS_execveat), Int(raw), empty, $0, $1, Int(AT_EMPTY_PATH)) }
        }
        return .current
    }
}

extension Processes {
    /// Ends with SIGKILL.
    package static func kill(_ child: borrowing ChildProcess) throws(SystemError) {
        try send(.kill, to: child.pidfd)
    }

    /// Sends this process a signal when its parent ends. prctl(2), PR_SET_PDEATHSIG.
    package static func setParentDeathSignal(_ signal: Signal) throws(SystemError) {
        let number = UInt(signal.rawValue)
        _ = try check("prctl(PR_SET_PDEATHSIG)") { clinux_prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) }
    }

    /// Kills all processes of a process group.
    package static func killGroup(_ leader: Int32) throws(SystemError) {
        _ = try check("kill", "process group \(leader)") { CLinux.kill(-leader, SIGKILL) }
    }
}

extension Processes {
    /// Reads the file that this process executes into the page cache, where it is charged to this process's cgroup
    /// (cgroup-v2.rst, "Memory Ownership"). Best effort.
    package static func readOwnProgram() {
        guard let file = try? Files.open("/proc/self/exe", .readOnly) else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while read(file.raw, &buffer, buffer.count) > 0 {}
    }

    /// The name that ps shows, of which the kernel keeps 15 bytes. prctl(2), PR_SET_NAME.
    package static func setName(_ name: String) {
        _ = lend(name) { system(Int(SYS_prctl), Int(PR_SET_NAME), $0) }
    }
}

extension Processes {
    /// A copy of another process's descriptor. pidfd_getfd(2), Linux 5.6; needs the right to trace it.
    package static func descriptor(_ number: Int32, of pidfd: borrowing Descriptor) throws(SystemError) -> Descriptor {
        let raw = pidfd.raw
        return Descriptor(
            raw: Int32(try check("pidfd_getfd", "\(number)") { system(Int(SYS_pidfd_getfd), Int(raw), Int(number), 0) })
        )
    }
}
