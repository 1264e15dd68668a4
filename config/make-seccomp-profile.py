#!/usr/bin/env python3
"""Makes seccomp.json, the default seccomp profile: every system call of the kernel, minus the ones REFUSED below, each with its reason.

    make-seccomp-profile.py             writes seccomp.json beside this script
    make-seccomp-profile.py --check     fails when seccomp.json is not what this script makes;
                                        tells of calls that this machine's kernel headers know and KERNEL does not

The tables are part of this file, not read from the machine, so that the result is the same everywhere.
"""
import json
import pathlib
import re
import sys

# Every call of x86-64, x86, x32, arm64 and arm up to Linux 6.18 (unistd headers, `ausyscall ARCH --dump`). One list
# serves all: a name that an architecture lacks makes no rule there.
KERNEL = """
_llseek _newselect _sysctl accept accept4 access acct add_key adjtimex afs_syscall alarm arch_prctl arm_fadvise64_64 arm_sync_file_range bdflush bind
bpf break breakpoint brk cacheflush cachestat capget capset chdir chmod chown chown32 chroot clock_adjtime clock_adjtime64 clock_getres
clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 clock_settime clock_settime64 clone clone3 close close_range
connect copy_file_range creat create_module delete_module dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2
epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_init
fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr file_getattr file_setattr finit_module
flistxattr flock fork fremovexattr fsconfig fsetxattr fsmount fsopen fspick fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftime ftruncate
ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_kernel_syms get_mempolicy get_robust_list get_thread_area
get_tls getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid
getpgrp getpid getpmsg getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt
gettid gettimeofday getuid getuid32 getxattr getxattrat gtty idle init_module inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit io_uring_enter io_uring_register io_uring_setup ioctl ioperm iopl
ioprio_get ioprio_set ipc kcmp kexec_file_load kexec_load keyctl kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lock lookup_dcookie lremovexattr lseek lsetxattr lsm_get_self_attr
lsm_list_modules lsm_set_self_attr lstat lstat64 madvise map_shadow_stack mbind membarrier memfd_create memfd_secret migrate_pages mincore mkdir
mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mount mount_setattr move_mount move_pages mprotect mpx mq_getsetattr mq_notify
mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock
munlockall munmap name_to_handle_at nanosleep newfstatat nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname open open_by_handle_at
open_tree open_tree_attr openat openat2 pause pciconfig_iobase pciconfig_read pciconfig_write perf_event_open personality pidfd_getfd pidfd_open
pidfd_send_signal pipe pipe2 pivot_root pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64
process_madvise process_mrelease process_vm_readv process_vm_writev prof profil pselect6 pselect6_time64 ptrace putpmsg pwrite64 pwritev pwritev2
query_module quotactl quotactl_fd read readahead readdir readlink readlinkat readv reboot recv recvfrom recvmmsg recvmmsg_time64 recvmsg
remap_file_pages removexattr removexattrat rename renameat renameat2 request_key restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
sched_setparam sched_setscheduler sched_yield seccomp security select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64
sendmmsg sendmsg sendto set_mempolicy set_mempolicy_home_node set_robust_list set_thread_area set_tid_address set_tls setdomainname setfsgid
setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 sethostname setitimer setns setpgid setpriority setregid setregid32 setresgid
setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt settimeofday setuid setuid32 setxattr setxattrat sgetmask shmat
shmctl shmdt shmget shutdown sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend socket socketcall socketpair
splice ssetmask stat stat64 statfs statfs64 statmount statx stime stty swapoff swapon symlink symlinkat sync sync_file_range sync_file_range2 syncfs
sysfs sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 tuxcall ugetrlimit ulimit umask
umount umount2 uname unlink unlinkat unshare uprobe uretprobe uselib userfaultfd usr26 usr32 ustat utime utimensat utimensat_time64 utimes vfork
vhangup vm86 vm86old vmsplice vserver wait4 waitid waitpid write writev
""".split()

