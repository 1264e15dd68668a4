"""Which system calls fail, and how. A point is (process, system call, n, what happens)."""
import errno

# No code sees an error of these: the kernel has none to give, they do not return, or the C library calls them before
# any code of ours.
NEVER = set("""exit exit_group rt_sigreturn restart_syscall arch_prctl set_tid_address set_robust_list rseq sched_yield
    getpid gettid getppid getuid geteuid getgid getegid umask rt_sigprocmask rt_sigaction sigaltstack""".split())
# The kernel closes and unmaps whatever it answers; left out, the call would have another effect than its error.
UNDONE = {"close", "munmap"}
# The allocator's. Swift ends a process that gets no memory, so what follows has to be what follows SIGKILL.
MEMORY = {"brk", "mmap", "mremap", "mprotect"}
# Calls that give a new descriptor, and so can find the table full.
DESCRIPTORS = set("""open openat openat2 open_tree fsopen fsmount fspick socket socketpair accept accept4 pipe pipe2 dup dup2 dup3 fcntl
    epoll_create1 eventfd2 signalfd4 timerfd_create memfd_create inotify_init1 pidfd_open pidfd_getfd bpf clone clone3 ioctl recvmsg
    userfaultfd seccomp""".split())
# Calls that can wait, and so be interrupted by a signal.
WAITING = set("""read write readv writev pread64 pwrite64 recvmsg recvfrom sendmsg sendto poll ppoll select pselect6 epoll_wait
    epoll_pwait wait4 waitid flock connect accept accept4 openat openat2 nanosleep clock_nanosleep futex rt_sigtimedwait""".split())
ERRORS = {name: getattr(errno, name) for name in ("ENOMEM", "EIO", "EPERM", "EMFILE", "EINTR")}


def endings(call, n, count):
    """What the n-th of so many calls may come to."""
    # One of a row of signals is as good as the other.
    if call in ("rt_sigaction", "rt_sigprocmask") and n not in (1, count):
        return []
    found = ["SIGKILL"] if call not in ("exit", "exit_group") or n == count else []
    if call in NEVER or call in UNDONE:
        return found
    if call in MEMORY:
        return found + ["ENOMEM"]
    found += ["ENOMEM", "EIO", "EPERM"]
    if call in DESCRIPTORS:
        found.append("EMFILE")
    if call in WAITING:
        found.append("EINTR")
    return found


def points(counts):
    """`counts`: how often each process makes each call, as it was recorded."""
    found = []
    for (role, call), count in sorted(counts.items()):
        for n in range(1, count + 1):
            found += [(role, call, n, ending) for ending in endings(call, n, count)]
    return found
