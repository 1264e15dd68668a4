internal import CLinux
package import KernelTypes

/// A seccomp filter that this program puts on itself: a list of system calls, by their numbers, and nothing of their
/// arguments. seccomp(2).
package struct SupervisorFilter: Sendable {
    /// What a program needs that reads and writes what is open, waits for processes and signals them, and ends.
    package static let staying = SupervisorFilter(listed: waiting, isAllowed: true)

    /// Everything but starting programs, entering or making namespaces, mounting, changing credentials, tracing others,
    /// and loading code into the kernel.
    package static let tidying = SupervisorFilter(listed: powers, isAllowed: false)

    private let program: [sock_filter]

    /// - Parameter isAllowed: whether the listed calls are the ones that are allowed. The others fail with EPERM.
    private init(listed: [Int32], isAllowed: Bool) {
        let allow = UInt32(0x7fff_0000)
        let refuse = UInt32(0x0005_0000) | UInt32(EPERM)
        // The offset of the number in struct seccomp_data is 0, that of the architecture 4. What is called in another
        // way, also by the numbers of x32 (asm/unistd.h), is no call of this program.
        var program = [
            Self.load(4), Self.jump(ifEqual: Self.architecture, past: 1), Self.answer(refuse),
            Self.load(0), Self.jump(ifAtLeast: 0x4000_0000, else: 1), Self.answer(refuse),
        ]
        for number in listed {
            program.append(Self.jump(ifEqual: UInt32(number), else: 1))
            program.append(Self.answer(isAllowed ? allow : refuse))
        }
        program.append(Self.answer(isAllowed ? refuse : allow))
        self.program = program
    }

    /// Puts the filter on this process, which must have no_new_privs.
    package func load() throws(SystemError) {
        try program.withUnsafeBufferPointer { buffer throws(SystemError) in
            var description = sock_fprog()
            description.len = UInt16(buffer.count)
            description.filter = UnsafeMutablePointer(mutating: buffer.baseAddress)
            _ = try check("seccomp") {
                lend(&description) { system(Int(SYS_seccomp), Int(SECCOMP_SET_MODE_FILTER), 0, $0) }
            }
        }
    }

    private static func load(_ offset: UInt32) -> sock_filter {
        sock_filter(code: UInt16(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: offset)
    }

    private static func jump(ifEqual value: UInt32, past: UInt8 = 0, else other: UInt8 = 0) -> sock_filter {
        sock_filter(code: UInt16(BPF_JMP | BPF_JEQ | BPF_K), jt: past, jf: other, k: value)
    }

    private static func jump(ifAtLeast value: UInt32, else other: UInt8) -> sock_filter {
        sock_filter(code: UInt16(BPF_JMP | BPF_JGE | BPF_K), jt: 0, jf: other, k: value)
    }

    private static func answer(_ value: UInt32) -> sock_filter {
        sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: value)
    }

    private static let waiting: [Int32] =
        [
            SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_ppoll, SYS_fcntl, SYS_dup, SYS_ioctl, SYS_lseek,
            SYS_fstat, SYS_newfstatat, SYS_wait4, SYS_waitid, SYS_pidfd_send_signal, SYS_kill, SYS_tgkill,
            SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_mmap,
            SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_futex, SYS_getpid, SYS_gettid,
            SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_getrandom, SYS_sched_yield, SYS_sendmsg,
            SYS_recvmsg, SYS_exit, SYS_exit_group,
        ].map { Int32($0) } + oldWaiting

    private static let powers: [Int32] =
        [
            SYS_clone, SYS_clone3, SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
            SYS_pidfd_getfd, SYS_setns, SYS_unshare, SYS_mount, SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsmount,
            SYS_fsconfig, SYS_fspick, SYS_mount_setattr, SYS_pivot_root, SYS_chroot, SYS_name_to_handle_at,
            SYS_open_by_handle_at, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
            SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_mknodat, SYS_init_module, SYS_finit_module,
            SYS_delete_module, SYS_kexec_load, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup,
            SYS_io_uring_enter, SYS_io_uring_register, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_reboot, SYS_swapon,
            SYS_swapoff, SYS_acct, SYS_quotactl, SYS_sethostname, SYS_setdomainname, SYS_settimeofday,
            SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_personality,
        ].map { Int32($0) } + oldPowers

    // What only the oldest tables of calls have.
    #if arch(x86_64)
        private static let architecture: UInt32 = 0xc000_003e  // AUDIT_ARCH_X86_64
        private static let oldWaiting: [Int32] = [Int32(SYS_poll)]
        private static let oldPowers: [Int32] = [
            Int32(SYS_fork), Int32(SYS_vfork), Int32(SYS_iopl), Int32(SYS_ioperm), Int32(SYS_mknod),
            Int32(SYS_kexec_file_load),
        ]
    #elseif arch(arm64)
        private static let architecture: UInt32 = 0xc000_00b7  // AUDIT_ARCH_AARCH64
        private static let oldWaiting: [Int32] = []
        private static let oldPowers: [Int32] = [Int32(SYS_kexec_file_load)]
    #endif  // Elsewhere this does not compile: the machine's architecture is to be added (linux/audit.h).
}
