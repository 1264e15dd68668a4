// The program that looks around inside a container.
//
//     probe VERB[:ARG[:ARG…]] …
//
// Verbs run from left to right; each prints lines of the form key=value (newlines, backslashes and other control bytes
// in a value are escaped as \n, \\ and \xHH). A failed system call prints the name of its errno as the value ("EPERM"),
// and the next verb runs: what a container may not do is a result, not an error. The verbs stand in the table at the
// end of this file.
//
// It needs nothing but itself: no libc files, no /proc except for the verbs that read it. Build: cc -O2 -static -o
// probe probe.c
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 12

extern char **environ;

// ---------------------------------------------------------------------------------------------------------- printing

static const char *error_name(int error) {
    const char *name = strerrorname_np(error);
    return name ? name : "EUNKNOWN";
}

static void escaped(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '\n') fputs("\\n", stdout);
        else if (byte == '\\') fputs("\\\\", stdout);
        else if (byte < 0x20 || byte == 0x7f) printf("\\x%02x", byte);
        else putchar(byte);
    }
}

static void say(const char *key, const char *subject, const char *value) {
    printf(subject ? "%s.%s=" : "%s%s=", key, subject ? subject : "");
    escaped(value, strlen(value));
    putchar('\n');
}

static void say_number(const char *key, const char *subject, long long number) {
    char text[32];
    snprintf(text, sizeof text, "%lld", number);
    say(key, subject, text);
}

/// "ok" for a result that is not negative, the errno's name for one that is.
static void outcome(const char *key, const char *subject, long result) {
    say(key, subject, result < 0 ? error_name(errno) : "ok");
}

/// Reads a whole file into a static buffer; the length, or -1 with errno.
static char content[1 << 18];
static ssize_t slurp(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -1;
    size_t length = 0;
    ssize_t count = 0;
    while (length < sizeof content - 1 && (count = read(fd, content + length, sizeof content - 1 - length)) > 0) length += (size_t)count;
    int error = errno;
    close(fd);
    errno = error;
    if (count < 0) return -1;
    content[length] = 0;
    return (ssize_t)length;
}

// ---------------------------------------------------------------------------------------------------- the process
// itself

static void do_ids(char **a) {
    uid_t u[3];
    gid_t g[3], groups[256];
    getresuid(&u[0], &u[1], &u[2]);
    getresgid(&g[0], &g[1], &g[2]);
    say_number("uid", NULL, u[0]); say_number("euid", NULL, u[1]); say_number("suid", NULL, u[2]);
    say_number("gid", NULL, g[0]); say_number("egid", NULL, g[1]); say_number("sgid", NULL, g[2]);
    int count = getgroups(256, groups);
    printf("groups=");
    for (int i = 0; i < count; i++) printf(i ? " %u" : "%u", groups[i]);
    putchar('\n');
}

static void do_process(char **a) {
    say_number("pid", NULL, getpid());
    say_number("ppid", NULL, getppid());
    say_number("sid", NULL, getsid(0));
    say_number("pgid", NULL, getpgrp());
    int signal = 0;
    prctl(PR_GET_PDEATHSIG, &signal);
    say_number("pdeathsig", NULL, signal);
    say_number("nnp", NULL, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    say_number("dumpable", NULL, prctl(PR_GET_DUMPABLE));
    say_number("subreaper", NULL, (prctl(PR_GET_CHILD_SUBREAPER, &signal), signal));
    say_number("securebits", NULL, prctl(PR_GET_SECUREBITS));
    say_number("keepcaps", NULL, prctl(PR_GET_KEEPCAPS));
}

static void do_caps(char **a) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0) { outcome("caps", NULL, -1); return; }
    unsigned long long bounding = 0, ambient = 0;
    for (int cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) bounding |= 1ull << cap;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) ambient |= 1ull << cap;
    }
    printf("cap.inheritable=%016llx\n", data[0].inheritable | (unsigned long long)data[1].inheritable << 32);
    printf("cap.permitted=%016llx\n", data[0].permitted | (unsigned long long)data[1].permitted << 32);
    printf("cap.effective=%016llx\n", data[0].effective | (unsigned long long)data[1].effective << 32);
    printf("cap.bounding=%016llx\ncap.ambient=%016llx\n", bounding, ambient);
}

