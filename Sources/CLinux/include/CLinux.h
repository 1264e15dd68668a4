// The one header through which Swift sees the kernel's interface. _GNU_SOURCE makes glibc show its Linux-only calls;
// what follows the includes are the calls that Swift cannot make itself: variadic ones, function-like macros, and
// system calls without a wrapper in the C library.
#ifndef RUNBOX_CLINUX_H
#define RUNBOX_CLINUX_H

// What glibc defines in another way without _GNU_SOURCE, before that is defined: Swift's own module of glibc is made
// without it, and a program that imports both (Foundation imports Glibc) is refused for two definitions of one type.
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/utsname.h>
#undef _FEATURES_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <features.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// A system call by number; -1 and errno as every C library call. Callers pass integers or addresses as words.
long clinux_syscall(long number, long a, long b, long c, long d, long e, long f);
int clinux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int clinux_open(const char *path, int flags, mode_t mode);
int clinux_openat(int directory, const char *path, int flags, mode_t mode);
int clinux_fcntl(int fd, int command, long argument);
int clinux_ioctl(int fd, unsigned long request, void *argument);
int clinux_ioctl_value(int fd, unsigned long request, unsigned long argument);

// clone3(2) without CLONE_VM: returns 0 in the child, which goes on in a copy of this stack.
long clinux_clone3(unsigned long long flags, int *pidfd, int exit_signal, int cgroup);

// sendmsg(2)/recvmsg(2) of one packet with descriptors by SCM_RIGHTS. `received` says how many of `fds` were filled;
// the rest of a truncated control message is closed.
ssize_t clinux_send(int socket, const void *bytes, size_t length, const int *fds, int count, int flags);
ssize_t clinux_receive(int socket, void *bytes, size_t length, int *fds, int capacity, int *received, int flags);

// Pages of this process's memory.
struct clinux_pages {
    unsigned long start, length;
};

// poll(2) that gives back `pages`, which must be those of files and unchanged, before it waits; waiting.c
int clinux_poll_giving_back(
    struct pollfd *entries, unsigned long count, int timeout, const struct clinux_pages *pages, int known);

// Loads a seccomp filter with SECCOMP_FILTER_FLAG_NEW_LISTENER, sends `bytes` with the listener's descriptor on
// `socket` and waits for any answer, in one go and whatever the filter forbids (listener.c). -1: not loaded; -2:
// loaded, but the peer did not take the descriptor. Signals must have their handlers already.
int clinux_load_listener(const void *program, unsigned int flags, int socket, const void *bytes, size_t length);

// struct sched_attr of sched_setattr(2), which <linux/sched/types.h> declares in a way that clashes with <sched.h>.
struct clinux_sched_attr {
    unsigned int size, sched_policy;
    unsigned long long sched_flags;
    int sched_nice;
    unsigned int sched_priority;
    unsigned long long sched_runtime, sched_deadline, sched_period;
};

// struct pidfd_info of <linux/pidfd.h> as first published, with what Linux 6.15 put into its spare word; the system's
// header may be older.
struct clinux_pidfd_info {
    unsigned long long mask, cgroupid;
    unsigned int pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int exit_code;
};

// A step of a process; nanoseconds. steptimes.c
struct clinux_step_time {
    unsigned char step, side;
    unsigned long long began, ended;
};
int clinux_times_begin(void);
void clinux_times_stop(void);
void clinux_times_side(unsigned char side);
unsigned long long clinux_times_now(void);
void clinux_times_note(unsigned char step, unsigned long long began);
int clinux_times_entry(unsigned place, struct clinux_step_time *entry);

// Macros of <sys/wait.h> and friends.
int clinux_wait_exited(int status);
int clinux_wait_exit_status(int status);
int clinux_wait_signaled(int status);
int clinux_wait_signal(int status);
int clinux_sigrtmin(void);
int clinux_sigrtmax(void);

// <sys/mount.h> clashes with <linux/mount.h>, so the two calls of it that are needed come by themselves.
int clinux_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int clinux_umount_detach(const char *path);

// Plain forms of what Swift cannot name: the environment (a mutable global), SIG_DFL and SIG_IGN (casts).
char **clinux_environment(void);
void clinux_signal_default(int signal);
void clinux_signal_ignore(int signal);
// The commit this was built from; empty when unknown.
const char *clinux_build_commit(void);
int clinux_accept(int socket);
#endif