# The calls a contained service does not get. They answer EPERM, as if the capability were missing.
REFUSED = {
    # The machine itself
    "kexec_load kexec_file_load": "starts another kernel",
    "reboot": "stops or restarts the machine; a pid namespace turns it into a signal, but nothing needs that",
    "init_module finit_module delete_module create_module": "puts code into the kernel or takes it out",
    "get_kernel_syms query_module": "reads the kernel's symbols and modules (gone since 2.6)",
    "swapon swapoff": "adds or removes the host's swap",
    "syslog": "reads and clears the host's kernel log",
    "acct": "process accounting is one switch for the whole host",
    "quotactl quotactl_fd": "changes disk quotas of the host's file systems",
    "nfsservctl": "drives the host's NFS server (gone since 3.1)",
    "_sysctl": "writes kernel settings past the read-only /proc/sys (gone since 5.5)",
    "sysfs ustat": "tells of the host's file systems; obsolete",
    "bdflush uselib": "obsolete; uselib has been a way in before",
    "vhangup": "hangs up a terminal for all its readers",
    "lookup_dcookie": "profiling aid that leaks paths across containers",
    # The clock, which has no namespace for wall time. adjtimex and clock_adjtime stay: reading is harmless, setting
    # needs CAP_SYS_TIME.
    "settimeofday stime clock_settime clock_settime64": "sets the host's clock",
    # Hardware
    "iopl ioperm": "direct access to I/O ports",
    "pciconfig_iobase pciconfig_read pciconfig_write": "direct access to PCI configuration",
    "vm86 vm86old": "virtual 8086 mode: rarely used, rarely reviewed kernel code",
    "usr26 usr32": "switches the mode of old ARM processors",
    # Mounts and namespaces: with them a process could take the sandbox apart or build itself a new one with all
    # capabilities inside.
    "mount umount umount2 pivot_root": "changes what is mounted",
    "fsopen fsconfig fsmount fspick move_mount mount_setattr open_tree open_tree_attr": "changes what is mounted, by descriptor",
    "statmount listmount": "belongs to the mount family; /proc/self/mountinfo tells the same",
    "setns unshare": "enters or makes namespaces (clone is checked by its flags below)",
    "sethostname setdomainname": "the name belongs to whoever made the container",
    "open_by_handle_at": "opens files outside the root file system by guessing a handle",
    # Kernel interfaces with a long list of escapes and little use inside a service
    "bpf": "loads programs into the kernel",
    "perf_event_open": "measures, and leaks from, kernel and other processes",
    "userfaultfd": "stalls the kernel in the middle of a copy: the usual aid of exploits",
    "io_uring_setup io_uring_enter io_uring_register": "does work past this filter, from a fast-growing body of kernel code",
    "add_key keyctl request_key": "keyrings are not bound to any namespace",
    "fanotify_init fanotify_mark": "watches whole file systems",
    "lsm_set_self_attr": "changes the label the container was given",
    # Other processes. ptrace and process_vm_* stay: since Linux 4.8 a tracer cannot step around the filter, and they
    # obey the same access check.
    "kcmp": "tells which kernel objects two processes share: helps to guess addresses",
    "pidfd_getfd": "takes a descriptor out of another process",
    "process_madvise": "steers another process's memory",
    "get_mempolicy mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages": "places memory on the host's nodes",
    # Leftovers of old ABIs that no libc calls
    "oldstat oldfstat oldlstat olduname oldolduname readdir": "replaced long ago by calls that every libc uses",
    "epoll_ctl_old epoll_wait_old": "numbers of calls that never worked on 64 bit",
    "afs_syscall break ftime getpmsg gtty idle lock mpx prof profil putpmsg security stty tuxcall ulimit vserver": "numbers without a call behind them",
}

CLONE_NEW = 0x7E020000  # NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET; NEWTIME is clone3's alone
EPERM, ENOSYS = 1, 38


def argument(index, value, op, value_two=None):
    compare = {"index": index, "value": value, "op": op}
    return compare if value_two is None else {**compare, "valueTwo": value_two}


def allow(name, *arguments):
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": list(arguments)}


def socket_rules():
    """Every address family but AF_ALG (38: the kernel's crypto code, not namespaced) and AF_VSOCK (40: reaches the hypervisor, not namespaced).

    The kernel reads 32 bits of this argument and a filter compares 64, so that a plain `not 40` would let 0x1_0000_0028 through. Hence masks of 32 bits: they
    compare what the kernel will read. socketcall, the multiplexer of 32-bit x86 and ARM, keeps its arguments in memory where no filter can see them;
    it stays allowed because 32-bit programs have no other way to the network.
    """
    blocks = [(0, 32), (32, 4), (36, 2), (39, 1), (41, 1), (42, 2), (44, 4)]  # [first, length), lengths powers of two; Linux ends at 46
    return [allow("socket", argument(0, 0x100000000 - length, "SCMP_CMP_MASKED_EQ", first)) for first, length in blocks]


def special_rules():
    rules = [
        # Threads and processes, but no new namespaces.
        allow("clone", argument(0, CLONE_NEW, "SCMP_CMP_MASKED_EQ", 0)),
        # clone3 keeps its flags in memory where no filter can see them. "No such call" makes libcs fall back to clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS},
    ]
    # PER_LINUX, PER_LINUX32, each also with UNAME26, and the question "which one?". The others switch address
    # randomisation and other defences off.
    rules += [allow("personality", argument(0, value, "SCMP_CMP_EQ")) for value in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)]
    return rules + socket_rules()


def profile():
    special = special_rules()
    refused = {name for names in REFUSED for name in names.split()}
    stray = refused - set(KERNEL)
    if stray:
        sys.exit("REFUSED names calls that KERNEL does not: " + " ".join(sorted(stray)))
    decided = refused | {name for rule in special for name in rule["names"]}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": EPERM,
        # All little-endian: libseccomp puts only one byte order into a filter.
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
        "syscalls": [{"names": sorted(set(KERNEL) - decided), "action": "SCMP_ACT_ALLOW"}] + special,
    }


def header_names():
    headers = [p for pattern in ("*/asm/unistd_64.h", "*/asm/unistd_32.h", "*/asm/unistd_x32.h", "asm-generic/unistd.h")
               for p in pathlib.Path("/usr/include").glob(pattern)]
    found = {name for header in headers for name in re.findall(r"#define __NR(?:3264)?_(\w+)\s", header.read_text())}
    return found - {"arch_specific_syscall", "syscalls", "fstatat", "llseek"}  # words of the header, not names of calls


def main():
    target = pathlib.Path(__file__).with_name("seccomp.json")
    text = json.dumps(profile(), indent="\t") + "\n"
    if sys.argv[1:] == ["--check"]:
        new = header_names() - set(KERNEL)
        if new:
            print("not in KERNEL: " + " ".join(sorted(new)))
        if target.read_text() != text:
            sys.exit(f"{target.name} is not what {pathlib.Path(__file__).name} makes; run it")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        target.write_text(text)


if __name__ == "__main__":
    main()