static void do_seccomp(char **a) { say_number("seccomp", NULL, prctl(PR_GET_SECCOMP, 0, 0, 0, 0)); }

static void do_limits(char **a) {
    static const struct { const char *name; int resource; } table[] = {
        {"AS", RLIMIT_AS}, {"CORE", RLIMIT_CORE}, {"CPU", RLIMIT_CPU}, {"DATA", RLIMIT_DATA}, {"FSIZE", RLIMIT_FSIZE},
        {"LOCKS", RLIMIT_LOCKS}, {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE}, {"NICE", RLIMIT_NICE},
        {"NOFILE", RLIMIT_NOFILE}, {"NPROC", RLIMIT_NPROC}, {"RSS", RLIMIT_RSS}, {"RTPRIO", RLIMIT_RTPRIO},
        {"RTTIME", RLIMIT_RTTIME}, {"SIGPENDING", RLIMIT_SIGPENDING}, {"STACK", RLIMIT_STACK}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct rlimit limit;
        getrlimit((__rlimit_resource_t)table[i].resource, &limit);
        printf("rlimit.%s=%lld:%lld\n", table[i].name, (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
}

static void do_umask(char **a) { mode_t mask = umask(0); umask(mask); printf("umask=%04o\n", mask); }

static void do_cwd(char **a) {
    char path[4096];
    if (getcwd(path, sizeof path)) say("cwd", NULL, path); else outcome("cwd", NULL, -1);
}

static void do_env(char **a) {
    int count = 0;
    for (char **entry = environ; *entry; entry++, count++) {
        char *equals = strchr(*entry, '=');
        if (!equals) { say("env.malformed", NULL, *entry); continue; }
        printf("env.%.*s=", (int)(equals - *entry), *entry);
        escaped(equals + 1, strlen(equals + 1));
        putchar('\n');
    }
    say_number("env", NULL, count);
}

static int arg_count;
static char **arg_values;
static void do_args(char **a) {
    say_number("argc", NULL, arg_count);
    for (int i = 0; i < arg_count; i++) { char index[16]; snprintf(index, sizeof index, "%d", i); say("argv", index, arg_values[i]); }
}

static void do_signals(char **a) {
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    printf("blocked=");
    for (int s = 1; s < 65; s++) if (sigismember(&blocked, s) == 1) printf("%d ", s);
    printf("\nignored=");
    for (int s = 1; s < 65; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) == 0 && action.sa_handler == SIG_IGN) printf("%d ", s);
    }
    putchar('\n');
}

static void do_fds(char **a) {
    printf("fds=");
    const char *space = "";
    for (int fd = 0; fd < 4096; fd++) if (fcntl(fd, F_GETFD) >= 0) { printf("%s%d", space, fd); space = " "; }
    putchar('\n');
    for (int fd = 0; fd < 4096; fd++) {
        char link[64], target[4096], name[16];
        if (fcntl(fd, F_GETFD) < 0) continue;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        snprintf(name, sizeof name, "%d", fd);
        ssize_t length = readlink(link, target, sizeof target - 1);
        if (length >= 0) { target[length] = 0; say("fd", name, target); }
    }
}

static void do_ns(char **a) {
    static const char *names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    for (int i = 0; i < 8; i++) {
        char path[64];
        struct stat status;
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        if (stat(path, &status) == 0) say_number("ns", names[i], (long long)status.st_ino); else outcome("ns", names[i], -1);
    }
}

static void do_status(char **a) {
    if (slurp("/proc/self/status") < 0) { outcome("status", a[0], -1); return; }
    size_t length = strlen(a[0]);
    for (char *line = strtok(content, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, a[0], length) || line[length] != ':') continue;
        char *value = line + length + 1;
        while (*value == ' ' || *value == '\t') value++;
        say("status", a[0], value);
    }
}

static void do_personality(char **a) { printf("personality=%08x\n", personality(0xffffffff)); }

static void do_sched(char **a) {
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; uint32_t umin, umax; } attr = {0};
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) < 0) { outcome("sched", NULL, -1); return; }
    static const char *names[] = {"OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE"};
    say("sched.policy", NULL, attr.policy < 7 ? names[attr.policy] : "?");
    say_number("sched.flags", NULL, (long long)attr.flags);
    say_number("sched.nice", NULL, attr.nice);
    say_number("sched.priority", NULL, attr.priority);
    printf("sched.deadline=%llu %llu %llu\n", (unsigned long long)attr.runtime, (unsigned long long)attr.deadline, (unsigned long long)attr.period);
}

