import Foundation
import Testing

extension AllTests {
    /// linux.seccomp; the numbers of the system calls are x86-64's.
    @Suite(.needsX8664) struct Seccomp {
        /// Everything that a probe and the last steps of a runtime need, for profiles that allow by name.
        static let needed = """
            read write open openat close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
            ioctl pread64 pwrite64 readv writev access pipe select sched_yield mremap madvise dup dup2 nanosleep getpid clone fork vfork
            execve exit wait4 kill uname fcntl getcwd chdir readlink getuid getgid geteuid getegid getppid getpgrp setsid setuid setgid
            getgroups setgroups setresuid getresuid setresgid getresgid capget capset sigaltstack prctl arch_prctl gettid futex
            sched_getaffinity set_tid_address clock_gettime clock_nanosleep exit_group epoll_wait epoll_ctl tgkill openat newfstatat
            readlinkat faccessat pselect6 ppoll set_robust_list epoll_pwait epoll_create1 dup3 pipe2 prlimit64 getrandom execveat
            statx rseq clone3 close_range openat2 faccessat2 seccomp getdents64 setpgid getsid statfs fstatfs
            """.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)

        private func look(_ profile: String, _ verbs: String...) throws -> Facts {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle(args: ["/probe"] + verbs) { try $0.set("linux.seccomp", json: profile) })
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.facts
        }

        private static func rule(_ action: String, _ more: String = "", names: String = "\"sysinfo\"") -> String {
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [\#(names)], "action": "\#(action)"\#(more)}]}"#
        }

        private static let sysinfo = "try:99:0x7fff00000000"

        // MARK: Actions

        @Test(arguments: [
            ("SCMP_ACT_ERRNO", "EPERM"), ("SCMP_ACT_KILL", "signal 31"), ("SCMP_ACT_KILL_THREAD", "signal 31"),
            ("SCMP_ACT_KILL_PROCESS", "signal 31"), ("SCMP_ACT_TRAP", "signal 31"), ("SCMP_ACT_TRACE", "ENOSYS"),
            ("SCMP_ACT_LOG", "EFAULT"), ("SCMP_ACT_ALLOW", "EFAULT"),
        ])
        func everyActionIsTaken(action: String, expected: String) throws {
            let seen = try look(Self.rule(action), "seccomp", Self.sysinfo, "try:39")
            #expect(seen["try.99"] == expected && seen["try.39"] == "ok" && seen["seccomp"] == "2", "\(seen)")
        }

        @Test func withoutAProfileThereIsNoFilter() throws {
            #expect(try Sandbox.current.look("seccomp")["seccomp"] == "0")
        }

        @Test(arguments: [(2, "ENOENT"), (38, "ENOSYS"), (13, "EACCES")])
        func errnoRetIsTheCallsError(number: Int, name: String) throws {
            let seen = try look(Self.rule("SCMP_ACT_ERRNO", #", "errnoRet": \#(number)"#), Self.sysinfo)
            #expect(seen["try.99"] == name, "\(seen)")
        }

        @Test(arguments: ["EPERM", "ENOENT"])
        func theDefaultActionHolds(name: String) throws {
            let names = Self.needed.map { "\"\($0)\"" }.joined(separator: ",")
            let errno = name == "ENOENT" ? #""defaultErrnoRet": 2, "# : ""
            let seen = try look(
                #"{"defaultAction": "SCMP_ACT_ERRNO", \#(errno)"syscalls": [{"names": [\#(names)], "action": "SCMP_ACT_ALLOW"}]}"#,
                Self.sysinfo, "try:95:0", "try:39")
            #expect(seen["try.99"] == name && seen["try.95"] == name && seen["try.39"] == "ok", "\(seen)")
        }

        /// A C library tries a new system call and falls back when the kernel does not know it: EPERM breaks that.
        @Test func aCallNewerThanTheProfileAnswersENOSYS() throws {
            let names = Self.needed.map { "\"\($0)\"" }.joined(separator: ",")
            let seen = try look(
                #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [\#(names)], "action": "SCMP_ACT_ALLOW"}]}"#,
                "try:1000", "try:99:0", "try:600")
            #expect(
                seen["try.1000"] == "ENOSYS" && seen["try.600"] == "ENOSYS" && seen["try.99"] == "EPERM", "\(seen)")
        }

        @Test func aNewerCallIsNotAnsweredWhereTheDefaultAllows() throws {
            #expect(
                try look(Self.rule("SCMP_ACT_ERRNO"), "try:1000")["try.1000"] == "ENOSYS", "from the kernel itself")
        }

        // MARK: Arguments

        /// umask(2) takes any value: its argument 0 against 10 (and 20).
        @Test(arguments: [
            ("SCMP_CMP_EQ", 10, 0, [10], [9, 11]), ("SCMP_CMP_NE", 10, 0, [9, 11], [10]),
            ("SCMP_CMP_LT", 10, 0, [9], [10, 11]), ("SCMP_CMP_LE", 10, 0, [9, 10], [11]),
            ("SCMP_CMP_GT", 10, 0, [11], [10, 9]), ("SCMP_CMP_GE", 10, 0, [10, 11], [9]),
            ("SCMP_CMP_MASKED_EQ", 6, 2, [2, 10, 3], [4, 6, 0]),
        ])
        func everyOperatorCompares(op: String, value: Int, two: Int, denied: [Int], allowed: [Int]) throws {
            let profile = Self.rule(
                "SCMP_ACT_ERRNO",
                #", "args": [{"index": 0, "value": \#(value), "valueTwo": \#(two), "op": "\#(op)"}]"#,
                names: "\"umask\"")
            let box = try Sandbox.current
            for (values, expected) in [(denied, "EPERM"), (allowed, "ok")] {
                for value in values {
                    let outcome = try box.run(
                        try box.bundle("try:95:\(value)") { try $0.set("linux.seccomp", json: profile) })
                    #expect(outcome["try.95"] == expected, "\(op) \(value): \(outcome)")
                }
            }
        }

        @Test func severalArgumentsMustAllHold() throws {
            let arguments =
                #", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}]"#
            let profile = Self.rule("SCMP_ACT_ERRNO", arguments, names: "\"getpgid\"")
            #expect(try look(profile, "try:121:1:2")["try.121"] == "EPERM")
            #expect(try look(profile, "try:121:1:3")["try.121"] == "ok")
        }

        @Test func conditionsOnOneArgumentAreAlternatives() throws {
            let arguments =
                #", "args": [{"index": 0, "value": 10, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 20, "op": "SCMP_CMP_EQ"}]"#
            let profile = Self.rule("SCMP_ACT_ERRNO", arguments, names: "\"umask\"")
            for (value, expected) in [(10, "EPERM"), (20, "EPERM"), (15, "ok")] {
                #expect(try look(profile, "try:95:\(value)")["try.95"] == expected, "\(value)")
            }
        }

        @Test func largeValuesAreCompared() throws {
            let profile = Self.rule(
                "SCMP_ACT_ERRNO", #", "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]"#,
                names: "\"umask\"")
            #expect(try look(profile, "try:95:0xffffffffffffffff")["try.95"] == "EPERM")
        }

        // MARK: Names, architectures, flags

        @Test func unknownNamesArePassedOver() throws {
            let seen = try look(Self.rule("SCMP_ACT_ERRNO", names: "\"frobnicate\", \"sysinfo\""), Self.sysinfo)
            #expect(seen["try.99"] == "EPERM", "\(seen)")
        }

        @Test func severalArchitecturesAreTaken() throws {
            let profile =
                #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_ERRNO"}]}"#
            #expect(try look(profile, Self.sysinfo)["try.99"] == "EPERM")
        }

        @Test(arguments: [
            #"["SECCOMP_FILTER_FLAG_LOG"]"#, #"["SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"]"#,
            "[]",
        ])
        func everyFlagIsTaken(json: String) throws {
            let profile =
                #"{"defaultAction": "SCMP_ACT_ALLOW", "flags": \#(json), "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_ERRNO"}]}"#
            #expect(try look(profile, Self.sysinfo)["try.99"] == "EPERM")
        }

        @Test func aFilterNeedsNoPrivilegesOfThePayload() throws {
            let seen = try Sandbox.current.look("seccomp", "process", Self.sysinfo) {
                $0["process.noNewPrivileges"] = false
                $0.capabilities([])
                $0["process.user"] = ["uid": 1000, "gid": 1000]
                try $0.set("linux.seccomp", json: Self.rule("SCMP_ACT_ERRNO"))
            }
            #expect(seen["seccomp"] == "2" && seen["nnp"] == "0" && seen["try.99"] == "EPERM", "\(seen)")
        }

        @Test(arguments: [
            (#"{"syscalls": []}"#, "linux.seccomp.defaultAction"),
            (
                #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"]}]}"#,
                "linux.seccomp.syscalls[0].action"
            ),
            (#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_X"]}"#, "linux.seccomp.flags[0]"),
            (
                #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#,
                "linux.seccomp.syscalls[0].args[0].index"
            ),
            (
                #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_X"}]}]}"#,
                "linux.seccomp.syscalls[0].args[0].op"
            ),
        ])
        func mistakesNameTheirField(json: String, path: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("linux.seccomp", json: json) }
            #expect(line.contains(path) || Diagnostics.names(line, path), "\(line)")
        }

        // MARK: The cache

        private func cached(_ box: Sandbox) -> [String] {
            let all =
                FileManager.default.enumerator(atPath: box.root + "/.cache")?.compactMap { $0 as? String } ?? []
            return all.filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: box.root + "/.cache/" + $0, isDirectory: &isFolder)
                    && !isFolder.boolValue
            }.sorted()
        }

        @Test func theProgramIsKeptAndUsedAgain() throws {
            let box = try Sandbox.current
            #expect(try look(Self.rule("SCMP_ACT_ERRNO"), Self.sysinfo)["try.99"] == "EPERM")
            let first = cached(box)
            #expect(first.count == 1, "\(first)")
            #expect(try look(Self.rule("SCMP_ACT_ERRNO"), Self.sysinfo)["try.99"] == "EPERM")
            #expect(cached(box) == first, "the same profile, the same file")
            #expect(try look(Self.rule("SCMP_ACT_KILL"), Self.sysinfo)["try.99"] == "signal 31")
            #expect(cached(box).count == 2)
            #expect(try box.runtime("list", "-q").stdout == "", "the cache is no container")
        }

        @Test(arguments: ["", "garbage", "12345678"])
        func aDamagedCacheNeverOpensTheFilter(content: String) throws {
            let box = try Sandbox.current
            _ = try look(Self.rule("SCMP_ACT_ERRNO"), Self.sysinfo)
            for name in cached(box) {
                try content.write(toFile: box.root + "/.cache/" + name, atomically: false, encoding: .utf8)
            }
            let outcome = try box.run(
                try box.bundle(Self.sysinfo) { try $0.set("linux.seccomp", json: Self.rule("SCMP_ACT_ERRNO")) })
            if outcome.status == 0 {
                #expect(outcome["try.99"] == "EPERM", "\(outcome)")
            } else {
                try box.refused(outcome)
            }
        }

        @Test func nobodyElseMayWriteTheCache() throws {
            let box = try Sandbox.current
            _ = try look(Self.rule("SCMP_ACT_ERRNO"), Self.sysinfo)
            for name in cached(box) {
                let mode =
                    try FileManager.default.attributesOfItem(atPath: box.root + "/.cache/" + name)[
                        .posixPermissions] as? Int
                #expect((mode ?? 0o777) & 0o022 == 0, "\(name): \(String(mode ?? 0, radix: 8))")
            }
        }
    }
}
