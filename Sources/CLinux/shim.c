#include "include/CLinux.h"
#include <linux/sched.h>

long clinux_syscall(long number, long a, long b, long c, long d, long e, long f) {
    return syscall(number, a, b, c, d, e, f);
}

int clinux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}

int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

int clinux_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }

int clinux_ioctl(int fd, unsigned long request, void *argument) { return ioctl(fd, request, argument); }

int clinux_ioctl_value(int fd, unsigned long request, unsigned long argument) { return ioctl(fd, request, argument); }

long clinux_clone3(unsigned long long flags, int *pidfd, int exit_signal, int cgroup) {
    struct clone_args arguments = {
        .flags = flags,
        .pidfd = (unsigned long long)(unsigned long)pidfd,
        .exit_signal = (unsigned long long)exit_signal,
        .cgroup = (unsigned long long)(cgroup < 0 ? 0 : cgroup),
    };
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

// Room for the most descriptors one packet may carry (SCM_MAX_FD is 253 in the kernel; we never send more than this).
#define CLINUX_MAX_FDS 64

ssize_t clinux_send(int socket, const void *bytes, size_t length, const int *fds, int count, int flags) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CLINUX_MAX_FDS)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > CLINUX_MAX_FDS) {
        errno = EMSGSIZE;
        return -1;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)count);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t clinux_receive(int socket, void *bytes, size_t length, int *fds, int capacity, int *received, int flags) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CLINUX_MAX_FDS)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *received = 0;
    ssize_t size = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (size < 0) return size;
    // What did not fit is lost: better no packet than half of one.
    int cut = message.msg_flags & MSG_TRUNC;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + sizeof(int) * (size_t)i, sizeof fd);
            if (*received < capacity) fds[(*received)++] = fd;
            else close(fd);
        }
    }
    if (cut) {
        while (*received > 0) close(fds[--*received]);
        errno = EMSGSIZE;
        return -1;
    }
    return size;
}

int clinux_wait_exited(int status) { return WIFEXITED(status); }
int clinux_wait_exit_status(int status) { return WEXITSTATUS(status); }
int clinux_wait_signaled(int status) { return WIFSIGNALED(status); }
int clinux_wait_signal(int status) { return WTERMSIG(status); }
int clinux_sigrtmin(void) { return SIGRTMIN; }
int clinux_sigrtmax(void) { return SIGRTMAX; }

int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

int clinux_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
    return mount(source, target, type, flags, data);
}

int clinux_umount_detach(const char *path) { return umount2(path, 2 /* MNT_DETACH */); }

char **clinux_environment(void) { return environ; }
void clinux_signal_default(int number) { signal(number, SIG_DFL); }
void clinux_signal_ignore(int number) { signal(number, SIG_IGN); }

int clinux_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC); }

#ifndef RUNBOX_COMMIT
#define RUNBOX_COMMIT ""
#endif
const char *clinux_build_commit(void) { return RUNBOX_COMMIT; }