static void do_ioprio(char **a) {
    long value = syscall(SYS_ioprio_get, 1, 0);
    static const char *names[] = {"NONE", "RT", "BE", "IDLE"};
    printf("ioprio=%s:%ld\n", names[(value >> 13) & 3], value & 7);
}

static void do_affinity(char **a) {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    say_number("affinity", NULL, CPU_COUNT(&set));
}

/// mempolicy — the mode with its flags, and the nodes.
static void do_mempolicy(char **a) {
    int mode = 0;
    unsigned long nodes[16] = {0};
    if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, NULL, 0UL) < 0) { outcome("mempolicy", NULL, -1); return; }
    say_number("mempolicy", NULL, mode);
    printf("mempolicy.nodes=");
    for (int n = 0, some = 0; n < (int)sizeof nodes * 8; n++)
        if (nodes[n / 64] >> (n % 64) & 1) printf("%s%d", some++ ? "," : "", n);
    putchar('\n');
}

static void do_keyring(char **a) {
    char text[256];
    long id = syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3L /* session */, 0L);
    if (id < 0) { outcome("keyring", NULL, -1); return; }
    printf("keyring.id=%ld\n", id);
    long length = syscall(SYS_keyctl, 6 /* DESCRIBE */, id, text, sizeof text);
    if (length < 0) { outcome("keyring", NULL, -1); return; }
    char *name = strrchr(text, ';');
    say("keyring", NULL, name ? name + 1 : text);
    say("keyring.description", NULL, text);
    length = syscall(SYS_keyctl, 17 /* GET_SECURITY */, id, text, sizeof text);
    if (length > 0) say("keyring.label", NULL, text);
}

static void do_tty(char **a) {
    for (int fd = 0; fd < 3; fd++) {
        char key[16], name[256];
        snprintf(key, sizeof key, "tty.%d", fd);
        int error = ttyname_r(fd, name, sizeof name);
        say(key, NULL, !isatty(fd) ? "no" : error ? error_name(error) : name);
    }
    struct winsize size = {0};
    if (ioctl(0, TIOCGWINSZ, &size) == 0) printf("tty.size=%hux%hu\n", size.ws_row, size.ws_col);
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    outcome("tty.controlling", NULL, fd);
    say_number("tty.foreground", NULL, tcgetpgrp(0) == getpgrp());
    struct stat console, self;
    if (stat("/dev/console", &console) == 0 && fstat(0, &self) == 0) say_number("tty.console", NULL, console.st_rdev == self.st_rdev);
    if (fd >= 0) close(fd);
}

// ------------------------------------------------------------------------------------------------------- the system

static void do_uts(char **a) {
    char host[256] = "", domain[256] = "";
    gethostname(host, sizeof host);
    getdomainname(domain, sizeof domain);
    say("hostname", NULL, host);
    say("domainname", NULL, domain);
}

static void do_lo(char **a) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, "lo");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0) outcome("lo", NULL, -1);
    else say("lo", NULL, request.ifr_flags & IFF_UP ? "up" : "down");
    if (fd >= 0) close(fd);
}

static void mount_fact(const char *point, const char *key, const char *value) { printf("mount.%s.%s=", point, key); escaped(value, strlen(value)); putchar('\n'); }

/// The topmost mount at a path, taken from mountinfo.
static void do_mount(char **a) {
    char last[8192] = "";
    int count = 0;
    if (slurp("/proc/self/mountinfo") < 0) { outcome("mount", a[0], -1); return; }
    for (char *save, *line = strtok_r(content, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char point[4096];
        if (sscanf(line, "%*d %*d %*s %*s %4095s", point) == 1 && !strcmp(point, a[0])) { snprintf(last, sizeof last, "%s", line); count++; }
    }
    printf("mount.%s=%d\n", a[0], count);
    if (!count) return;
    char *save, *fields[64] = {NULL};
    int n = 0, dash = 0;
    for (char *field = strtok_r(last, " ", &save); field && n < 64; field = strtok_r(NULL, " ", &save)) {
        if (n > 5 && !dash && !strcmp(field, "-")) dash = n;
        fields[n++] = field;
    }
    mount_fact(a[0], "root", fields[3]);
    mount_fact(a[0], "options", fields[5]);
    char propagation[256] = "";
    for (int i = 6; i < dash; i++) {
        char *colon = strchr(fields[i], ':');
        if (colon) *colon = 0;
        if (*propagation) strcat(propagation, " ");
        strncat(propagation, fields[i], 60);
    }
    mount_fact(a[0], "propagation", *propagation ? propagation : "private");
    mount_fact(a[0], "type", fields[dash + 1]);
    mount_fact(a[0], "source", dash + 2 < n ? fields[dash + 2] : "");
    mount_fact(a[0], "super", dash + 3 < n ? fields[dash + 3] : "");
}

static void do_mounts(char **a) {
    if (slurp("/proc/self/mountinfo") < 0) { outcome("mounts", NULL, -1); return; }
    int index = 0;
    for (char *save, *line = strtok_r(content, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char key[16];
        snprintf(key, sizeof key, "%d", index++);
        say("mountinfo", key, line);
    }
    say_number("mountinfo", NULL, index);
}

static void do_mqueue(char **a) {
    mqd_t queue = mq_open("/probe", O_CREAT | O_RDWR, 0600, NULL);
    outcome("mqueue", NULL, queue);
    if (queue >= 0) { mq_close(queue); mq_unlink("/probe"); }
}

static void do_clock(char **a) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    say_number("boottime", NULL, now.tv_sec);
    clock_gettime(CLOCK_MONOTONIC, &now);
    say_number("monotonic", NULL, now.tv_sec);
}

// ---------------------------------------------------------------------------------------------------------- paths

static void do_read(char **a) {
    ssize_t length = slurp(a[0]);
    if (length < 0) { outcome("read", a[0], -1); return; }
    if (length && content[length - 1] == '\n') length--;
    printf("read.%s=", a[0]);
    escaped(content, (size_t)length);
    putchar('\n');
}

static void do_write(char **a) {
    int fd = open(a[0], O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    const char *data = a[1] ? a[1] : "";
    outcome("write", a[0], fd < 0 ? fd : write(fd, data, strlen(data)));
    if (fd >= 0) close(fd);
}

static void do_create(char **a) {
    int fd = open(a[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    outcome("create", a[0], fd < 0 ? fd : a[1] ? write(fd, a[1], strlen(a[1])) : 0);
    if (fd >= 0) close(fd);
}

static void do_open(char **a) {
    const char *mode = a[1] ? a[1] : "r";
    int fd = open(a[0], (strcmp(mode, "rw") == 0 ? O_RDWR : *mode == 'w' ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    outcome("open", a[0], fd);
    if (fd >= 0) close(fd);
}

static void do_mkdir(char **a) { outcome("mkdir", a[0], mkdir(a[0], 0777)); }
static void do_unlink(char **a) { outcome("unlink", a[0], remove(a[0])); }
static void do_chdir(char **a) { outcome("chdir", a[0], chdir(a[0])); }
static void do_umount(char **a) { outcome("umount", a[0], umount2(a[0], MNT_DETACH)); }
static void do_tmpfs(char **a) { outcome("tmpfs", a[0], mount("tmpfs", a[0], "tmpfs", 0, NULL)); }
static void do_chown(char **a) { outcome("chown", a[0], lchown(a[0], (uid_t)atoi(a[1]), (gid_t)atoi(a[1]))); }

static void do_mknod(char **a) {
    outcome("mknod", a[0], mknod(a[0], (*a[1] == 'b' ? S_IFBLK : *a[1] == 'p' ? S_IFIFO : S_IFCHR) | 0600,
                                 makedev((unsigned)atoi(a[2] ? a[2] : "0"), (unsigned)atoi(a[2] && a[3] ? a[3] : "0"))));
}

static void do_stat(char **a) {
    struct stat status;
    if (lstat(a[0], &status) < 0) { outcome("stat", a[0], -1); return; }
    const char *type = S_ISREG(status.st_mode) ? "file" : S_ISDIR(status.st_mode) ? "dir" : S_ISLNK(status.st_mode) ? "link"
        : S_ISCHR(status.st_mode) ? "char" : S_ISBLK(status.st_mode) ? "block" : S_ISFIFO(status.st_mode) ? "fifo" : "socket";
    printf("stat.%s=%s %04o %u:%u", a[0], type, status.st_mode & 07777, status.st_uid, status.st_gid);
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) printf(" %u:%u", major(status.st_rdev), minor(status.st_rdev));
    putchar('\n');
}

static void do_link(char **a) {
    char target[4096];
    ssize_t length = readlink(a[0], target, sizeof target - 1);
    if (length < 0) { outcome("link", a[0], -1); return; }
    target[length] = 0;
    say("link", a[0], target);
}

static int by_name(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

static void do_list(char **a) {
    DIR *directory = opendir(a[0]);
    if (!directory) { outcome("list", a[0], -1); return; }
    char *names[1024];
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) && count < 1024;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    printf("list.%s=", a[0]);
    for (size_t i = 0; i < count; i++) { if (i) putchar(' '); escaped(names[i], strlen(names[i])); }
    putchar('\n');
}

static void do_statfs(char **a) {
    struct statfs status;
    if (statfs(a[0], &status) < 0) { outcome("statfs", a[0], -1); return; }
    printf("statfs.%s=%lx %llu\n", a[0], (unsigned long)status.f_type, (unsigned long long)status.f_blocks * (unsigned long long)status.f_bsize);
}

/// Runs a program and says how it ended: its exit code, or the errno of execve.
static void do_exec(char **a) {
    fflush(stdout);
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) { outcome("exec", a[0], -1); return; }
    pid_t pid = fork();
    if (pid < 0) { outcome("exec", a[0], -1); return; }
    if (pid == 0) {
        char *arguments[] = {a[0], a[1], NULL};
        execve(a[0], arguments, environ);
        int error = errno;
        if (write(report[1], &error, sizeof error) < 0) _exit(127);
        _exit(127);
    }
    close(report[1]);
    int error = 0, status = 0;
    ssize_t count = read(report[0], &error, sizeof error);
    close(report[0]);
    waitpid(pid, &status, 0);
    if (count == sizeof error) { errno = error; outcome("exec", a[0], -1); }
    else if (WIFSIGNALED(status)) { char text[32]; snprintf(text, sizeof text, "signal %d", WTERMSIG(status)); say("exec", a[0], text); }
    else say_number("exec", a[0], WEXITSTATUS(status));
}

// ------------------------------------------------------------------------------------------------------ descriptors

static void do_fdread(char **a) {
    char bytes[4096];
    ssize_t count = read(atoi(a[0]), bytes, sizeof bytes);
    if (count < 0) { outcome("fdread", a[0], -1); return; }
    printf("fdread.%s=", a[0]);
    escaped(bytes, (size_t)count);
    putchar('\n');
}

static void do_fdwrite(char **a) { outcome("fdwrite", a[0], write(atoi(a[0]), a[1], strlen(a[1]))); }

/// Tries to leave the root through a descriptor that should not be there.
static void do_fdescape(char **a) {
    int found = 0;
    for (int fd = 3; fd < 4096; fd++) {
        struct stat status;
        if (fcntl(fd, F_GETFD) >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) found++;
    }
    say_number("fdescape", NULL, found);
}

static void do_stdin(char **a) {
    size_t length = 0;
    ssize_t count;
    while (length < sizeof content && (count = read(0, content + length, sizeof content - length)) > 0) length += (size_t)count;
    printf("stdin=");
    escaped(content, length);
    putchar('\n');
}

static void do_cat(char **a) {
    ssize_t count;
    fflush(stdout);
    while ((count = read(0, content, sizeof content)) > 0) if (write(1, content, (size_t)count) < 0) break;
}

static void do_save(char **a) {
    fflush(stdout);
    int fd = open(a[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) { fprintf(stderr, "save %s: %s\n", a[0], error_name(errno)); exit(99); }
    dup2(fd, 1);
    if (fd != 1) close(fd);
}

static void do_say(char **a) { puts(a[0]); }
static void do_complain(char **a) { fflush(stdout); fprintf(stderr, "%s\n", a[0]); }
static void do_flush(char **a) { fflush(stdout); }

// ----------------------------------------------------------------------------------------------- system calls, signals

/// syscall:NUMBER[:ARG…] — the result of a raw system call: ok, or the errno's name.
static void do_syscall(char **a) {
    long v[6] = {0};
    for (int i = 0; i < 6 && a[i + 1]; i++) v[i] = (long)strtoull(a[i + 1], NULL, 0);
    fflush(stdout);
    outcome("syscall", a[0], syscall(strtol(a[0], NULL, 0), v[0], v[1], v[2], v[3], v[4], v[5]));
}

/// try:NUMBER[:ARG…] — the same in a child: also says by which signal it was killed.
static void do_try(char **a) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) { outcome("try", a[0], -1); return; }
    if (pid == 0) {
        long v[6] = {0};
        for (int i = 0; i < 6 && a[i + 1]; i++) v[i] = (long)strtoull(a[i + 1], NULL, 0);
        long result = syscall(strtol(a[0], NULL, 0), v[0], v[1], v[2], v[3], v[4], v[5]);
        _exit(result < 0 ? (errno & 0xff) : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) { char text[32]; snprintf(text, sizeof text, "signal %d", WTERMSIG(status)); say("try", a[0], text); }
    else say("try", a[0], WEXITSTATUS(status) ? error_name(WEXITSTATUS(status)) : "ok");
}

static int signal_number(const char *name) {
    if (*name >= '0' && *name <= '9') return atoi(name);
    for (int s = 1; s < 32; s++) if (sigabbrev_np(s) && !strcmp(sigabbrev_np(s), name)) return s;
    return SIGTERM;
}

/// wait:SIGNAL:CODE — blocks until the signal comes, then exits with the code.
static void do_wait(char **a) {
    sigset_t set;
    int got;
    sigemptyset(&set);
    sigaddset(&set, signal_number(a[0]));
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("ready");
    fflush(stdout);
    sigwait(&set, &got);
    printf("got=%d\n", got);
    exit(atoi(a[1] ? a[1] : "0"));
}

static void on_any(int signal) { char text[32]; int n = snprintf(text, sizeof text, "signal=%d\n", signal); if (write(1, text, (size_t)n) < 0) _exit(1); if (signal == SIGTERM) _exit(0); }

/// record — prints every signal that arrives, ends with TERM.
static void do_record(char **a) {
    for (int s = 1; s < 32; s++) if (s != SIGCHLD) signal(s, on_any);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}

static void do_ignore(char **a) { signal(signal_number(a[0]), SIG_IGN); }
static void do_hang(char **a) { puts("ready"); fflush(stdout); for (;;) pause(); }
static void do_sleep(char **a) { fflush(stdout); usleep((useconds_t)atoi(a[0]) * 1000); }
static void do_exit(char **a) { fflush(stdout); exit(atoi(a[0])); }
static void do_kill(char **a) {
    fflush(stdout);
    signal(signal_number(a[0]), SIG_DFL);
    kill(getpid(), signal_number(a[0]));
    // The first process of a pid namespace is deaf to what it has no handler for; a fault reaches it.
    if (signal_number(a[0]) == SIGSEGV) { volatile int *volatile nowhere = NULL; *nowhere = 0; }
    if (signal_number(a[0]) == SIGABRT) abort();
}

/// orphan:MS — leaves a grandchild without its parent, which says who adopted it.
static void do_orphan(char **a) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t middle = getpid();
        if (fork() == 0) {
            while (getppid() == middle) usleep(1000);
            printf("orphan.parent=%d\n", getppid());
            fflush(stdout);
            usleep((useconds_t)atoi(a[0]) * 1000);
            _exit(0);
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

/// notify:TEXT — notifies the service manager, with + for a newline.
static int notify_socket(struct sockaddr_un *address) {
    const char *path = getenv("NOTIFY_SOCKET");
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path ? path : "/nowhere");
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void do_notify(char **a) {
    struct sockaddr_un address;
    int fd = notify_socket(&address);
    for (char *c = a[0]; *c; c++) if (*c == '+') *c = '\n';
    outcome("notify", NULL, sendto(fd, a[0], strlen(a[0]), 0, (struct sockaddr *)&address, sizeof address));
    fflush(stdout);
    close(fd);
}

/// barrier — waits until the service manager has taken what was sent before.
static void do_barrier(char **a) {
    struct sockaddr_un address;
    int fd = notify_socket(&address), ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) { outcome("barrier", NULL, -1); return; }
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {0};
    struct iovec vector = {.iov_base = "BARRIER=1", .iov_len = 9};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &vector, .msg_iovlen = 1,
                             .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
    if (sendmsg(fd, &message, 0) < 0) { outcome("barrier", NULL, -1); return; }
    close(ends[1]);
    struct pollfd end = {.fd = ends[0]};
    say("barrier", NULL, poll(&end, 1, 20000) == 1 ? "ok" : "late");
    fflush(stdout);
}

// ------------------------------------------------------------------------------------------------------ sockets

static void on_term(int signal) { (void)signal; _exit(0); }

/// One request: a line, or a datagram. `hold` keeps the connection open until the client goes.
static void answer(int fd, int streams, int served) {
    char text[256], request[128] = "";
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int connection = streams ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : fd;
    if (connection < 0) { outcome("accept", NULL, -1); return; }
    ssize_t count = streams ? read(connection, request, sizeof request - 1)
                            : recvfrom(fd, request, sizeof request - 1, 0, (struct sockaddr *)&from, &length);
    if (count < 0) count = 0;
    const char *names = getenv("LISTEN_FDNAMES");
    int size = snprintf(text, sizeof text, "fd=%d names=%s pid=%s served=%d\n", fd, names ? names : "", getenv("LISTEN_PID"), served);
    if (!streams) { outcome("sendto", NULL, sendto(fd, text, (size_t)size, 0, (struct sockaddr *)&from, length)); return; }
    if (write(connection, text, (size_t)size) < 0) outcome("answer", NULL, -1);
    if (!strncmp(request, "hold", 4)) while (read(connection, request, sizeof request) > 0) {}
    close(connection);
}

/// serve:COUNT — answers so many clients of the sockets in LISTEN_FDS; 0 any number, until TERM comes.
static void do_serve(char **a) {
    struct pollfd all[16];
    const char *text = getenv("LISTEN_FDS");
    int count = text ? atoi(text) : 0, wanted = atoi(a[0]), served = 0;
    signal(SIGTERM, on_term);
    if (count > 16) count = 16;
    for (int i = 0; i < count; i++) all[i] = (struct pollfd){.fd = 3 + i, .events = POLLIN};
    printf("serving=%d\n", count);
    fflush(stdout);
    while (wanted == 0 || served < wanted) {
        if (poll(all, (nfds_t)count, -1) < 0) { outcome("poll", NULL, -1); return; }
        for (int i = 0; i < count && (wanted == 0 || served < wanted); i++) {
            int type = 0;
            socklen_t length = sizeof type;
            if (!all[i].revents) continue;
            getsockopt(all[i].fd, SOL_SOCKET, SO_TYPE, &type, &length);
            answer(all[i].fd, type != SOCK_DGRAM, ++served);
        }
    }
    printf("served=%d\n", served);
    fflush(stdout);
}

/// until:PATH — waits until a file is there.
static void do_until(char **a) { fflush(stdout); while (access(a[0], F_OK) != 0) usleep(2000); }

/// addresses — the interfaces with their flags and addresses.
static void do_addresses(char **a) {
    struct ifaddrs *all, *entry;
    if (getifaddrs(&all) < 0) { outcome("addresses", NULL, -1); return; }
    for (entry = all; entry; entry = entry->ifa_next) {
        char text[64] = "";
        if (!entry->ifa_addr) continue;
        int family = entry->ifa_addr->sa_family;
        if (family == AF_PACKET) { say(entry->ifa_name, "state", entry->ifa_flags & IFF_UP ? "up" : "down"); continue; }
        const void *from = family == AF_INET ? (void *)&((struct sockaddr_in *)entry->ifa_addr)->sin_addr
                                             : (void *)&((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr;
        inet_ntop(family, from, text, sizeof text);
        say(entry->ifa_name, text, "there");
    }
    freeifaddrs(all);
}

/// child — leaves a child that sleeps for long, so that a container has more than one process.
static void do_child(char **a) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) for (;;) pause();
    say_number("child", NULL, pid > 0);
}

static void do_usernamespace(char **a) {
    for (int i = 0; i < 3; i++) {
        static const char *files[] = {"/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups"};
        static const char *keys[] = {"uid_map", "gid_map", "setgroups"};
        if (slurp(files[i]) < 0) { outcome(keys[i], NULL, -1); continue; }
        // Columns without their padding.
        char squeezed[4096];
        size_t n = 0;
        for (char *c = content; *c && n < sizeof squeezed - 1; c++) {
            char byte = *c == '\n' ? ',' : *c;
            if (byte == ' ' && (n == 0 || squeezed[n - 1] == ' ' || squeezed[n - 1] == ',')) continue;
            squeezed[n++] = byte;
        }
        if (n && squeezed[n - 1] == ',') n--;
        squeezed[n] = 0;
        say(keys[i], NULL, squeezed);
    }
}

// ------------------------------------------------------------------------------------------------------- the table

static const struct { const char *name; int arguments; void (*run)(char **); } verbs[] = {
    {"ids", 0, do_ids}, {"process", 0, do_process}, {"caps", 0, do_caps}, {"seccomp", 0, do_seccomp}, {"limits", 0, do_limits},
    {"umask", 0, do_umask}, {"cwd", 0, do_cwd}, {"env", 0, do_env}, {"args", 0, do_args}, {"signals", 0, do_signals},
    {"fds", 0, do_fds}, {"ns", 0, do_ns}, {"status", 1, do_status}, {"personality", 0, do_personality}, {"sched", 0, do_sched},
    {"ioprio", 0, do_ioprio}, {"affinity", 0, do_affinity}, {"mempolicy", 0, do_mempolicy}, {"keyring", 0, do_keyring}, {"tty", 0, do_tty},
    {"uts", 0, do_uts}, {"lo", 0, do_lo}, {"mount", 1, do_mount}, {"mounts", 0, do_mounts}, {"mqueue", 0, do_mqueue},
    {"clock", 0, do_clock}, {"userns", 0, do_usernamespace},
    {"read", 1, do_read}, {"write", 1, do_write}, {"create", 1, do_create}, {"open", 1, do_open}, {"mkdir", 1, do_mkdir},
    {"unlink", 1, do_unlink}, {"chdir", 1, do_chdir}, {"umount", 1, do_umount}, {"tmpfs", 1, do_tmpfs}, {"chown", 2, do_chown},
    {"mknod", 2, do_mknod}, {"stat", 1, do_stat}, {"link", 1, do_link}, {"list", 1, do_list}, {"statfs", 1, do_statfs},
    {"exec", 1, do_exec},
    {"fdread", 1, do_fdread}, {"fdwrite", 2, do_fdwrite}, {"fdescape", 0, do_fdescape}, {"stdin", 0, do_stdin}, {"cat", 0, do_cat},
    {"save", 1, do_save}, {"say", 1, do_say}, {"complain", 1, do_complain}, {"flush", 0, do_flush},
    {"syscall", 1, do_syscall}, {"try", 1, do_try}, {"wait", 2, do_wait}, {"record", 0, do_record}, {"ignore", 1, do_ignore},
    {"hang", 0, do_hang}, {"sleep", 1, do_sleep}, {"exit", 1, do_exit}, {"kill", 1, do_kill}, {"orphan", 1, do_orphan},
    {"child", 0, do_child}, {"notify", 1, do_notify}, {"barrier", 0, do_barrier}, {"until", 1, do_until},
    {"addresses", 0, do_addresses}, {"serve", 1, do_serve},
};

int main(int argc, char **argv) {
    arg_count = argc;
    arg_values = argv;
    for (int i = 1; i < argc; i++) {
        char copy[8192], *arguments[MAX_ARGS] = {NULL};
        snprintf(copy, sizeof copy, "%s", argv[i]);
        int count = 0;
        char *rest = copy, *verb = strsep(&rest, ":");
        while (rest && count < MAX_ARGS - 1) arguments[count++] = strsep(&rest, ":");
        size_t v = 0;
        while (v < sizeof verbs / sizeof *verbs && strcmp(verbs[v].name, verb)) v++;
        if (v == sizeof verbs / sizeof *verbs || count < verbs[v].arguments) {
            fprintf(stderr, "probe: what is '%s'?\n", argv[i]);
            return 98;
        }
        verbs[v].run(arguments);
    }
    fflush(stdout);
    return 0;
}
